// SPDX-License-Identifier: Apache-2.0
//! The places of a listener: how many connections it has at a time, what each is doing, and which has to
//! make room for the next when all places are taken.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::server::Bounds;

/// The places of a listener.
pub(super) struct Places {
    free: Arc<Semaphore>,
    taken: Mutex<Vec<Arc<Seen>>>,
    /// Time without a request after which a connection may have to make room.
    spare: Duration,
}

/// A place of a connection, free again once this is dropped.
pub(super) struct Place {
    pub(super) seen: Arc<Seen>,
    places: Arc<Places>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let seen = &self.seen;
        self.places
            .with(|taken| taken.retain(|other| !Arc::ptr_eq(other, seen)));
    }
}

impl Places {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(bounds.connections)),
            taken: Mutex::default(),
            spare: bounds.spare,
        })
    }

    /// A place, once one is free. While none is, the connections that have been idle longest have to go,
    /// one after the other.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        let free = Arc::clone(&self.free).acquire_owned();
        let permit = tokio::select! {
            biased;
            // The semaphore is never closed.
            Ok(permit) = free => permit,
            never = self.make_room() => match never {},
        };
        let seen = Arc::new(Seen::new());
        self.with(|taken| taken.push(Arc::clone(&seen)));
        Place {
            seen,
            places: Arc::clone(self),
            _permit: permit,
        }
    }

    async fn make_room(&self) -> std::convert::Infallible {
        loop {
            let longest = self.with(|taken| {
                let idle = taken
                    .iter()
                    .filter_map(|seen| Some((seen.idle_since()?, seen)));
                let longest = idle.min_by_key(|(since, _)| *since);
                longest.map(|(since, seen)| (since, Arc::clone(seen)))
            });
            match longest {
                Some((since, seen)) if since.elapsed() >= self.spare => seen.oust.cancel(),
                Some((since, _)) => {
                    sleep_until(since + self.spare).await;
                    continue;
                }
                None => {}
            }
            sleep(self.spare).await;
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Arc<Seen>>) -> T) -> T {
        act(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a connection is doing.
pub(super) struct Seen {
    activity: Mutex<Activity>,
    /// The connection has to make room.
    oust: CancellationToken,
}

struct Activity {
    /// Since when each request that is not whole yet is on its way.
    arriving: Vec<Instant>,
    under_way: usize,
    last: Instant,
    good: bool,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self {
            activity: Mutex::new(Activity {
                arriving: Vec::new(),
                under_way: 0,
                last: Instant::now(),
                good: false,
            }),
            oust: CancellationToken::new(),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Activity) -> T) -> T {
        act(&mut self.activity.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hands are shaken: the time for a request begins.
    pub(super) fn shaken(&self) {
        self.with(|activity| activity.last = Instant::now());
    }

    /// The head of a request is there.
    pub(super) fn begin(self: &Arc<Self>) -> Arc<Asked> {
        let since = Instant::now();
        self.with(|activity| activity.arriving.push(since));
        Arc::new(Asked {
            seen: Arc::clone(self),
            since,
            stage: Mutex::new(Stage::Arriving),
        })
    }

    /// Whether no request is under way. One that is not whole is not: it costs its sender nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.with(|activity| activity.under_way == 0)
    }

    /// Since when there has been no whole request, of a connection that was not told to make room yet. What
    /// arrives of one in the meantime does not count, or a trickle would hold the place.
    fn idle_since(&self) -> Option<Instant> {
        let since = self.with(|activity| {
            let oldest = activity.arriving.iter().min().copied();
            oldest.unwrap_or(activity.last)
        });
        (self.is_idle() && !self.oust.is_cancelled()).then_some(since)
    }

    /// Ends when the connection has to make room. One with a request under way by then is to end it.
    pub(super) async fn ousted(&self) {
        self.oust.cancelled().await;
    }

    /// Ends when the connection has had no request for too long.
    pub(super) async fn forsaken(&self, bounds: Bounds) {
        loop {
            let now = Instant::now();
            let at = self.with(|activity| {
                let limit = if activity.good {
                    bounds.idle
                } else {
                    bounds.head
                };
                // A request has a bound of its own.
                match activity.under_way == 0 && activity.arriving.is_empty() {
                    true => activity.last + limit,
                    false => now + limit,
                }
            });
            if at <= now {
                return;
            }
            sleep_until(at).await;
        }
    }
}

/// A request of a connection, from its head to its answer.
pub(super) struct Asked {
    seen: Arc<Seen>,
    since: Instant,
    stage: Mutex<Stage>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Arriving,
    UnderWay,
    Ended,
}

impl Asked {
    /// All of it is there.
    pub(super) fn is_whole(&self) {
        if self.moves_on(Stage::UnderWay) == Stage::Arriving {
            self.seen.with(|activity| activity.under_way += 1);
        }
    }

    /// It is answered, or nobody waits for that any more.
    pub(super) fn end(&self, good: bool) {
        let before = self.moves_on(Stage::Ended);
        self.seen.with(|activity| {
            if before == Stage::UnderWay {
                activity.under_way = activity.under_way.saturating_sub(1);
            }
            if before != Stage::Ended {
                activity.last = Instant::now();
                activity.good = good;
            }
        });
    }

    /// Goes to a later stage; gives the one before.
    fn moves_on(&self, to: Stage) -> Stage {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *stage;
        if before == Stage::Ended || before == to {
            return before;
        }
        *stage = to;
        if before == Stage::Arriving {
            self.seen.with(|activity| {
                let ours = activity.arriving.iter().position(|one| *one == self.since);
                ours.map(|at| activity.arriving.swap_remove(at))
            });
        }
        before
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// A body that tells when all of it is there.
pub(super) struct Arriving {
    body: Incoming,
    asked: Arc<Asked>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, asked: &Arc<Asked>) -> Self {
        let asked = Arc::clone(asked);
        if body.is_end_stream() {
            asked.is_whole();
        }
        Self { body, asked }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.asked.is_whole();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
