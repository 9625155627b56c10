// SPDX-License-Identifier: Apache-2.0
//! Versions of TLS and HTTP, and bodies.

use axum::body::Body;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    crypto::ring,
    version::{TLS12, TLS13},
};

use super::*;

fn identity() -> Identity {
    Identity::self_signed("localhost").unwrap()
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_one_of_the_largest_the_api_server_sends_is_taken()
{
    let stop = CancellationToken::new();
    let address = hooks(false, &identity(), &stop).await;
    let json = |size: usize| format!("\"{}\"", "x".repeat(size - 2)).into_bytes();
    let client = Client::new();
    let three = 3 * 1024 * 1024;
    let taken = client.post(address, "/measure", &json(three)).await;
    assert_eq!((taken.status, taken.body), (200, three.to_string()));
    let refused = client.post(address, "/measure", &json(10_000_000)).await;
    assert_eq!(refused.status, 413, "{refused:?}");
    let refused = client.post(address, "/measure", &json(20_000_000)).await;
    assert_eq!(refused.status, 413, "told before it is read: {refused:?}");
    assert_eq!(client.post(address, "/measure", b"{}").await.status, 200);
    stop.cancel();
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_too() {
    let stop = CancellationToken::new();
    let address = hooks(false, &identity(), &stop).await;
    let mut request = b"POST /measure HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                        Transfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..10 {
        request.extend_from_slice(b"100000\r\n");
        request.resize(request.len() + 0x10_0000, b' ');
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    let stream = Client::new().connect(address).await.unwrap();
    let answer = client::talk(stream, &request).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    stop.cancel();
}

#[tokio::test]
async fn what_is_not_json_is_for_the_handler_to_refuse() {
    let stop = CancellationToken::new();
    let address = hooks(false, &identity(), &stop).await;
    let client = Client::new();
    for body in [&b"not json"[..], b"", &[0xff, 0xfe, 0x00]] {
        let answer = client.post(address, "/measure", body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    assert_eq!(client.get(address, "/measure", "").await.status, 405);
    let stream = client.connect(address).await.unwrap();
    let garbage = client::talk(stream, b"\x16\x03\x01 no request\r\n\r\n").await;
    assert_eq!(garbage.status, 400);
    stop.cancel();
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_on_and_not_offered_where_it_is_off() {
    let stop = CancellationToken::new();
    let both: &[&[u8]] = &[b"h2", b"http/1.1"];
    let client = Client::with(rustls::ALL_VERSIONS, ring::default_provider(), both);
    let off = hooks(false, &identity(), &stop).await;
    let stream = client.connect(off).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let only_http2 = Client::with(rustls::ALL_VERSIONS, ring::default_provider(), &[b"h2"]);
    assert!(only_http2.connect(off).await.is_err());

    let on = hooks(true, &identity(), &stop).await;
    let stream = client.connect(on).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    for (body, want) in [("[1,2]", 200), ("[1,", 400)] {
        let request = Request::post("https://localhost/measure")
            .body(Body::from(body))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), want);
    }
    // Who speaks HTTP/1.1 is served there too.
    assert_eq!(Client::new().post(on, "/measure", b"{}").await.status, 200);
    stop.cancel();
}

async fn scraped(options: tls::Options, client: &Client) -> bool {
    let settings = Settings {
        tls: options,
        ..settings()
    };
    let role = role(&settings).await;
    client.connect(role.metrics).await.is_ok()
}

#[tokio::test]
async fn the_flags_of_tls_take_effect() {
    let default = || tls::Options::default();
    let options = |version, suites, curves| tls::Options::parse(version, suites, curves).unwrap();
    let old = Client::with(&[&TLS12], ring::default_provider(), &[]);
    let new = Client::with(&[&TLS13], ring::default_provider(), &[]);
    assert!(!scraped(default(), &old).await);
    assert!(scraped(default(), &new).await);
    assert!(scraped(options("VersionTLS12", "", ""), &old).await);
    assert!(scraped(options("VersionTLS12", "", ""), &new).await);

    let mut provider = ring::default_provider();
    provider.cipher_suites = vec![ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
    let one_suite = Client::with(&[&TLS12], provider, &[]);
    let suite = |name| options("VersionTLS12", name, "");
    assert!(scraped(suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), &one_suite).await);
    assert!(!scraped(suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"), &one_suite).await);

    let mut provider = ring::default_provider();
    provider.kx_groups = vec![ring::kx_group::SECP256R1];
    let one_curve = Client::with(&[&TLS13], provider, &[]);
    assert!(scraped(options("", "", "29,23"), &one_curve).await);
    assert!(!scraped(options("", "", "29"), &one_curve).await);
}
