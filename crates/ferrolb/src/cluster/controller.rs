// SPDX-License-Identifier: Apache-2.0
//! The controller: assigns while it leads, stands by while another does, and serves webhooks always.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use ferrolb_config::object::Object;
use ferrolb_kube_io::{
    Cluster, Election, Gate, Leadership, LeaseOptions, Owner, Recorder, Told, Watched, Writer,
    WriterOptions, Wrote, lease,
    status::{Component, ConfigurationStateOptions, ConfigurationStates, PoolStatuses},
    watch::follow_with_extras,
};
use ferrolb_telemetry::Metrics;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    answered,
    assigning::{self, Assigning},
    faults::{Faults, Share},
    memberlist,
    memory::Memory,
    monitor::{self, Monitor, Question, pool_status, verdict},
    objects::Objects,
    report, way, webhooks,
};
use crate::{
    args::{ClusterController, WebhookMode},
    serve::{Wait, Waits},
};

/// The Lease that one of several replicas holds.
const LEASE: &str = "ferrolb-controller";
/// How often to do what need not be done with every change.
const TICK: Duration = Duration::from_millis(500);
/// How long giving up the Lease may take at the end.
const FAREWELL: Duration = Duration::from_secs(8);

/// The kinds a controller that stands by follows: its configuration.
const STANDING_BY: [Watched; 3] = [
    Watched::IPAddressPools,
    Watched::Communities,
    Watched::Namespaces,
];

/// Runs until `stop`.
pub(super) async fn run(args: ClusterController, stop: CancellationToken) -> anyhow::Result<()> {
    let cluster = way(&args.role.source, "controller").await?;
    let metrics = Metrics::new("controller", env!("CARGO_PKG_VERSION"), None);
    let (ask, questions) = mpsc::channel(8);
    let serve = &args.role.serve;
    let waits = waits(args.mode);
    let ends = webhooks::ends(args.mode, &stop);
    let monitor = Monitor::start(&args.role, metrics, &cluster, None, ask, waits, &ends)
        .await
        .map_err(|fault| anyhow!("{fault}"))?;
    // Health is told meanwhile: an API server that is away is no reason to be started anew.
    let owner = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        owner = answered(&cluster, &args.role) => owner?,
    };
    monitor.has(Wait::ApiServer);
    let identity = identity(owner.as_ref())?;
    memberlist::start(&cluster, &args, &stop);
    let hooks = match args.mode {
        WebhookMode::Disabled => None,
        WebhookMode::Enabled | WebhookMode::OnlyWebhook => Some(
            webhooks::start(&cluster, &args.webhooks, &serve.tls, &monitor, &ends)
                .await
                .map_err(|fault| anyhow!("{fault}"))?,
        ),
    };
    let options = ConfigurationStateOptions {
        component: Component::Controller,
        owner,
    };
    let states = ConfigurationStates::start(&cluster, options, &stop);
    if args.mode == WebhookMode::OnlyWebhook {
        report::serving_webhooks(questions, Instant::now(), &stop).await;
        webhooks::ended(hooks).await;
        return Ok(());
    }
    let recorder = Recorder::start(&cluster, "metallb-controller", &host(), &stop);
    let own = monitor.metrics.own();
    own.count_dropped_events(recorder.dropped().into());
    let options = LeaseOptions::new(LEASE, identity);
    let (leadership, gate, election) = Election::start(&cluster, options, &stop);
    let controller = Controller {
        cluster,
        memory: Memory::start(args.role.source.state_dir.clone()),
        args,
        recorder,
        states,
        leadership,
        gate,
        questions,
        monitor,
        started: Instant::now(),
    };
    controller.run(&stop).await;
    // Together they take less than the ten seconds a Pod has.
    tokio::join!(let_go(election), webhooks::ended(hooks));
    Ok(())
}

/// What the controller needs before it is ready. The certificate is among it because a controller that is
/// ready is one the API server calls; nothing that makes a certificate waits for that.
fn waits(mode: WebhookMode) -> Waits {
    let mut waits = match mode {
        WebhookMode::OnlyWebhook => monitor::waits(&[]),
        WebhookMode::Enabled | WebhookMode::Disabled => monitor::waits(&assigning::FOLLOWED),
    };
    if mode != WebhookMode::Disabled {
        waits.insert(Wait::Certificate);
    }
    waits
}

/// Who holds the Lease. In a Pod one process runs at a time, so one that was killed and started again
/// there need not wait for itself; anywhere else every process is another.
fn identity(pod: Option<&Owner>) -> anyhow::Result<String> {
    match pod {
        Some(pod) => Ok(format!("{}_{}", pod.name, pod.uid)),
        None => Ok(lease::identity(&host())?),
    }
}

/// The name of this machine, which in a Pod is the Pod's.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// Waits until the Lease is given up, so that another need not wait it out.
async fn let_go(election: JoinHandle<()>) {
    // An API server that does not answer lets it run out.
    let _ = timeout(FAREWELL, election).await;
}

/// How a turn as leader or stand-by ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The leadership is another.
    Over,
    /// The process ends.
    Stopped,
}

struct Controller {
    cluster: Cluster,
    args: ClusterController,
    recorder: Recorder,
    states: ConfigurationStates,
    leadership: watch::Receiver<Leadership>,
    gate: Gate,
    questions: mpsc::Receiver<Question>,
    monitor: Monitor,
    /// What one turn remembers the next one knows.
    memory: Memory,
    started: Instant,
}

impl Controller {
    async fn run(mut self, stop: &CancellationToken) {
        loop {
            let turn = stop.child_token();
            let leading = leads(&mut self.leadership);
            self.monitor.metrics.own().tell_leader(leading);
            let ended = if leading {
                self.lead(&turn).await
            } else {
                self.stand_by(&turn).await
            };
            turn.cancel();
            if ended == Turn::Stopped {
                return;
            }
        }
    }

    /// Assigns until the leadership is lost.
    async fn lead(&mut self, turn: &CancellationToken) -> Turn {
        let mut term = self.begin(turn);
        let mut told = follow_with_extras(&self.cluster, &assigning::FOLLOWED, turn);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tracing::info!("assigning");
        loop {
            tokio::select! {
                () = turn.cancelled() => return Turn::Stopped,
                Ok(()) = self.leadership.changed() => {
                    // It may have been lost and won again since anybody looked.
                    if !leads(&mut self.leadership) || self.gate.term() != term.number {
                        tracing::warn!("the leadership is lost: nothing is assigned any more");
                        return Turn::Over;
                    }
                }
                Some(batch) = told.recv() => self.take(&mut term, batch),
                Some(wrote) = term.wrote.recv() => self.note(&mut term, wrote),
                Some(question) = self.questions.recv() => {
                    // Whoever asked may have gone.
                    let _ = question.send(report::assigning(&term.assigning, self.started));
                }
                _ = tick.tick() => term.catch_up(&self.monitor),
            }
        }
    }

    fn begin(&self, turn: &CancellationToken) -> Term {
        let number = self.gate.term();
        let options = WriterOptions {
            recorder: Some(self.recorder.clone()),
            ..WriterOptions::default()
        };
        let (writer, wrote) = Writer::start(&self.cluster, options, self.gate.clone(), turn);
        let objects = self.objects(&assigning::FOLLOWED);
        let lb_class = self.args.role.source.lb_class.clone();
        Term {
            number,
            assigning: Assigning::new(lb_class, objects, writer, self.recorder.clone()),
            faults: Faults::new(self.recorder.clone(), Share::Controller),
            pools: PoolStatuses::start(&self.cluster, self.gate.clone(), turn),
            wrote,
            pools_changed: false,
        }
    }

    /// Follows the configuration while another assigns, so that faults show here too.
    async fn stand_by(&mut self, turn: &CancellationToken) -> Turn {
        let mut told = follow_with_extras(&self.cluster, &STANDING_BY, turn);
        let mut objects = self.objects(&STANDING_BY);
        // Whoever assigns says how the configuration stands.
        self.states.withdraw();
        self.monitor.standing_by();
        tracing::info!("standing by");
        loop {
            tokio::select! {
                () = turn.cancelled() => return Turn::Stopped,
                Ok(()) = self.leadership.changed() => {
                    if leads(&mut self.leadership) {
                        return Turn::Over;
                    }
                }
                Some(batch) = told.recv() => {
                    self.monitor.told(&batch);
                    objects.take(batch);
                    self.monitor.configuration(&mut objects);
                    self.monitor.has_lists(&objects);
                }
                Some(question) = self.questions.recv() => {
                    // Whoever asked may have gone.
                    let report = report::standing_by(&objects, &self.leadership.borrow(), self.started);
                    let _ = question.send(report);
                }
            }
        }
    }

    fn objects(&self, followed: &[Watched]) -> Objects {
        Objects::new(self.cluster.namespace(), followed, self.memory.clone()).awaiting_extras()
    }

    fn take(&self, term: &mut Term, batch: Vec<Told>) {
        for told in &batch {
            match told {
                Told::Apply(Object::IPAddressPool(pool), _) => term.pools.observed(pool),
                Told::Delete(object) if &*object.kind == "IPAddressPool" => {
                    term.pools.deleted(&object.name);
                }
                _ => {}
            }
        }
        self.monitor.told(&batch);
        term.faults.take(&batch);
        // A Service that is adopted, or gone, changes bookings without anything to write of it.
        term.pools_changed |= !batch.is_empty();
        term.assigning.take(batch);
        let objects = &mut term.assigning.objects;
        if self.monitor.configuration(objects) {
            if let Some(verdict) = verdict(objects) {
                self.states.report(verdict);
            }
            term.faults.tell(&objects.diagnostics());
        }
        self.monitor.has_lists(objects);
    }

    fn note(&self, term: &mut Term, wrote: Wrote) {
        self.monitor.wrote(&wrote);
        term.assigning.note(wrote);
    }
}

/// What lives as long as a leadership.
struct Term {
    /// Its number at the gate.
    number: u64,
    assigning: Assigning,
    faults: Faults,
    pools: PoolStatuses,
    wrote: mpsc::Receiver<Wrote>,
    /// Whether bookings may have changed since pools were last counted.
    pools_changed: bool,
}

impl Term {
    /// What need not be done with every change: writes that were overtaken, and the counters of pools.
    fn catch_up(&mut self, monitor: &Monitor) {
        self.assigning.retry();
        // Before every Service is known, the counters would say that nobody holds anything.
        if !self.assigning.objects.is_complete() || !std::mem::take(&mut self.pools_changed) {
            return;
        }
        let allocator = self.assigning.engine.allocator();
        for (name, counters) in allocator.pools() {
            self.pools.desired(name.clone(), pool_status(&counters));
        }
        monitor.allocation(&self.assigning.engine);
    }
}

fn leads(leadership: &mut watch::Receiver<Leadership>) -> bool {
    matches!(
        *leadership.borrow_and_update(),
        Leadership::Leading | Leadership::Unneeded
    )
}
