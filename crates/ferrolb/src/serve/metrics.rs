// SPDX-License-Identifier: Apache-2.0
//! `/metrics` and `/status`, for those who may.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use ferrolb_telemetry::text::CONTENT_TYPE;
use hyper::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE as TYPE, WWW_AUTHENTICATE},
};

use super::{Ask, Authorise, Later, Verdict};

/// The header of a token that came through the API server, which keeps `Authorization` for itself.
pub const STATUS_TOKEN: &str = "x-ferrolb-token";
/// Whom such a token must be meant for.
pub const STATUS_AUDIENCE: &str = "ferrolb.io/status";

/// What a process tells those who may ask. Must end in bounded time.
pub trait Tell: Send + Sync + 'static {
    /// The metrics, in the text format.
    fn metrics(&self) -> Later<'_, String>;
    /// The state, as JSON.
    fn status(&self) -> Later<'_, String>;
}

#[derive(Clone)]
struct Desk {
    authorise: Arc<dyn Authorise>,
    tell: Arc<dyn Tell>,
}

pub(super) fn router(authorise: Arc<dyn Authorise>, tell: Arc<dyn Tell>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .with_state(Desk { authorise, tell })
}

async fn metrics(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    if let Err(refusal) = desk.let_pass(bearer(&headers), None, "/metrics").await {
        return refusal;
    }
    ([(TYPE, CONTENT_TYPE)], desk.tell.metrics().await).into_response()
}

async fn status(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    let passed_on = headers
        .get(STATUS_TOKEN)
        .and_then(|token| token.to_str().ok());
    let (token, audience) = match passed_on {
        Some(token) => (Some(token), Some(STATUS_AUDIENCE)),
        None => (bearer(&headers), None),
    };
    if let Err(refusal) = desk.let_pass(token, audience, "/status").await {
        return refusal;
    }
    let headers = [(TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (headers, desk.tell.status().await).into_response()
}

/// The token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Desk {
    async fn let_pass(
        &self,
        token: Option<&str>,
        audience: Option<&'static str>,
        path: &'static str,
    ) -> Result<(), Response> {
        let verdict = match token.filter(|token| !token.is_empty()) {
            None => Verdict::Unauthenticated,
            Some(token) => {
                let ask = Ask {
                    token,
                    audience,
                    verb: "get",
                    path,
                };
                self.authorise.authorise(ask).await
            }
        };
        match verdict {
            Verdict::Allowed => Ok(()),
            Verdict::Unauthenticated => {
                let challenge = [(WWW_AUTHENTICATE, "Bearer")];
                Err((
                    StatusCode::UNAUTHORIZED,
                    challenge,
                    "a known token is needed\n",
                )
                    .into_response())
            }
            Verdict::Forbidden => {
                let words = format!("the holder of this token may not get {path}\n");
                Err((StatusCode::FORBIDDEN, words).into_response())
            }
            // Why is for our log: a stranger learns nothing of what fails inside.
            Verdict::Unknown(why) => {
                tracing::warn!(path, why, "a token could not be reviewed");
                Err((
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the token cannot be reviewed now\n",
                )
                    .into_response())
            }
        }
    }
}
