// SPDX-License-Identifier: Apache-2.0
//! Who may read what.

use super::{client::plain, *};

#[tokio::test]
async fn metrics_are_for_known_tokens_that_may() {
    let role = role(&settings()).await;
    let get = |headers: &'static str| async move {
        Client::new().get(role.metrics, "/metrics", headers).await
    };
    for headers in [
        "",
        "Authorization: Bearer \r\n",
        "Authorization: Basic scraper\r\n",
    ] {
        let answer = get(headers).await;
        assert_eq!(answer.status, 401, "{headers}: {answer:?}");
        assert!(
            answer.head.contains("www-authenticate: bearer"),
            "{answer:?}"
        );
    }
    assert_eq!(
        role.reviews.asked.load(Ordering::Relaxed),
        0,
        "nothing to review"
    );
    assert_eq!(get("Authorization: Bearer stranger\r\n").await.status, 401);
    // Good for the other path, and for whom it was made there.
    assert_eq!(get("Authorization: Bearer reader\r\n").await.status, 401);
    assert_eq!(get("X-Ferrolb-Token: scraper\r\n").await.status, 401);
    let answer = get("Authorization: bearer scraper\r\n").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "up 1\n"));
    assert!(
        answer
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_holder_who_may_not_is_told_so_and_a_fault_inside_is_not_told() {
    let role = role(&settings()).await;
    let client = Client::new();
    let forbidden = client
        .get(role.metrics, "/status", "Authorization: Bearer scraper\r\n")
        .await;
    assert_eq!(forbidden.status, 403, "{forbidden:?}");
    let broken = client
        .get(role.metrics, "/metrics", "Authorization: Bearer broken\r\n")
        .await;
    assert_eq!(broken.status, 503, "{broken:?}");
    assert!(!broken.body.contains("secret"), "{broken:?}");
    assert_eq!(client.get(role.metrics, "/other", "").await.status, 404);
}

#[tokio::test]
async fn the_state_is_for_tokens_meant_for_it() {
    let role = role(&settings()).await;
    let client = Client::new();
    let answer = client
        .get(role.metrics, "/status", "X-Ferrolb-Token: reader\r\n")
        .await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, "{\"role\":\"speaker\"}")
    );
    assert!(
        answer.head.contains("content-type: application/json"),
        "{answer:?}"
    );
    assert!(
        answer.head.contains("cache-control: no-store"),
        "{answer:?}"
    );
    // A token of the API server itself is good for nothing in this header.
    for headers in [
        "X-Ferrolb-Token: scraper\r\n",
        "Authorization: Bearer reader\r\n",
        "",
    ] {
        let answer = client.get(role.metrics, "/status", headers).await;
        assert_eq!(answer.status, 401, "{headers}: {answer:?}");
    }
}

#[tokio::test]
async fn metrics_are_not_told_without_tls_and_health_is() {
    let role = role(&settings()).await;
    let stream = tokio::net::TcpStream::connect(role.metrics).await.unwrap();
    let request = client::get("/metrics", "Authorization: Bearer scraper\r\n");
    let mut text = Vec::new();
    let (mut reader, mut writer) = tokio::io::split(stream);
    tokio::io::AsyncWriteExt::write_all(&mut writer, request.as_bytes())
        .await
        .unwrap();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut text).await;
    assert!(!String::from_utf8_lossy(&text).contains("HTTP"), "{text:?}");
    assert_eq!(plain(role.health, "/healthz").await.status, 200);
    assert_eq!(plain(role.health, "/metrics").await.status, 404);
}

#[tokio::test]
async fn readiness_says_what_it_waits_for() {
    let role = role(&settings()).await;
    let waiting = plain(role.health, "/readyz").await;
    assert_eq!(
        (waiting.status, waiting.body.as_str()),
        (503, "waiting for the first list of IPAddressPool\n")
    );
    let two = Waits::from([Wait::Certificate, Wait::List("Community")]);
    role.waits.send(two).unwrap();
    let waiting = plain(role.health, "/readyz").await;
    let lines = "waiting for the first list of Community\nwaiting for the webhooks' certificate\n";
    assert_eq!((waiting.status, waiting.body.as_str()), (503, lines));
    role.waits.send(Waits::new()).unwrap();
    assert_eq!(plain(role.health, "/readyz").await.status, 200);
    assert_eq!(plain(role.health, "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_token_file_is_one_token_and_is_read_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    let file = TokenFile(path.clone());
    let ask = async |token: &str| {
        let ask = Ask {
            token,
            audience: None,
            verb: "get",
            path: "/metrics",
        };
        file.authorise(ask).await
    };
    assert!(matches!(ask("a").await, Verdict::Unknown(_)));
    std::fs::write(&path, "a\n").unwrap();
    assert_eq!(ask("a").await, Verdict::Allowed);
    assert_eq!(ask("b").await, Verdict::Unauthenticated);
    std::fs::write(&path, "b").unwrap();
    assert_eq!(ask("a").await, Verdict::Unauthenticated);
    std::fs::write(&path, " \n").unwrap();
    assert_eq!(ask("").await, Verdict::Unauthenticated);
}
