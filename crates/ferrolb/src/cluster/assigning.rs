// SPDX-License-Identifier: Apache-2.0
//! One term of leadership: the engine over all Services, and the writes it wants.
//!
//! A term begins with complete lists and an empty engine, adopts what statuses hold, and ends with the
//! leadership. Nothing of it outlives it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ferrolb_alloc::{Engine, Event, EventType, Kind, Options, Output};
use ferrolb_kube_io::{Note, Recorder, ServiceStatus, Told, Watched, WriteFault, Writer, Wrote};
use ferrolb_types::{Diagnostic, ServiceKey};

use super::objects::{Objects, subject};
use crate::intake::Update;

/// The kinds that assigning depends on.
pub(super) const FOLLOWED: [Watched; 4] = [
    Watched::Services,
    Watched::Namespaces,
    Watched::IPAddressPools,
    Watched::Communities,
];

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Whether the configuration is another.
    pub(super) reconfigured: bool,
    /// Whether bookings changed, and counters with them.
    pub(super) booked: bool,
}

/// The engine, the objects it sees and the writes under way.
pub(super) struct Assigning {
    pub(super) engine: Engine,
    pub(super) objects: Objects,
    writer: Writer,
    recorder: Recorder,
    /// Services written and not confirmed, by the resourceVersion the write was decided on.
    unwritten: BTreeMap<ServiceKey, Box<str>>,
    /// Services whose write met a newer version that the watch has not shown yet.
    overtaken: BTreeSet<ServiceKey>,
    /// Services whose status holds entries: these are to be kept where their address stays.
    occupied: BTreeSet<ServiceKey>,
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
            }),
            objects,
            writer,
            recorder,
            unwritten: BTreeMap::new(),
            overtaken: BTreeSet::new(),
            occupied: BTreeSet::new(),
        }
    }

    /// Takes in a batch and writes what follows from it.
    pub(super) fn take(&mut self, told: Vec<Told>) -> Settled {
        let mut settled = Settled::default();
        for update in self.objects.take(told) {
            settled.reconfigured |= matches!(update, Update::Config(_));
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
            settled.booked = true;
            self.carry_out(output);
        }
        settled
    }

    /// A write was answered.
    pub(super) fn note(&mut self, wrote: Wrote) {
        let Wrote {
            key,
            sent_version,
            result,
        } = wrote;
        let newest = self.unwritten.get(&key) == Some(&sent_version);
        match result {
            Ok(version) => {
                self.objects.written(&key, &sent_version, version);
                if newest {
                    self.unwritten.remove(&key);
                }
            }
            // With the leadership the term ends, and with the Service its status.
            Err(WriteFault::Gone | WriteFault::NotLeading) => {
                self.unwritten.remove(&key);
            }
            Err(WriteFault::Conflict) if newest => self.overtaken(key),
            Err(WriteFault::Conflict) => {}
            Err(fault) => {
                tracing::error!(service = %key, ?fault, "the status cannot be written");
                self.overtaken(key);
            }
        }
    }

    /// Writes again what met a newer version, whether or not the watch has shown that by now.
    pub(super) fn retry(&mut self) {
        for key in std::mem::take(&mut self.overtaken) {
            self.write(key, Vec::new());
        }
    }

    /// Why a Service has no address, or not the one it asks for.
    pub(super) fn refusal(&self, key: &ServiceKey) -> Option<Diagnostic> {
        self.engine.explain(key)?.refusal
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
                self.engine.apply_service(view);
                if self.overtaken.remove(&key) {
                    self.write(key, Vec::new());
                }
            }
            Update::ServiceGone(key) => {
                self.occupied.remove(&key);
                self.overtaken.remove(&key);
                self.unwritten.remove(&key);
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
            let (ingress, pool) = (outcome.ingress, outcome.pool);
            return self.send(key, ingress, pool, notes);
        }
        let Some(meta) = self.objects.meta(&key) else {
            return;
        };
        for note in notes {
            self.recorder.note(subject(&key, meta), note);
        }
    }

    /// Writes what the engine wants for a Service.
    fn write(&mut self, key: ServiceKey, notes: Vec<Note>) {
        let Some(standing) = self.engine.desired(&key).cloned() else {
            return;
        };
        self.send(key, standing.addresses, standing.pool, notes);
    }

    fn send(
        &mut self,
        key: ServiceKey,
        ingress: Vec<IpAddr>,
        pool: Option<ferrolb_types::PoolName>,
        events: Vec<Note>,
    ) {
        let Some(meta) = self.objects.meta(&key) else {
            return;
        };
        self.unwritten
            .insert(key.clone(), meta.resource_version.clone());
        self.writer.service_status(ServiceStatus {
            uid: meta.uid.clone(),
            resource_version: meta.resource_version.clone(),
            keep: self.occupied.contains(&key),
            key,
            ingress,
            pool,
            events,
        });
    }

    fn overtaken(&mut self, key: ServiceKey) {
        let sent = self.unwritten.get(&key);
        let shown = self.objects.meta(&key).map(|meta| &meta.resource_version);
        if shown.is_some() && shown != sent {
            self.write(key, Vec::new());
        } else {
            self.overtaken.insert(key);
        }
    }
}

fn note(event: &Event) -> Note {
    Note {
        warning: event.type_ == EventType::Warning,
        reason: event.reason.into(),
        message: event.message.clone(),
    }
}
