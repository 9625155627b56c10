// SPDX-License-Identifier: Apache-2.0
//! The listeners over real connections: who may, what is refused, what a change does while they run.

mod access;
mod bounds;
mod certificates;
mod client;
mod ending;
mod protocol;
mod room;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::routing::post;
use bytes::Bytes;
use hyper::StatusCode;

use super::*;
use client::Client;

/// Who knows three tokens.
struct Reviews {
    asked: AtomicUsize,
}

impl Authorise for Reviews {
    fn authorise<'a>(&'a self, ask: Ask<'a>) -> Later<'a, Verdict> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let verdict = match (ask.token, ask.audience, ask.path) {
            ("scraper", None, "/metrics") | ("reader", Some(STATUS_AUDIENCE), "/status") => {
                Verdict::Allowed
            }
            ("scraper", None, _) => Verdict::Forbidden,
            ("broken", ..) => Verdict::Unknown("the secret inside".to_owned()),
            _ => Verdict::Unauthenticated,
        };
        assert_eq!(ask.verb, "get");
        Box::pin(std::future::ready(verdict))
    }
}

struct Told;

impl Tell for Told {
    fn metrics(&self) -> Later<'_, String> {
        Box::pin(std::future::ready("up 1\n".to_owned()))
    }

    fn status(&self) -> Later<'_, String> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "{\"role\":\"speaker\"}".to_owned()
        })
    }
}

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn settings() -> Settings {
    Settings {
        health: Some(ANY),
        metrics: Some(ANY),
        metrics_cert_dir: None,
        metrics_token_file: None,
        tls: tls::Options::default(),
    }
}

/// The listeners of a role, ended when the test ends.
struct Role {
    health: SocketAddr,
    metrics: SocketAddr,
    served: Served,
    waits: watch::Sender<Waits>,
    reviews: Arc<Reviews>,
    stop: CancellationToken,
}

impl Drop for Role {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn role(settings: &Settings) -> Role {
    let (waits, receiver) = watch::channel(Waits::from([Wait::List("IPAddressPool")]));
    let reviews = Arc::new(Reviews {
        asked: AtomicUsize::new(0),
    });
    let stop = CancellationToken::new();
    let behind = Behind {
        waits: receiver,
        authorise: Arc::clone(&reviews) as Arc<dyn Authorise>,
        tell: Arc::new(Told),
        metrics: Metrics::new("speaker", "1", None),
    };
    let served = start(settings, behind, &Ends::at_once(&stop))
        .await
        .unwrap();
    Role {
        health: served.health.as_ref().unwrap().address,
        metrics: served.metrics.as_ref().unwrap().address,
        served,
        waits,
        reviews,
        stop,
    }
}

fn webhook_settings(http2: bool) -> WebhookSettings {
    WebhookSettings {
        address: ANY,
        http2,
        cert_dir: "/nowhere".into(),
        rotates: true,
        service: "service".to_owned(),
        secret: "secret".to_owned(),
    }
}

/// Answers with the number of bytes of a JSON document.
async fn measure(body: Bytes) -> (StatusCode, String) {
    match serde_json::from_slice::<serde::de::IgnoredAny>(&body) {
        Ok(_) => (StatusCode::OK, body.len().to_string()),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    }
}

async fn hooks(http2: bool, identity: &Identity, stop: &CancellationToken) -> SocketAddr {
    let router = axum::Router::new().route("/measure", post(measure));
    let metrics = Metrics::new("controller", "1", None);
    let settings = webhook_settings(http2);
    let options = tls::Options::default();
    let ends = Ends::at_once(stop);
    let serving = webhooks(&settings, &options, identity, router, &metrics, &ends);
    serving.await.unwrap().address
}
