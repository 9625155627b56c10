// SPDX-License-Identifier: Apache-2.0
//! One term of leadership: the engine over all Services, and the writes it wants.
//!
//! A term begins with complete lists and an empty engine, adopts what statuses hold, and ends with the
//! leadership. Nothing of it outlives it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::{Duration, Instant},
};

use ferrolb_alloc::{Engine, Event, EventType, Kind, Options, Output, Standing};
use ferrolb_kube_io::{Note, Recorder, ServiceStatus, Told, Watched, WriteFault, Writer, Wrote};
use ferrolb_types::{Diagnostic, ObjectRef, ServiceKey, codes::state::T008};

use super::objects::{Objects, subject};
use crate::intake::Update;

/// The kinds that assigning depends on.
pub(super) const FOLLOWED: [Watched; 4] = [
    Watched::Services,
    Watched::Namespaces,
    Watched::IPAddressPools,
    Watched::Communities,
];

/// Half the first pause after a refusal; it doubles up to a minute.
const REFUSED: Duration = Duration::from_secs(1);

/// The second pause after a conflict with what the watch does not show; it doubles up to 16 seconds.
const OVERTAKEN: Duration = Duration::from_millis(500);

/// The engine, the objects it sees and the writes under way.
pub(super) struct Assigning {
    pub(super) engine: Engine,
    pub(super) objects: Objects,
    writer: Writer,
    recorder: Recorder,
    /// Services written and not confirmed.
    unwritten: BTreeMap<ServiceKey, Unwritten>,
    /// Services to be written again: their write met a newer version that the watch has not shown yet,
    /// or was refused.
    again: BTreeMap<ServiceKey, Again>,
    /// Services whose status holds entries: these are to be kept where their address stays.
    occupied: BTreeSet<ServiceKey>,
    /// Services that the engine has no more to do with, whose status is still to be emptied.
    left: BTreeSet<ServiceKey>,
}

/// A write under way. There is one at most on each version of a Service, so that its answer is about it.
struct Unwritten {
    /// The resourceVersion it was decided on.
    version: Box<str>,
    decided: Decided,
    /// What was decided since on the same version, to be written after it.
    newer: Option<Decided>,
    failed: Failed,
}

/// How often a write came to nothing.
#[derive(Clone, Copy, Default)]
struct Failed {
    /// The API server refused it.
    refused: u32,
    /// It met a newer version than the watch has shown.
    overtaken: u32,
}

/// What was decided, and what is to be told of it once it is written.
#[derive(Default)]
struct Decided {
    ingress: Vec<IpAddr>,
    notes: Vec<Note>,
}

/// A write to come.
struct Again {
    decided: Decided,
    failed: Failed,
    due: Instant,
    /// Why the API server refused it, if it did.
    refusal: Option<Diagnostic>,
}

impl Assigning {
    /// An empty engine for Services of this class.
    pub(super) fn new(
        lb_class: Option<String>,
        objects: Objects,
        writer: Writer,
        recorder: Recorder,
    ) -> Self {
        Self {
            engine: Engine::new(Options {
                lb_class,
                implied_cluster_ips: false,
                await_namespaces: true,
            }),
            objects,
            writer,
            recorder,
            unwritten: BTreeMap::new(),
            again: BTreeMap::new(),
            occupied: BTreeSet::new(),
            left: BTreeSet::new(),
        }
    }

    /// Takes in a batch and writes what follows from it.
    pub(super) fn take(&mut self, told: Vec<Told>) {
        let mut shown = Vec::new();
        for update in self.objects.take(told) {
            if let Update::Service(view) = &update
                && self.again.contains_key(&view.key)
            {
                shown.push(view.key.clone());
            }
            self.apply(update);
        }
        for (watched, kind) in [
            (Watched::Services, Kind::Services),
            (Watched::Namespaces, Kind::Namespaces),
        ] {
            if self.objects.has(watched) {
                self.engine.synced(kind);
            }
        }
        while let Some(output) = self.engine.poll() {
            self.carry_out(output);
        }
        // What was decided before is written only where nothing else is decided by now.
        for key in shown {
            if let Some(again) = self.again.remove(&key) {
                let failed = Failed {
                    overtaken: 0,
                    ..again.failed
                };
                self.write(key, again.decided, failed);
            }
        }
    }

    /// A write was answered.
    pub(super) fn note(&mut self, wrote: Wrote) {
        let Wrote {
            key,
            sent_version,
            result,
        } = wrote;
        if let Ok(version) = &result {
            self.objects.written(&key, &sent_version, version);
        }
        // What a newer decision replaced needs no more care.
        let newest = self.unwritten.get(&key);
        if newest.is_none_or(|newest| newest.version != sent_version) {
            return;
        }
        let Some(mut unwritten) = self.unwritten.remove(&key) else {
            return;
        };
        let written = result.is_ok();
        if let Some(newer) = unwritten.newer.take() {
            if written {
                return self.write(key, newer, Failed::default());
            }
            unwritten.decided = newer;
        }
        match result {
            // It stood already, so the watch has nothing to show of it.
            Ok(version) if version == sent_version => self.engine.confirm(&key),
            // With the leadership the term ends, and with the Service its status.
            Ok(_) | Err(WriteFault::Gone | WriteFault::NotLeading) => {}
            Err(WriteFault::Conflict) => self.overtaken(key, unwritten),
            Err(fault) => self.refused(key, unwritten, &fault),
        }
    }

    /// Writes again what is due, whether or not the watch has shown a newer version by now.
    pub(super) fn retry(&mut self) {
        let now = Instant::now();
        let due = self.again.extract_if(.., |_, again| again.due <= now);
        for (key, again) in due.collect::<Vec<_>>() {
            self.write(key, again.decided, again.failed);
        }
    }

    /// Why a Service has no address, or not the one it asks for, or why its status does not say so.
    pub(super) fn refusal(&self, key: &ServiceKey) -> Option<Diagnostic> {
        let unwritten = self.again.get(key).and_then(|again| again.refusal.clone());
        unwritten.or_else(|| self.engine.explain(key)?.refusal)
    }

    fn apply(&mut self, update: Update) {
        match update {
            Update::Service(view) => {
                let key = view.key.clone();
                if view.ingress.is_empty() {
                    self.occupied.remove(&key);
                } else {
                    self.occupied.insert(key.clone());
                }
                if view.is_load_balancer() || Standing::of(&view).is_empty() {
                    self.left.remove(&key);
                }
                self.engine.apply_service(view);
            }
            Update::ServiceGone(key) => {
                self.occupied.remove(&key);
                self.again.remove(&key);
                self.unwritten.remove(&key);
                self.left.remove(&key);
                self.engine.delete_service(&key);
            }
            Update::Namespace(view) => self.engine.apply_namespace(view),
            Update::NamespaceGone(name) => self.engine.delete_namespace(&name),
            Update::Config(config) => self.engine.set_config(&config),
            Update::Slice(_) | Update::SliceGone(_) | Update::Node(_) | Update::NodeGone(_) => {}
        }
    }

    fn carry_out(&mut self, output: Output) {
        let Output { key, outcome } = output;
        let notes: Vec<Note> = outcome.events.iter().map(note).collect();
        if outcome.changed {
            if self.engine.desired(&key).is_none() {
                self.left.insert(key.clone());
            }
            let (ingress, pool) = (outcome.ingress, outcome.pool);
            return self.send(key, ingress, pool, notes, Failed::default());
        }
        for note in notes {
            self.tell(&key, note);
        }
    }

    /// An Event on a Service.
    fn tell(&self, key: &ServiceKey, note: Note) {
        if let Some(meta) = self.objects.meta(key) {
            self.recorder.note(subject(key, meta), note);
        }
    }

    /// Writes what the engine wants for a Service by now, unless that stands already.
    fn write(&mut self, key: ServiceKey, decided: Decided, failed: Failed) {
        let standing = match self.engine.desired(&key) {
            Some(standing) if !self.engine.is_confirmed(&key) => standing.clone(),
            None if self.left.contains(&key) => Standing::default(),
            Some(_) | None => return,
        };
        // Of another decision nothing of the old one is true.
        let same = standing.addresses == decided.ingress;
        let notes = if same { decided.notes } else { Vec::new() };
        self.send(key, standing.addresses, standing.pool, notes, failed);
    }

    fn send(
        &mut self,
        key: ServiceKey,
        ingress: Vec<IpAddr>,
        pool: Option<ferrolb_types::PoolName>,
        events: Vec<Note>,
        failed: Failed,
    ) {
        let Some(meta) = self.objects.meta(&key) else {
            return;
        };
        let decided = Decided {
            ingress: ingress.clone(),
            notes: events.clone(),
        };
        self.again.remove(&key);
        let under_way = self.unwritten.get_mut(&key);
        if let Some(before) = under_way.filter(|before| before.version == meta.resource_version) {
            before.newer = Some(decided);
            return;
        }
        let unwritten = Unwritten {
            version: meta.resource_version.clone(),
            decided,
            newer: None,
            failed,
        };
        self.unwritten.insert(key.clone(), unwritten);
        self.writer.service_status(ServiceStatus {
            uid: meta.uid,
            resource_version: meta.resource_version,
            keep: self.occupied.contains(&key),
            key,
            ingress,
            pool,
            events,
        });
    }

    /// Somebody wrote the Service meanwhile: again on the newer version, now if it was shown already.
    fn overtaken(&mut self, key: ServiceKey, by: Unwritten) {
        let shown = self.objects.meta(&key).map(|meta| meta.resource_version);
        if shown.is_some_and(|shown| shown != by.version) {
            return self.write(key, by.decided, by.failed);
        }
        let overtaken = by.failed.overtaken.saturating_add(1);
        let pause = OVERTAKEN.saturating_mul((1 << by.failed.overtaken.min(5)) - 1);
        let again = Again {
            decided: by.decided,
            failed: Failed {
                overtaken,
                ..by.failed
            },
            due: Instant::now() + pause,
            refusal: None,
        };
        self.again.insert(key, again);
    }

    /// The API server refuses the write: again after a while, or when the Service changes.
    fn refused(&mut self, key: ServiceKey, unwritten: Unwritten, fault: &WriteFault) {
        let refusal = unwritable(&key, fault);
        let refused = unwritten.failed.refused.saturating_add(1);
        if refused == 1 {
            tracing::error!("{refusal}");
            self.tell(&key, warning(&refusal));
        }
        let again = Again {
            decided: unwritten.decided,
            failed: Failed {
                refused,
                ..unwritten.failed
            },
            due: Instant::now() + REFUSED.saturating_mul(1 << refused.min(6)),
            refusal: Some(refusal),
        };
        self.again.insert(key, again);
    }
}

/// What is wrong where the API server takes no status of a Service.
fn unwritable(key: &ServiceKey, fault: &WriteFault) -> Diagnostic {
    let why = match fault {
        WriteFault::Forbidden(why) | WriteFault::Other(why) => why.as_str(),
        WriteFault::Conflict | WriteFault::Gone | WriteFault::NotLeading => "it was overtaken",
    };
    let object = ObjectRef::new("Service", key.namespace(), key.name());
    let cause = format!("the API server does not take its status: {why}");
    let remedy = "grant the controller `patch` or `update` of services/status, and see whether an \
                  admission webhook or policy refuses it; it is tried again within a minute";
    Diagnostic::error(T008, object, cause, remedy)
}

fn warning(refusal: &Diagnostic) -> Note {
    Note {
        warning: true,
        reason: "StatusUpdateFailed".into(),
        message: refusal.to_string(),
    }
}

fn note(event: &Event) -> Note {
    Note {
        warning: event.type_ == EventType::Warning,
        reason: event.reason.into(),
        message: event.message.clone(),
    }
}
