// SPDX-License-Identifier: Apache-2.0
//! `/healthz` and `/readyz`.

use std::borrow::Cow;

use axum::{Router, extract::State, routing::get};
use hyper::StatusCode;
use tokio::sync::watch;

/// Whether a role is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It does what it is there for.
    Ready,
    /// It does not yet, and what it waits for.
    Waiting(Cow<'static, str>),
}

/// A process that answers is alive; whether it is ready, `readiness` says.
pub(super) fn router(readiness: watch::Receiver<Readiness>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(readiness)
}

async fn ready(State(readiness): State<watch::Receiver<Readiness>>) -> (StatusCode, String) {
    match &*readiness.borrow() {
        Readiness::Ready => (StatusCode::OK, "ok\n".to_owned()),
        Readiness::Waiting(what) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {what}\n"),
        ),
    }
}
