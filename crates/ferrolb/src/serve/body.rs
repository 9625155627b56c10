// SPDX-License-Identifier: Apache-2.0
//! Reading a request's body within bounds: its own size, the time its sender takes, and the sum of all
//! that are held. The first part of each body has memory of its own, so a small one never waits for the
//! rest of large ones.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{
    StatusCode,
    body::{Body as _, Frame},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// The largest body: the API server itself sends no more than 3 MiB.
pub(super) const LARGEST: usize = 8 * 1024 * 1024;
/// A small body; most are of a few KiB.
pub(crate) const SMALL: usize = 256 * 1024;
/// Bodies held at a time.
const TOGETHER: usize = 64;
/// How many of them may be larger.
const LARGE_TOGETHER: usize = 2;
/// How much of a body that is too large is read and thrown away, so that the sender reads the answer.
const PATIENCE: usize = 2 * LARGEST;
/// How long the sender of a body may take in all: an API server sends it at once, and gives up after 10 s.
const SENDING: Duration = Duration::from_secs(5);

/// The memory for bodies. A share is taken whole: who held a part and waited for more would hold up others
/// who do the same.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A body and the memory it takes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    /// Given back with the body.
    pub(super) room: Room,
}

/// Memory that is taken.
#[derive(Debug)]
pub(crate) struct Room {
    _small: OwnedSemaphorePermit,
    large: Option<OwnedSemaphorePermit>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            small: Arc::new(Semaphore::new(TOGETHER)),
            large: Arc::new(Semaphore::new(LARGE_TOGETHER)),
        }
    }
}

impl Memory {
    /// Reads a whole body. A sender that is slow holds no more than it has sent, and not for long.
    pub(super) async fn read(&self, body: Body) -> Result<Held, StatusCode> {
        if body.size_hint().lower() > PATIENCE as u64 {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let mut sender = Sender::new(body);
        let mut room = Room {
            _small: share(&self.small).await?,
            large: None,
        };
        let mut bytes = BytesMut::new();
        while let Some(frame) = sender.next().await? {
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let size = bytes.len() + data.len();
            if size > LARGEST {
                drop((bytes, room));
                sender.skip().await;
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            if size > SMALL && room.large.is_none() {
                room.large = Some(share(&self.large).await?);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Held {
            bytes: bytes.freeze(),
            room,
        })
    }
}

/// Waits no longer for a share than others may keep one while they send.
async fn share(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StatusCode> {
    let share = timeout(SENDING, Arc::clone(of).acquire_owned()).await;
    // It is never closed.
    share
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

/// Who sends a body, and the time left to them. What they wait for us does not count.
struct Sender {
    body: Body,
    left: Duration,
}

impl Sender {
    fn new(body: Body) -> Self {
        let left = SENDING;
        Self { body, left }
    }

    async fn next(&mut self) -> Result<Option<Frame<Bytes>>, StatusCode> {
        let asked = Instant::now();
        let frame = timeout(self.left, self.body.frame()).await;
        self.left = self.left.saturating_sub(asked.elapsed());
        match frame {
            Ok(frame) => frame.transpose().map_err(|_| StatusCode::BAD_REQUEST),
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        }
    }

    async fn skip(mut self) {
        let mut left = PATIENCE - LARGEST;
        while let Ok(Some(frame)) = self.next().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(size) else {
                return;
            };
            left = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt as _, stream};

    use super::*;

    /// A body that begins like this and never ends.
    fn endless(begin: usize) -> Body {
        let begin = Ok::<_, std::io::Error>(Bytes::from(vec![b' '; begin]));
        Body::from_stream(stream::iter([begin]).chain(stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_comes_in_time_or_not_at_all() {
        let memory = Memory::default();
        let begun = Instant::now();
        for size in [0, 1, SMALL + 1] {
            let read = memory.read(endless(size)).await;
            assert_eq!(read.unwrap_err(), StatusCode::REQUEST_TIMEOUT);
        }
        let trickle = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        });
        let read = memory.read(Body::from_stream(trickle)).await;
        assert_eq!(read.unwrap_err(), StatusCode::REQUEST_TIMEOUT);
        assert!(begun.elapsed() <= 4 * SENDING + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_body_waits_for_no_large_one() {
        let memory = Memory::default();
        let large = || Body::from(vec![b' '; LARGEST]);
        let held = [memory.read(large()).await, memory.read(large()).await];
        let third = memory.read(large()).await;
        let refused = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(third.unwrap_err(), refused, "two at a time");
        let small = timeout(Duration::ZERO, memory.read(Body::from("{}"))).await;
        assert_eq!(&*small.expect("at once").expect("taken").bytes, b"{}");
        drop(held);
        assert!(memory.read(large()).await.is_ok());
    }
}
