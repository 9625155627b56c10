// SPDX-License-Identifier: Apache-2.0
//! The webhooks' listener: whatever router is given, behind bounds.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use hyper::StatusCode;

use super::body::{LARGEST, Memory};

/// `router` with every body read within bounds before it sees the request. What works on a body beyond the
/// request holds its `Arc<Room>`, an extension of the request, for as long.
pub(super) fn bounded(router: Router) -> Router {
    router
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Memory::default(), read_whole))
}

async fn read_whole(State(memory): State<Memory>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let held = match memory.read(body).await {
        Ok(held) => held,
        Err(StatusCode::PAYLOAD_TOO_LARGE) => {
            let words = format!("a body of more than {LARGEST} bytes is not taken\n");
            return (StatusCode::PAYLOAD_TOO_LARGE, words).into_response();
        }
        Err(status) => return status.into_response(),
    };
    let mut request = Request::from_parts(head, Body::from(held.bytes));
    request.extensions_mut().insert(Arc::new(held.room));
    next.run(request).await
}
