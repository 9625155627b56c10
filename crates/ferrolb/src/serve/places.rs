// SPDX-License-Identifier: Apache-2.0
//! The places of a listener: how many connections it has at a time, what each is doing, and which has to
//! make room for the next when all places are taken.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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

#[derive(Clone, Copy)]
struct Activity {
    under_way: usize,
    last: Instant,
    good: bool,
}

impl Seen {
    fn new() -> Self {
        Self {
            activity: Mutex::new(Activity {
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

    pub(super) fn begin(&self) {
        self.with(|activity| activity.under_way += 1);
    }

    pub(super) fn end(&self, good: bool) {
        self.with(|activity| {
            activity.under_way = activity.under_way.saturating_sub(1);
            activity.last = Instant::now();
            activity.good = good;
        });
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.with(|activity| activity.under_way == 0)
    }

    /// Since when there has been no request, of a connection that was not told to make room yet.
    fn idle_since(&self) -> Option<Instant> {
        let last = self.with(|activity| activity.last);
        (self.is_idle() && !self.oust.is_cancelled()).then_some(last)
    }

    /// Ends when the connection has to make room. One with a request under way by then is to end it.
    pub(super) async fn ousted(&self) {
        self.oust.cancelled().await;
    }

    /// Ends when the connection has had no request for too long.
    pub(super) async fn forsaken(&self, bounds: Bounds) {
        loop {
            let Activity {
                under_way,
                last,
                good,
            } = self.with(|activity| *activity);
            let now = Instant::now();
            let limit = if good { bounds.idle } else { bounds.head };
            // A request under way has a bound of its own.
            let at = if under_way > 0 {
                now + limit
            } else {
                last + limit
            };
            if at <= now {
                return;
            }
            sleep_until(at).await;
        }
    }
}
