// SPDX-License-Identifier: Apache-2.0
//! Who writes: an election on a `Lease` (coordination.k8s.io/v1).
//!
//! The leader renews; its gate's deadline is the moment its last good renewal was *sent* plus the lease's
//! duration, by the local monotonic clock, so it stops before anybody else can begin. Another waits the
//! duration out from when it first *saw* the newest renewal: no two clocks are ever compared. The times
//! in the object are for people. Where RBAC grants no Lease there is one writer by assumption.
//!
//! Not covered: a machine that is suspended with its monotonic clock. A write of the former leader that
//! is late all the same still carries the resourceVersion it was decided on, and is refused where the new
//! leader wrote meanwhile.

mod record;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error,
    gate::{Gate, GateKeeper, State, gate},
    request,
};
use record::Record;

const API_VERSION: &str = "coordination.k8s.io/v1";

/// How long everything must be refused, without a break, before a Lease counts as not granted: an API
/// server that just started refuses everybody for a moment. A process that had one before waits longer,
/// for it has more reason to doubt, and others may lead meanwhile.
const REFUSED_FOR: Duration = Duration::from_secs(2);
const REFUSED_AFTER_A_GRANT: Duration = Duration::from_secs(60);

/// How often it is asked meanwhile.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// How often a process without a Lease looks whether it is granted by now.
const RECHECK: Duration = Duration::from_secs(15);

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
    /// Whether this process ever held the lease.
    granted: AtomicBool,
}

/// Where the election stands.
enum Stand {
    /// We do not hold it; what we last saw of who does, since when.
    Out(Option<(Record, Instant)>),
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

    async fn try_to_lead(&self, seen: Option<(Record, Instant)>) -> (Stand, Duration) {
        let asked = Instant::now();
        let lease = match self.read().await {
            Ok(lease) => lease,
            Err(error) if error.is_not_found() => return self.create(asked).await,
            Err(error) if error.is_forbidden() => return self.refused(&error).await,
            Err(error) => {
                tracing::warn!(%error, "the lease cannot be read");
                return (Stand::Out(seen), self.options.retry);
            }
        };
        let record = Record::of(&lease);
        let since = match seen {
            Some((old, since)) if old == record => since,
            _ => Instant::now(),
        };
        let free_at = since + record.duration(self.options.duration);
        if record.is_held_by_other_than(&self.options.identity) && Instant::now() < free_at {
            self.tell(Leadership::Waiting {
                holder: Some(record.holder.clone()),
            });
            let pause = (self.options.retry / 2).min(free_at - Instant::now());
            return (
                Stand::Out(Some((record, since))),
                pause.max(Duration::from_millis(1)),
            );
        }
        self.take(lease, record, since).await
    }

    async fn take(&self, mut lease: Value, record: Record, since: Instant) -> (Stand, Duration) {
        record::take(&mut lease, &self.options, record.transitions + 1);
        let asked = Instant::now();
        match self.write(&lease).await {
            Ok(lease) => self.lead(lease, asked),
            Err(error) if error.is_forbidden() => self.refused(&error).await,
            Err(error) => {
                tracing::info!(%error, "the lease could not be taken");
                (Stand::Out(Some((record, since))), self.options.retry / 2)
            }
        }
    }

    async fn create(&self, asked: Instant) -> (Stand, Duration) {
        let lease = record::new(&self.options, self.cluster.namespace());
        let path = request::collection(API_VERSION, Some(self.cluster.namespace()), "leases");
        let request = match request::post(path, &lease) {
            Ok(request) => request,
            Err(error) => return self.failed(&error),
        };
        match self.cluster.call(request, self.limit()).await {
            Ok(lease) => self.lead(lease, asked),
            Err(error) if error.is_forbidden() => self.refused(&error).await,
            // Somebody was faster: read theirs.
            Err(error) if error.is_conflict() => (Stand::Out(None), Duration::from_millis(50)),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &Error) -> (Stand, Duration) {
        tracing::warn!(%error, "the lease could not be created");
        (Stand::Out(None), self.options.retry)
    }

    fn lead(&self, lease: Value, asked: Instant) -> (Stand, Duration) {
        self.granted.store(true, Ordering::Relaxed);
        self.keeper
            .open(State::Until(asked + self.options.duration));
        self.tell(Leadership::Leading);
        (Stand::In(lease, asked), self.options.retry)
    }

    // --- not allowed to

    /// Refused once: for good only if it stays so for a while. Nothing is written meanwhile.
    async fn refused(&self, error: &Error) -> (Stand, Duration) {
        let begun = Instant::now();
        let doubt = match self.granted.load(Ordering::Relaxed) {
            true => REFUSED_AFTER_A_GRANT,
            false => REFUSED_FOR,
        };
        while begun.elapsed() < doubt {
            tokio::select! {
                () = self.stop.cancelled() => return (Stand::Out(None), Duration::ZERO),
                () = tokio::time::sleep(ASK_AGAIN) => {}
            }
            match self.is_granted().await {
                Ok(false) => {}
                // A quota or a policy may refuse what the rules grant.
                Ok(true) => {
                    tracing::warn!(%error, "the lease was refused; the rules grant it by now");
                    return (Stand::Out(None), self.options.retry / 4);
                }
                // Nobody answering refuses nothing.
                Err(_) => return (Stand::Out(None), Duration::ZERO),
            }
        }
        tracing::warn!(%error, "no Lease is granted to us: there must be one writer alone");
        self.keeper.open(State::Always);
        self.tell(Leadership::Unneeded);
        (Stand::Forbidden, RECHECK)
    }

    async fn look_again(&self) -> (Stand, Duration) {
        if !matches!(self.is_granted().await, Ok(true)) {
            return (Stand::Forbidden, RECHECK);
        }
        tracing::info!("a Lease is granted to us by now: elections begin");
        self.keeper.close();
        self.tell(Leadership::Waiting { holder: None });
        (Stand::Out(None), Duration::ZERO)
    }

    /// Whether everything an election takes is granted.
    async fn is_granted(&self) -> Result<bool, Error> {
        for verb in ["get", "create", "update"] {
            // RBAC cannot bind `create` to a name.
            let name = if verb == "create" {
                ""
            } else {
                &self.options.name
            };
            let access = crate::Access {
                verb: verb.into(),
                group: "coordination.k8s.io".into(),
                resource: "leases".into(),
                namespace: self.cluster.namespace().into(),
                name: name.into(),
                ..crate::Access::default()
            };
            if !self.cluster.may(&access).await? {
                return Ok(false);
            }
        }
        Ok(true)
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
            Ok(now) => self.lost(Some(Record::of(&now).holder)),
            Err(error) if error.is_not_found() => self.lost(None),
            Err(error) => self.keep_trying(lease, renewed, &error),
        }
    }

    fn keep_trying(&self, lease: Value, renewed: Instant, error: &Error) -> (Stand, Duration) {
        tracing::warn!(%error, "the lease could not be renewed");
        if renewed.elapsed() >= self.options.renew {
            return self.lost(None);
        }
        (Stand::In(lease, renewed), self.options.retry / 4)
    }

    fn lost(&self, holder: Option<String>) -> (Stand, Duration) {
        tracing::warn!(?holder, "we lead no longer");
        self.keeper.close();
        self.tell(Leadership::Waiting { holder });
        (Stand::Out(None), Duration::ZERO)
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
        self.cluster
            .call(request::get(self.path())?, self.limit())
            .await
    }

    async fn write(&self, lease: &Value) -> Result<Value, Error> {
        self.cluster
            .call(request::put(self.path(), lease)?, self.limit())
            .await
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
