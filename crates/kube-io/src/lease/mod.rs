// SPDX-License-Identifier: Apache-2.0
//! Who writes: an election on a `Lease` (coordination.k8s.io/v1).
//!
//! The leader renews; its gate's deadline is the moment its last good renewal was *sent* plus the lease's
//! duration, by the local monotonic clock, so it stops before anybody else can begin. Another waits the
//! duration out from when it first *saw* the newest renewal: no two clocks are ever compared. The times
//! in the object are for people. Where RBAC grants no Lease there is one writer by assumption.
//!
//! A Lease that was deleted frees nobody of waiting: its leader lives on until its next renewal tells it,
//! and then makes it anew at once. Who saw it waits the duration out from when it first saw it gone. A
//! process that never saw one makes it at once, as a first install wants.
//!
//! Not covered: a machine that is suspended with its monotonic clock. A write of the former leader that
//! is late all the same still carries the resourceVersion it was decided on, and is refused where the new
//! leader wrote meanwhile.

mod record;
mod rights;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http::Request;
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error,
    gate::{Gate, GateKeeper, State, gate},
    request,
};
use record::{Record, Seen};

const API_VERSION: &str = "coordination.k8s.io/v1";

/// Longest time the release at the end may take.
const RELEASE: Duration = Duration::from_secs(2);

/// The lease and its times.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// Name of the Lease, in our namespace.
    pub name: String,
    /// Who we are; no other process may ever have the same ([`identity`]).
    pub identity: String,
    /// How long a renewal holds.
    pub duration: Duration,
    /// How long renewing may fail before the leader gives up.
    pub renew: Duration,
    /// Time between renewals. Who waits looks twice as often.
    pub retry: Duration,
}

impl LeaseOptions {
    /// The default times: 12 s, 8 s, 2 s. With who waits looking every second, another leads at most
    /// 13 s after the last renewal and has listed everything before 15 s are over.
    #[must_use]
    pub fn new(name: impl Into<String>, identity: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            identity: identity.into(),
            duration: Duration::from_secs(12),
            renew: Duration::from_secs(8),
            retry: Duration::from_secs(2),
        }
    }
}

/// An identity for this process: `<pod>_<random>`.
///
/// # Errors
/// [`Error::Random`] where the system gives no random bytes.
pub fn identity(pod: &str) -> Result<String, Error> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| Error::Random(error.to_string()))?;
    Ok(format!("{pod}_{:016x}", u64::from_be_bytes(bytes)))
}

/// Whether we lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// Somebody else does, or nobody is known to.
    Waiting {
        /// Who holds the lease, as far as we know.
        holder: Option<String>,
    },
    /// We do.
    Leading,
    /// RBAC grants us no Lease: there is one writer, by assumption us.
    Unneeded,
}

/// The election.
#[derive(Debug)]
pub struct Election {
    cluster: Cluster,
    options: LeaseOptions,
    told: watch::Sender<Leadership>,
    keeper: GateKeeper,
    stop: CancellationToken,
    /// Whether this process ever read or wrote the lease.
    granted: AtomicBool,
}

/// Where the election stands.
enum Stand {
    /// We do not hold it; what we last saw of who does.
    Out(Option<Seen>),
    /// We hold it, as this object says; renewed by a request sent then.
    In(Value, Instant),
    /// We may not.
    Forbidden,
}

impl Election {
    /// Begins. The task ends after `stop`, once nobody is inside the gate and the lease is released.
    #[must_use]
    pub fn start(
        cluster: &Cluster,
        options: LeaseOptions,
        stop: &CancellationToken,
    ) -> (watch::Receiver<Leadership>, Gate, JoinHandle<()>) {
        let (told, leadership) = watch::channel(Leadership::Waiting { holder: None });
        let (keeper, gate) = gate();
        let election = Self {
            cluster: cluster.clone(),
            options,
            told,
            keeper,
            stop: stop.clone(),
            granted: AtomicBool::new(false),
        };
        (leadership, gate, tokio::spawn(election.run()))
    }

    async fn run(self) {
        let stop = self.stop.clone();
        let mut stand = Stand::Out(None);
        loop {
            let (next, pause) = self.turn(stand).await;
            stand = next;
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.leave(stand).await;
    }

    /// One step, and how long to wait until the next one. It ends early, with nothing lost, at `stop`:
    /// every request in it has a limit of its own.
    async fn turn(&self, stand: Stand) -> (Stand, Duration) {
        match stand {
            Stand::Out(seen) => self.try_to_lead(seen).await,
            Stand::In(lease, renewed) => self.renew(lease, renewed).await,
            Stand::Forbidden => self.look_again().await,
        }
    }

    // --- not holding it

    async fn try_to_lead(&self, seen: Option<Seen>) -> (Stand, Duration) {
        match self.read().await {
            Ok(lease) => self.found(lease, seen).await,
            Err(error) if error.is_not_found() => self.missing(seen).await,
            Err(error) if error.is_forbidden() => self.refused(&error, seen).await,
            Err(error) => {
                tracing::warn!(%error, "the lease cannot be read");
                (Stand::Out(seen), self.options.retry)
            }
        }
    }

    async fn found(&self, lease: Value, seen: Option<Seen>) -> (Stand, Duration) {
        let record = Record::of(&lease);
        let transitions = record.transitions + 1;
        let seen = Seen::shown(seen, record, &self.options);
        match seen.left(&self.options) {
            Some(left) => self.wait(seen, left),
            None => self.take(lease, transitions, seen).await,
        }
    }

    async fn missing(&self, seen: Option<Seen>) -> (Stand, Duration) {
        let Some(seen) = seen else {
            return self.create(None).await;
        };
        let seen = seen.gone(&self.options);
        match seen.left(&self.options) {
            Some(left) => self.wait(seen, left),
            None => self.create(Some(seen)).await,
        }
    }

    /// Another may still take itself for the leader for so long.
    fn wait(&self, seen: Seen, left: Duration) -> (Stand, Duration) {
        self.tell(Leadership::Waiting {
            holder: seen.holder(),
        });
        let pause = (self.options.retry / 2).min(left);
        (Stand::Out(Some(seen)), pause.max(Duration::from_millis(1)))
    }

    async fn take(&self, mut lease: Value, transitions: i64, seen: Seen) -> (Stand, Duration) {
        record::take(&mut lease, &self.options, transitions);
        let asked = Instant::now();
        match self.write(&lease).await {
            Ok(lease) => self.lead(lease, asked),
            Err(error) if error.is_forbidden() => self.refused(&error, Some(seen)).await,
            Err(error) => {
                tracing::info!(%error, "the lease could not be taken");
                (Stand::Out(Some(seen)), self.options.retry / 2)
            }
        }
    }

    async fn create(&self, seen: Option<Seen>) -> (Stand, Duration) {
        let lease = record::new(&self.options, self.cluster.namespace());
        let path = request::collection(API_VERSION, Some(self.cluster.namespace()), "leases");
        let asked = Instant::now();
        let made = match request::post(path, &lease) {
            Ok(request) => self.call(request).await,
            Err(error) => Err(error),
        };
        match made {
            Ok(lease) => self.lead(lease, asked),
            Err(error) if error.is_forbidden() => self.refused(&error, seen).await,
            // Somebody was faster: read theirs. It counts although it may be gone by then.
            Err(error) if error.is_conflict() => {
                let somebody = Seen::somebody(self.options.duration);
                (Stand::Out(Some(somebody)), Duration::from_millis(50))
            }
            Err(error) => {
                tracing::warn!(%error, "the lease could not be created");
                (Stand::Out(seen), self.options.retry)
            }
        }
    }

    fn lead(&self, lease: Value, asked: Instant) -> (Stand, Duration) {
        self.keeper
            .open(State::Until(asked + self.options.duration));
        self.tell(Leadership::Leading);
        (Stand::In(lease, asked), self.options.retry)
    }

    // --- holding it

    async fn renew(&self, mut lease: Value, renewed: Instant) -> (Stand, Duration) {
        record::renew(&mut lease);
        let asked = Instant::now();
        match self.write(&lease).await {
            Ok(lease) => {
                self.keeper
                    .open(State::Until(asked + self.options.duration));
                (Stand::In(lease, asked), self.options.retry)
            }
            Err(error) if error.is_conflict() || error.is_not_found() => {
                self.contested(lease, renewed).await
            }
            Err(error) => self.keep_trying(lease, renewed, &error),
        }
    }

    /// Somebody wrote the lease: perhaps a label, perhaps a new holder, perhaps our own write whose answer was lost.
    async fn contested(&self, lease: Value, renewed: Instant) -> (Stand, Duration) {
        match self.read().await {
            Ok(now) if Record::of(&now).holder == self.options.identity => {
                (Stand::In(now, renewed), Duration::ZERO)
            }
            Ok(now) => {
                let seen = Seen::shown(None, Record::of(&now), &self.options);
                self.lost(seen)
            }
            Err(error) if error.is_not_found() => self.lost(self.ours(&lease, renewed)),
            Err(error) => self.keep_trying(lease, renewed, &error),
        }
    }

    fn keep_trying(&self, lease: Value, renewed: Instant, error: &Error) -> (Stand, Duration) {
        tracing::warn!(%error, "the lease could not be renewed");
        if renewed.elapsed() >= self.options.renew {
            return self.lost(self.ours(&lease, renewed));
        }
        (Stand::In(lease, renewed), self.options.retry / 4)
    }

    /// Our own record: until it has run out nobody else can lead, whatever became of the Lease.
    fn ours(&self, lease: &Value, renewed: Instant) -> Seen {
        Seen::since(Record::of(lease), renewed, &self.options)
    }

    fn lost(&self, seen: Seen) -> (Stand, Duration) {
        let holder = seen
            .holder()
            .filter(|holder| *holder != self.options.identity);
        tracing::warn!(?holder, "we lead no longer");
        self.keeper.close();
        self.tell(Leadership::Waiting { holder });
        (Stand::Out(Some(seen)), Duration::ZERO)
    }

    // --- the end

    async fn leave(&self, stand: Stand) {
        self.keeper.close();
        self.tell(Leadership::Waiting { holder: None });
        let Stand::In(mut lease, _) = stand else {
            return;
        };
        // Free for another only when nothing of ours can still arrive.
        if !self.keeper.empty(crate::write::LIMIT).await {
            return;
        }
        record::release(&mut lease);
        match tokio::time::timeout(RELEASE, self.write(&lease)).await {
            Ok(Ok(_)) => tracing::info!("the lease is released"),
            Ok(Err(error)) => tracing::warn!(%error, "the lease could not be released"),
            Err(_) => tracing::warn!("the lease could not be released in time"),
        }
    }

    // --- requests

    async fn read(&self) -> Result<Value, Error> {
        self.call(request::get(self.path())?).await
    }

    async fn write(&self, lease: &Value) -> Result<Value, Error> {
        self.call(request::put(self.path(), lease)?).await
    }

    /// Whoever was served with a Lease may be refused it for a moment alone, and others may lead meanwhile.
    async fn call(&self, request: Request<Vec<u8>>) -> Result<Value, Error> {
        let lease = self.cluster.call(request, self.limit()).await?;
        self.granted.store(true, Ordering::Relaxed);
        Ok(lease)
    }

    fn path(&self) -> String {
        request::object(
            API_VERSION,
            Some(self.cluster.namespace()),
            "leases",
            &self.options.name,
        )
    }

    /// Short enough to try again before giving up.
    fn limit(&self) -> Duration {
        (self.options.renew / 2).max(Duration::from_millis(200))
    }

    fn tell(&self, now: Leadership) {
        self.told.send_if_modified(|told| {
            let changed = *told != now;
            if changed {
                tracing::info!(leadership = ?now, "leadership");
                *told = now;
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests;
