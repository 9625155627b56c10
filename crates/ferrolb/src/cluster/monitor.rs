// SPDX-License-Identifier: Apache-2.0
//! What a role shows of itself: readiness, metrics, its state, and the verdict on its configuration.

use std::{path::Path, sync::Arc, time::Duration};

use ferrolb_alloc::{Allocator, Counters, Engine};
use ferrolb_api::resource::IPAddressPoolStatus;
use ferrolb_kube_io::{
    Authoriser, Cluster, Told, Watched, WriteFault, Wrote, auth, status::Verdict,
};
use ferrolb_telemetry::{
    Metrics,
    metrics::{PeerLabels, PoolUsage, Protocol, Standing},
};
use ferrolb_types::{ServiceKey, codes};
use ferrolb_world::Announced;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::objects::Objects;
use crate::{
    args::{ClusterRole, Refusal},
    drivers::{bgp, layer2},
    serve::{self, Ask, Authorise, Ends, Later, Tell, Wait, Waits},
    status::{Report, socket},
};

/// How long whoever asks waits for the deciding task and the drivers; less than askers wait for us.
const PATIENCE: Duration = Duration::from_secs(3);

/// A question to the deciding task.
pub(super) type Question = oneshot::Sender<Report>;

/// Where a role shows itself. A clone shows the same.
#[derive(Clone)]
pub(super) struct Monitor {
    pub(super) metrics: Metrics,
    waits: Arc<watch::Sender<Waits>>,
}

/// The drivers that are asked right before a scrape, of a role that announces.
pub(super) struct Drivers {
    pub(super) bgp: mpsc::Sender<bgp::Command>,
    pub(super) layer2: layer2::Handle,
}

impl Monitor {
    /// Opens the listeners of health and metrics, and the status socket where one is named. The role
    /// is ready once [`Self::has`] was told of all `waits`.
    pub(super) async fn start(
        role: &ClusterRole,
        metrics: Metrics,
        cluster: &Cluster,
        drivers: Option<Drivers>,
        questions: mpsc::Sender<Question>,
        waits: Waits,
        ends: &Ends,
    ) -> Result<Self, Refusal> {
        if let Some(path) = &role.socket {
            listen(path, questions.clone(), &ends.stop)?;
        }
        let (waits, shown) = watch::channel(waits);
        let behind = serve::Behind {
            waits: shown,
            authorise: Arc::new(Reviewed(Authoriser::new(cluster))),
            tell: Arc::new(Desk {
                metrics: metrics.clone(),
                drivers,
                questions,
            }),
            metrics: metrics.clone(),
        };
        serve::start(&role.serve, behind, ends).await?;
        Ok(Self {
            metrics,
            waits: Arc::new(waits),
        })
    }

    /// This is there.
    pub(super) fn has(&self, what: Wait) {
        self.progress(|waits| waits.retain(|wait| *wait != what));
    }

    /// Takes note of which first lists are in.
    pub(super) fn has_lists(&self, objects: &Objects) {
        self.progress(|waits| {
            waits.retain(|wait| !matches!(wait, Wait::List(_)));
            waits.extend(objects.missing().map(|kind| Wait::List(kind.kind())));
        });
    }

    /// Once ready a role stays so: a leader that lists anew goes on answering webhooks.
    fn progress(&self, change: impl FnOnce(&mut Waits)) {
        let changed = self.waits.send_if_modified(|waits| {
            if waits.is_empty() {
                return false;
            }
            let before = waits.clone();
            change(waits);
            *waits != before
        });
        if changed {
            let ready = self.waits.borrow().is_empty();
            self.metrics.own().ready.set(ready);
        }
    }

    /// Shows how the configuration stands; says whether that may have changed.
    pub(super) fn configuration(&self, objects: &mut Objects) -> bool {
        let other_kinds = objects.has_news_of_kinds();
        if !objects.has_news() {
            return other_kinds;
        }
        let diagnostics = objects.diagnostics();
        let client = self.metrics.client();
        client.config_loaded.set(objects.is_configured());
        let refused = diagnostics.iter().any(|diagnostic| diagnostic.is_error());
        client.config_stale.set(refused);
        self.metrics.own().tell_faults(&diagnostics);
        for diagnostic in objects.errors_to_log(&diagnostics) {
            tracing::error!("{diagnostic}");
        }
        true
    }

    /// Shows how full the pools are, and how the Services stand: the pools are walked through, the
    /// Services are not.
    pub(super) fn allocation(&self, engine: &Engine) {
        let allocator: &Allocator = engine.allocator();
        self.metrics.tell_pools(
            allocator
                .pools()
                .map(|(name, counters)| usage(name, &counters))
                .collect(),
        );
        self.metrics.own().tell_standing(Standing {
            served: allocator.holding(),
            waiting: engine.pending(),
        });
    }

    /// Counts what was told.
    pub(super) fn told(&self, batch: &[Told]) {
        self.metrics.client().updates.add(batch.len() as u64);
        for told in batch {
            if let Told::Well(kind) = told {
                let reconnects = &self.metrics.own().watch_reconnects;
                reconnects.of([kind.to_string()]).inc();
            }
        }
    }

    /// Counts what was written.
    pub(super) fn wrote(&self, wrote: &Wrote) {
        let result = match &wrote.result {
            Ok(_) => "written",
            Err(WriteFault::Conflict) => "conflict",
            Err(WriteFault::Gone) => "gone",
            Err(WriteFault::Forbidden(_)) => "forbidden",
            Err(WriteFault::NotLeading) => "not-leading",
            Err(WriteFault::Other(_)) => "refused",
        };
        if wrote.result.is_err() {
            self.metrics.client().update_errors.inc();
        }
        self.metrics.own().writes.of(["Service", result]).inc();
    }

    /// Shows no pools any more: they are another's.
    pub(super) fn standing_by(&self) {
        self.metrics.tell_pools(Vec::new());
        self.metrics.own().tell_standing(Standing::default());
    }

    /// Shows what this node announces of a Service.
    pub(super) fn announced(&self, key: &ServiceKey, announced: &Announced) {
        let bgp = announced.bgp.as_ref().map(|bgp| &bgp.addresses);
        let layer2 = announced.layer2.as_ref().map(|layer2| &layer2.addresses);
        let shown = self.metrics.announced();
        for (protocol, addresses) in [(Protocol::Bgp, bgp), (Protocol::Layer2, layer2)] {
            shown.set(key, protocol, addresses.cloned().unwrap_or_default());
        }
    }
}

/// Answers `ferrolb status` on a socket until `stop`.
fn listen(
    path: &Path,
    questions: mpsc::Sender<Question>,
    stop: &CancellationToken,
) -> Result<(), Refusal> {
    let (ask, mut asked) = mpsc::channel::<socket::Question>(8);
    socket::serve(path, ask, stop.clone())?;
    tokio::spawn(async move {
        while let Some(answer) = asked.recv().await {
            let (tell, told) = oneshot::channel();
            if questions.send(tell).await.is_err() {
                return;
            }
            let Ok(report) = told.await else { continue };
            // Whoever asked may have gone.
            let _ = answer.send(serde_json::to_value(report).unwrap_or_default());
        }
    });
    Ok(())
}

/// What a role needs that follows these kinds.
pub(super) fn waits(followed: &[Watched]) -> Waits {
    let lists = followed.iter().map(|kind| Wait::List(kind.kind()));
    lists.chain([Wait::ApiServer]).collect()
}

/// What `ConfigurationState` says: every object that is refused, and every kind that is not installed;
/// before there is a configuration, every kind that cannot be read.
/// Of what is taken, that configuration for FRR is not: other warnings change with every Node.
/// Nothing before anything is known, so that what an earlier process said stands until then.
pub(super) fn verdict(objects: &Objects) -> Option<Verdict> {
    let diagnostics = objects.diagnostics();
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    let mut errors: Vec<String> = errors.map(ToString::to_string).collect();
    let unknown: Vec<String> = match objects.is_configured() {
        true => objects.not_installed().map(|why| why.to_string()).collect(),
        false => objects.troubles().map(|why| why.to_string()).collect(),
    };
    if !errors.is_empty() {
        errors.extend(unknown);
        return Some(Verdict::Invalid(errors));
    }
    if !unknown.is_empty() {
        return Some(Verdict::Unknown(unknown.join("\n")));
    }
    let extras = diagnostics
        .iter()
        .filter(|one| one.code == codes::command::X013);
    let extras: Vec<String> = extras.map(ToString::to_string).collect();
    let is_ripe = objects.is_configured() && !objects.awaits_extras();
    is_ripe.then_some(match extras.is_empty() {
        true => Verdict::Valid,
        false => Verdict::Doubtful(extras),
    })
}

/// The counters of a pool, as its status has them.
pub(super) fn pool_status(counters: &Counters) -> IPAddressPoolStatus {
    IPAddressPoolStatus {
        assigned_ipv4: counters.ipv4.assigned,
        assigned_ipv6: counters.ipv6.assigned,
        available_ipv4: counters.ipv4.available,
        available_ipv6: counters.ipv6.available,
    }
}

fn usage(name: &ferrolb_types::PoolName, counters: &Counters) -> PoolUsage {
    let whole = |number: i64| u64::try_from(number).unwrap_or_default();
    PoolUsage {
        pool: name.clone(),
        ipv4_total: whole(counters.ipv4.capacity),
        ipv6_total: whole(counters.ipv6.capacity),
        ipv4_in_use: whole(counters.ipv4.assigned),
        ipv6_in_use: whole(counters.ipv6.assigned),
    }
}

/// Tokens are reviewed by the API server.
struct Reviewed(Authoriser);

impl Authorise for Reviewed {
    fn authorise<'a>(&'a self, ask: Ask<'a>) -> Later<'a, serve::Verdict> {
        Box::pin(async move {
            match self
                .0
                .authorise(ask.token, ask.audience, ask.verb, ask.path)
                .await
            {
                Ok(auth::Verdict::Allowed) => serve::Verdict::Allowed,
                Ok(auth::Verdict::Unauthenticated) => serve::Verdict::Unauthenticated,
                Ok(auth::Verdict::Denied) => serve::Verdict::Forbidden,
                Err(error) => serve::Verdict::Unknown(error.to_string()),
            }
        })
    }
}

/// Answers those who may ask.
struct Desk {
    metrics: Metrics,
    drivers: Option<Drivers>,
    questions: mpsc::Sender<Question>,
}

impl Tell for Desk {
    fn metrics(&self) -> Later<'_, String> {
        Box::pin(async move {
            if let Some(drivers) = &self.drivers {
                // Drivers that do not answer in time leave the figures of the time before.
                let _ = timeout(PATIENCE, drivers.refresh(&self.metrics)).await;
            }
            self.metrics.render()
        })
    }

    fn status(&self) -> Later<'_, String> {
        Box::pin(async move {
            let (tell, told) = oneshot::channel();
            let asked = async {
                self.questions.send(tell).await.ok()?;
                told.await.ok()
            };
            let report = timeout(PATIENCE, asked).await.ok().flatten();
            serde_json::to_string(&report).unwrap_or_default()
        })
    }
}

impl Drivers {
    async fn refresh(&self, metrics: &Metrics) {
        if let Some(status) = self.layer2.status().await {
            metrics.tell_layer2(serve::layer2_addresses(&status));
        }
        let (tell, told) = oneshot::channel();
        if self.bgp.send(bgp::Command::Sessions(tell)).await.is_err() {
            return;
        }
        if let Ok(sessions) = told.await {
            let peer = |session: &bgp::Session| {
                let remote = session.remote;
                let labels = PeerLabels::bgp(remote.ip(), remote.port(), None);
                serve::bgp_peer(&session.status, labels)
            };
            metrics.tell_bgp(sessions.iter().map(peer).collect());
        }
    }
}
