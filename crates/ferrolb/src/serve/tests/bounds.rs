// SPDX-License-Identifier: Apache-2.0
//! What a connection may take, and the end.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{client::plain, *};
use crate::serve::server::{Server, bind};

const SHORT: Duration = Duration::from_millis(400);

/// Health behind bounds that a test can wait for.
async fn bounded(tls: bool, stop: &CancellationToken) -> (SocketAddr, Metrics) {
    let metrics = Metrics::new("speaker", "1", None);
    let (_, waits) = watch::channel(Waits::new());
    let identity = Identity::self_signed("localhost").unwrap();
    let config = tls.then(|| tls::Options::default().server(&identity, false).unwrap());
    let refused = metrics.own().refused_by("test");
    let mut server = Server::new(config, health::router(waits, stop), refused);
    server.bounds = Bounds {
        connections: 2,
        spare: SHORT / 2,
        handshake: SHORT,
        head: SHORT,
        idle: 5 * SHORT,
        request: 5 * SHORT,
    };
    let listener = bind(ANY, "--port").await.unwrap();
    (
        server.spawn(listener, ANY, &Ends::at_once(stop)).address,
        metrics,
    )
}

/// Whether the server closes by itself, and after how long.
async fn closed_after(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest))
        .await
        .unwrap();
    start.elapsed()
}

#[tokio::test]
async fn who_sends_nothing_or_half_a_request_is_closed() {
    let stop = CancellationToken::new();
    for (tls, words) in [
        (false, &b""[..]),
        (false, b"GET /healthz HTTP/1.1\r\nX: "),
        (true, b""),
        (true, b"\x16\x03\x01"),
    ] {
        let (address, metrics) = bounded(tls, &stop).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words).await.unwrap();
        let took = closed_after(&mut stream).await;
        assert!(
            took >= SHORT / 2 && took < 10 * SHORT,
            "{tls} {words:?}: {took:?}"
        );
        assert_eq!(metrics.own().refused_by("test").get(), 1);
    }
    stop.cancel();
}

#[tokio::test]
async fn who_shakes_hands_and_says_nothing_more_is_closed() {
    let stop = CancellationToken::new();
    let (address, _) = bounded(true, &stop).await;
    let mut stream = Client::new().connect(address).await.unwrap();
    let mut rest = Vec::new();
    let read = timeout(10 * SHORT, stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "still open");
    stop.cancel();
}

#[tokio::test]
async fn a_trickle_of_a_head_is_closed_all_the_same() {
    let stop = CancellationToken::new();
    let (address, _) = bounded(false, &stop).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\n")
        .await
        .unwrap();
    let start = Instant::now();
    while stream.write_all(b"X: y\r\n").await.is_ok() {
        assert!(start.elapsed() < 20 * SHORT, "still taken");
        tokio::time::sleep(SHORT / 8).await;
    }
    stop.cancel();
}

#[tokio::test]
async fn a_client_in_good_standing_keeps_its_connection_for_a_while() {
    let stop = CancellationToken::new();
    let (address, _) = bounded(false, &stop).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let mut buffer = [0; 1024];
        let size = timeout(10 * SHORT, stream.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            client::parse(&String::from_utf8_lossy(&buffer[..size])).status,
            200
        );
        // Longer than a stranger may be silent.
        tokio::time::sleep(2 * SHORT).await;
    }
    let took = closed_after(&mut stream).await;
    assert!(took < 10 * SHORT, "{took:?}");
    stop.cancel();
}

#[tokio::test]
async fn silent_connections_keep_nobody_out_for_long() {
    let stop = CancellationToken::new();
    let (address, _) = bounded(false, &stop).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let start = Instant::now();
    assert_eq!(plain(address, "/healthz").await.status, 200);
    assert!(
        start.elapsed() >= SHORT / 2,
        "more than two at a time were taken"
    );
    stop.cancel();
}

#[tokio::test]
async fn the_end_lets_a_request_finish_and_takes_no_more() {
    let mut role = role(&settings()).await;
    let address = role.metrics;
    let under_way = tokio::spawn(async move {
        Client::new()
            .get(address, "/status", "X-Ferrolb-Token: reader\r\n")
            .await
    });
    while role.reviews.asked.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut idle = TcpStream::connect(role.health).await.unwrap();
    role.stop.cancel();
    assert_eq!(under_way.await.unwrap().status, 200);
    let served = std::mem::take(&mut role.served);
    timeout(Duration::from_secs(5), served.ended())
        .await
        .unwrap();
    assert!(closed_after(&mut idle).await < Duration::from_secs(2));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let held = std::net::TcpListener::bind(ANY).unwrap();
    let refusal = bind(held.local_addr().unwrap(), "--health-probe-port")
        .await
        .unwrap_err();
    let text = refusal.to_string();
    assert!(
        text.contains("FLB-X007") && text.contains("--health-probe-port"),
        "{text}"
    );
}
