// SPDX-License-Identifier: Apache-2.0
//! Reading a request's body within bounds: its own size, and the sum of all that are held.

use std::sync::Arc;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{StatusCode, body::Body as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The largest body: the API server itself sends no more than 3 MiB.
pub(super) const LARGEST: usize = 8 * 1024 * 1024;
/// All bodies held at a time.
const TOGETHER: usize = 32 * 1024 * 1024;
/// How much of a body that is too large is read and thrown away, so that the sender reads the answer.
const PATIENCE: usize = 2 * LARGEST;
/// What memory is counted in.
const UNIT: usize = 1024;

/// The memory for bodies.
#[derive(Clone, Debug)]
pub(super) struct Memory(Arc<Semaphore>);

/// A body and the memory it takes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    /// Given back with the body.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TOGETHER / UNIT)))
    }
}

impl Memory {
    /// Reads a whole body. A sender that is slow holds no more than it has sent.
    pub(super) async fn read(&self, mut body: Body) -> Result<Held, StatusCode> {
        let told = body.size_hint().lower();
        if told > PATIENCE as u64 {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let (mut bytes, mut room, mut units) = (BytesMut::new(), None, 0);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err(StatusCode::BAD_REQUEST);
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if bytes.len() + data.len() > LARGEST {
                drop((bytes, room));
                skip(body).await;
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            let more = (bytes.len() + data.len()).div_ceil(UNIT) - units;
            self.take(&mut room, more).await?;
            units += more;
            bytes.extend_from_slice(&data);
        }
        Ok(Held {
            bytes: bytes.freeze(),
            room,
        })
    }

    async fn take(
        &self,
        room: &mut Option<OwnedSemaphorePermit>,
        units: usize,
    ) -> Result<(), StatusCode> {
        let units = u32::try_from(units).map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let taken = Arc::clone(&self.0).acquire_many_owned(units).await;
        let taken = taken.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        match room {
            Some(room) => room.merge(taken),
            None => *room = Some(taken),
        }
        Ok(())
    }
}

async fn skip(mut body: Body) {
    let mut left = PATIENCE - LARGEST;
    while let Some(Ok(frame)) = body.frame().await {
        let size = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(size) else {
            return;
        };
        left = rest;
    }
}
