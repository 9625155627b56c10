// SPDX-License-Identifier: Apache-2.0
//! Who makes room when every place is taken.

use axum::{
    body::Bytes,
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{client::plain, *};
use crate::serve::{
    places::Seen,
    server::{Server, bind},
};

/// Much longer than who makes room may take, and shorter than an idle connection may stay.
const PATIENCE: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(300);

/// A listener with two places, where `/slow` is answered when it is told to be.
async fn narrow(stop: &CancellationToken) -> (SocketAddr, CancellationToken) {
    let metrics = Metrics::new("speaker", "1", None);
    let go = CancellationToken::new();
    let slow = go.clone();
    let router = axum::Router::new()
        .route("/", get(|| async { "ok" }))
        .route("/body", post(async |body: Bytes| body.len().to_string()))
        .route("/slow", get(async move || slow.cancelled().await));
    let mut server = Server::new(None, router, metrics.own().refused_by("test"));
    server.bounds = Bounds {
        connections: 2,
        spare: Duration::from_millis(50),
        handshake: LONG,
        head: LONG,
        idle: LONG,
        request: LONG,
    };
    let listener = bind(ANY, "--port").await.unwrap();
    let serving = server.spawn(listener, ANY, &Ends::at_once(stop));
    (serving.address, go)
}

/// A connection that had an answer and stays.
async fn kept(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/").await;
    assert_eq!(heard(&mut stream).await.status, 200);
    stream
}

async fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

async fn heard(stream: &mut TcpStream) -> client::Answer {
    let mut buffer = [0; 1024];
    let read = timeout(PATIENCE, stream.read(&mut buffer)).await;
    client::parse(&String::from_utf8_lossy(&buffer[..read.unwrap().unwrap()]))
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = timeout(Duration::from_millis(300), stream.read_u8()).await;
    read.is_ok_and(|read| read.is_err())
}

#[tokio::test]
async fn the_one_idle_longest_does() {
    let stop = CancellationToken::new();
    let (address, _) = narrow(&stop).await;
    let mut first = kept(address).await;
    let mut second = kept(address).await;
    ask(&mut first, "/").await;
    assert_eq!(heard(&mut first).await.status, 200);
    let answer = timeout(PATIENCE, plain(address, "/")).await;
    assert_eq!(answer.expect("nobody made room").status, 200);
    assert!(is_closed(&mut second).await, "the one idle longest");
    assert!(!is_closed(&mut first).await, "one is enough");
    stop.cancel();
}

#[tokio::test]
async fn one_with_a_request_under_way_does_not() {
    let stop = CancellationToken::new();
    let (address, go) = narrow(&stop).await;
    let mut busy = [kept(address).await, kept(address).await];
    for stream in &mut busy {
        ask(stream, "/slow").await;
    }
    let mut waiting = Box::pin(plain(address, "/"));
    // Long enough for many rounds of looking for somebody idle.
    let early = timeout(Duration::from_millis(500), waiting.as_mut()).await;
    assert!(early.is_err(), "more than two at a time: {early:?}");
    go.cancel();
    for stream in &mut busy {
        assert_eq!(heard(stream).await.status, 200);
    }
    assert_eq!(timeout(PATIENCE, waiting).await.unwrap().status, 200);
    stop.cancel();
}

#[tokio::test]
async fn one_whose_request_is_not_whole_does() {
    let stop = CancellationToken::new();
    let (address, _) = narrow(&stop).await;
    let head = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx";
    let mut slow = [kept(address).await, kept(address).await];
    for stream in &mut slow {
        stream.write_all(head.as_bytes()).await.unwrap();
    }
    let trickle = async {
        loop {
            for stream in &mut slow {
                let _ = stream.write_all(b"x").await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let answer = tokio::select! {
        answer = timeout(PATIENCE, plain(address, "/")) => answer,
        endless = trickle => endless,
    };
    assert_eq!(answer.expect("nobody made room").status, 200);
    let closed = [is_closed(&mut slow[0]).await, is_closed(&mut slow[1]).await];
    assert!(closed[0] != closed[1], "one is enough: {closed:?}");
    stop.cancel();
}

#[tokio::test]
async fn a_request_that_is_given_up_is_not_under_way() {
    let seen = Arc::new(Seen::new());
    let [first, second] = [seen.begin(), seen.begin()];
    first.is_whole();
    assert!(!seen.is_idle());
    drop(first);
    second.is_whole();
    second.is_whole();
    second.end(true);
    assert!(seen.is_idle());
}

#[tokio::test]
async fn on_the_listener_of_health_nobody_stays() {
    let role = role(&settings()).await;
    let mut stream = kept_open(role.health).await;
    assert!(is_closed(&mut stream).await);
}

/// A connection whose client would go on, after one answer.
async fn kept_open(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream, "/healthz").await;
    let answer = heard(&mut stream).await;
    assert!(answer.head.contains("connection: close"), "{answer:?}");
    stream
}
