// SPDX-License-Identifier: Apache-2.0
//! What a role on an API server says of itself when it is asked: the same report as on a folder.

use std::time::Instant;

use ferrolb_kube_io::Leadership;
use ferrolb_types::{Diagnostic, ServiceKey};
use ferrolb_world::Reason;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{announcing::Speaking, assigning::Assigning, monitor::Question, objects::Objects};
use crate::{
    announcing::report,
    status::report::{Fault, PoolReport, Report, ServiceReport},
};

/// A controller that assigns.
pub(super) fn assigning(assigning: &Assigning, started: Instant) -> Report {
    let services = assigning.engine.held().map(|(key, held)| ServiceReport {
        addresses: held.addresses.iter().collect(),
        pool: Some(held.pool.to_string()),
        ..pending(assigning, key)
    });
    let waiting = assigning
        .engine
        .waiting()
        .filter(|key| assigning.engine.allocator().held(key).is_none())
        .map(|key| pending(assigning, key));
    Report {
        services: services.chain(waiting).collect(),
        pools: assigning
            .engine
            .allocator()
            .pools()
            .map(|(name, counters)| PoolReport::new(name, &counters))
            .collect(),
        ..head("controller", &assigning.objects, started)
    }
}

fn pending(assigning: &Assigning, key: &ServiceKey) -> ServiceReport {
    let refusal = assigning.refusal(key);
    ServiceReport {
        service: key.to_string(),
        pending: refusal.as_ref().map(Fault::from),
        ..ServiceReport::default()
    }
}

/// A controller that stands by.
pub(super) fn standing_by(objects: &Objects, leadership: &Leadership, started: Instant) -> Report {
    let leader = match leadership {
        Leadership::Waiting { holder } => holder.clone(),
        Leadership::Leading | Leadership::Unneeded => None,
    };
    Report {
        leader: Some(leader.unwrap_or_else(|| "nobody yet".to_owned())),
        ..head("controller", objects, started)
    }
}

/// Answers for a controller that serves webhooks and nothing else, until `stop`.
pub(super) async fn serving_webhooks(
    mut questions: mpsc::Receiver<Question>,
    started: Instant,
    stop: &CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(question) = questions.recv() => {
                // Whoever asked may have gone.
                let _ = question.send(Report { synced: true, ..process("controller", started) });
            }
        }
    }
}

/// A speaker.
pub(super) async fn speaking(speaking: &Speaking, started: Instant) -> Report {
    let mut whole = head("speaker", &speaking.objects, started);
    whole.synced = speaking.announcing.world.is_synced();
    let services = speaking.announcing.world.services();
    whole.services = services.filter_map(|key| service(speaking, key)).collect();
    report::fill(&mut whole, &speaking.announcing).await;
    whole
}

/// A Service of ours.
fn service(speaking: &Speaking, key: &ServiceKey) -> Option<ServiceReport> {
    let addresses = match speaking.announcing.world.addresses_of(key) {
        Err(Reason::NotLoadBalancer | Reason::OtherClass(_) | Reason::NoSuchService) => {
            return None;
        }
        addresses => addresses.unwrap_or_default(),
    };
    let mut line = ServiceReport {
        service: key.to_string(),
        addresses: addresses.to_vec(),
        ..ServiceReport::default()
    };
    report::service(&mut line, &speaking.announcing, key);
    Some(line)
}

fn head(role: &str, objects: &Objects, started: Instant) -> Report {
    let troubles: Vec<Diagnostic> = objects.troubles().collect();
    let faults = objects.diagnostics();
    let fault = |diagnostic: &Diagnostic| Fault {
        last_good: objects.goes_on_with(&diagnostic.object),
        ..Fault::from(diagnostic)
    };
    Report {
        synced: objects.is_complete(),
        faults: troubles.iter().chain(&faults).map(fault).collect(),
        ..process(role, started)
    }
}

fn process(role: &str, started: Instant) -> Report {
    Report {
        role: role.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        uptime_ms: report::millis(started.elapsed()),
        ..Report::default()
    }
}
