// SPDX-License-Identifier: Apache-2.0
//! `/healthz` and `/readyz`.

use std::{collections::BTreeSet, fmt};

use axum::{Router, extract::State, routing::get};
use hyper::StatusCode;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Something a role needs before it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// The manifests of a folder, read once.
    Manifests,
    /// The API server, and what it says of this process.
    ApiServer,
    /// Every object of a kind.
    List(&'static str),
    /// What webhooks are served with.
    Certificate,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("waiting for ")?;
        match self {
            Self::Manifests => f.write_str("the manifests"),
            Self::ApiServer => f.write_str("the API server to answer"),
            Self::List(kind) => write!(f, "the first list of {kind}"),
            Self::Certificate => f.write_str("the webhooks' certificate"),
        }
    }
}

/// What a role still needs; with nothing left it is ready.
pub type Waits = BTreeSet<Wait>;

/// A process that answers is alive; whether it is ready, `waits` says, and from `stop` on it is not.
pub(super) fn router(waits: watch::Receiver<Waits>, stop: &CancellationToken) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state((waits, stop.clone()))
}

type Readiness = (watch::Receiver<Waits>, CancellationToken);

async fn ready(State((waits, stop)): State<Readiness>) -> (StatusCode, String) {
    if stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "ending\n".to_owned());
    }
    let waits = waits.borrow();
    if waits.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let lines = waits.iter().map(|wait| format!("{wait}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}
