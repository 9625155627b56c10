// SPDX-License-Identifier: Apache-2.0
//! The speaker of one node.

use std::future::pending;

use anyhow::anyhow;
use ferrolb_kube_io::{
    Recorder, Told,
    status::{
        Component, ConfigurationStateOptions, ConfigurationStates, ServiceStatuses,
        ServiceStatusesOptions,
    },
    watch::follow,
};
use ferrolb_telemetry::Metrics;
use ferrolb_types::Diagnostic;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    announcing::{FOLLOWED, Speaking},
    answered,
    faults::{Faults, Share},
    memory::Memory,
    monitor::{Drivers, Monitor, Question, verdict, waits},
    objects::Objects,
    report, way,
};
use crate::{
    announcing::{Announcing, Settings},
    args::ClusterSpeaker,
    serve::{Ends, Wait},
};

/// Runs until `stop`.
pub(super) async fn run(args: ClusterSpeaker, stop: CancellationToken) -> anyhow::Result<()> {
    let cluster = way(&args.role.source, "speaker").await?;
    let node = args.node.clone();
    let announcing = Announcing::start(&settings(&args), &stop)?;
    let (questions, asked) = mpsc::channel(8);
    let metrics = Metrics::new("speaker", env!("CARGO_PKG_VERSION"), Some(node.as_str()));
    metrics.own().tell_beats(announcing.heartbeat.beats.clone());
    let drivers = Drivers {
        bgp: announcing.bgp.commands.clone(),
        layer2: announcing.layer2.handle.clone(),
    };
    let monitor = Monitor::start(
        &args.role,
        metrics,
        &cluster,
        Some(drivers),
        questions,
        waits(&FOLLOWED),
        &Ends::at_once(&stop),
    )
    .await
    .map_err(|fault| anyhow!("{fault}"))?;
    let owner = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        owner = answered(&cluster, &args.role) => owner?,
    };
    monitor.has(Wait::ApiServer);
    let recorder = Recorder::start(&cluster, "metallb-speaker", node.as_str(), &stop);
    let own = monitor.metrics.own();
    own.count_dropped_events(recorder.dropped().into());
    let states = ConfigurationStateOptions {
        component: Component::Speaker {
            node: node.to_string(),
        },
        owner: owner.clone(),
    };
    let statuses = ServiceStatusesOptions {
        node: node.to_string(),
        owner,
    };
    let memory = Memory::start(args.role.source.state_dir.clone());
    let mut objects = Objects::new(cluster.namespace(), &FOLLOWED, memory);
    objects.refuse_bgp(refused_bgp(&args));
    let speaker = Speaker {
        faults: Faults::new(recorder.clone(), Share::Speaker),
        speaking: Speaking::new(
            announcing,
            objects,
            recorder,
            ServiceStatuses::start(&cluster, statuses, &stop),
            monitor.clone(),
        ),
        states: ConfigurationStates::start(&cluster, states, &stop),
        monitor,
        started: Instant::now(),
    };
    let told = follow(&cluster, &FOLLOWED, &stop);
    speaker.run(told, asked, &stop).await;
    Ok(())
}

/// Why this speaker speaks no BGP, where it does not; said once, and then of each object that asks for it.
fn refused_bgp(args: &ClusterSpeaker) -> Option<Diagnostic> {
    let refusal = args.role.bgp.refusal();
    if let Some(refusal) = &refusal {
        tracing::error!("{refusal}");
    }
    refusal
}

fn settings(args: &ClusterSpeaker) -> Settings {
    let source = &args.role.source;
    Settings {
        node: args.node.clone(),
        lb_class: source.lb_class.clone(),
        ignore_exclude_lb: source.ignore_exclude_lb,
        namespace: source.namespace.clone(),
        exclude_l2: args.exclude_l2.clone(),
        heartbeat_port: args.heartbeat_port,
        heartbeat_address: args.heartbeat_address,
    }
}

struct Speaker {
    speaking: Speaking,
    states: ConfigurationStates,
    faults: Faults,
    monitor: Monitor,
    started: Instant,
}

impl Speaker {
    async fn run(
        mut self,
        mut told: mpsc::Receiver<Vec<Told>>,
        mut asked: mpsc::Receiver<Question>,
        stop: &CancellationToken,
    ) {
        loop {
            let deadline = self.speaking.deadline();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(batch) = told.recv() => self.take(batch),
                heard = self.speaking.announcing.hear() => self.speaking.hear(heard),
                () = until(deadline) => self.speaking.look_at_sessions(),
                Some(question) = asked.recv() => {
                    // Whoever asked may have gone.
                    let _ = question.send(report::speaking(&self.speaking, self.started.into_std()).await);
                    continue;
                }
            }
            self.speaking.settle().await;
            self.speak();
        }
        tracing::info!("ending");
        self.speaking.announcing.finished().await;
    }

    /// Of the speakers that the others count on the first tells of faults.
    fn speak(&mut self) {
        let announcing = &self.speaking.announcing;
        let Some(mut living) = announcing.living() else {
            return;
        };
        let is_first = living.next() == Some(&announcing.node);
        let objects = &self.speaking.objects;
        self.faults.speak(is_first, || objects.diagnostics());
    }

    fn take(&mut self, batch: Vec<Told>) {
        self.monitor.told(&batch);
        self.faults.take(&batch);
        self.speaking.take(batch);
        if self.monitor.configuration(&mut self.speaking.objects) {
            if let Some(verdict) = verdict(&self.speaking.objects) {
                self.states.report(verdict);
            }
            self.faults.tell(&self.speaking.objects.diagnostics());
        }
        self.monitor.has_lists(&self.speaking.objects);
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
