// SPDX-License-Identifier: Apache-2.0
//! `ferrolb_*`: what MetalLB does not tell.

use std::{collections::BTreeMap, sync::Mutex};

use ferrolb_types::{Code, Diagnostic, Severity};

use super::{Counter, Counters, Switch, lock};
use crate::text::Page;

/// How a process stands, told as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Services of ours that hold an address.
    pub served: usize,
    /// Services of ours that have none, or not the one they ask for.
    pub waiting: usize,
}

/// What the heartbeat counts.
#[derive(Clone, Debug, Default)]
pub struct Beats {
    /// Beats from an address that is none of their node's.
    pub unlisted: Counter,
    /// Beats to nodes that are heard, which the kernel did not take.
    pub unsent: Counter,
}

/// What MetalLB does not tell.
#[derive(Debug)]
pub struct Own {
    role: &'static str,
    version: &'static str,
    /// Writes to the API server by kind of object and by result.
    pub writes: Counters<2>,
    /// Watches opened anew, by kind of object.
    pub watch_reconnects: Counters<1>,
    /// Connections refused or ended by the bounds of our own servers, by server.
    pub refused_connections: Counters<1>,
    beats: Mutex<Option<Beats>>,
    /// Everything needed at the start is there.
    pub ready: Switch,
    dropped_events: Mutex<Option<Counter>>,
    leader: Mutex<Option<bool>>,
    standing: Mutex<Option<Standing>>,
    faults: Mutex<BTreeMap<(Code, Severity), u64>>,
}

impl Own {
    pub(super) fn new(role: &'static str, version: &'static str) -> Self {
        Self {
            role,
            version,
            writes: Counters::new(["kind", "result"]),
            watch_reconnects: Counters::new(["kind"]),
            refused_connections: Counters::new(["server"]),
            beats: Mutex::default(),
            ready: Switch::default(),
            dropped_events: Mutex::default(),
            leader: Mutex::default(),
            standing: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// Where Events are counted that could not be queued, of a role on an API server.
    pub fn count_dropped_events(&self, count: Counter) {
        *lock(&self.dropped_events) = Some(count);
    }

    /// Whether this process is the one that writes, of a role that is elected.
    pub fn tell_leader(&self, leads: bool) {
        *lock(&self.leader) = Some(leads);
    }

    /// Where the heartbeat counts, of a role that announces.
    pub fn tell_beats(&self, beats: Beats) {
        *lock(&self.beats) = Some(beats);
    }

    /// How the Services stand, of a role that assigns.
    pub fn tell_standing(&self, standing: Standing) {
        *lock(&self.standing) = Some(standing);
    }

    /// All that is refused or doubtful now.
    pub fn tell_faults<'a>(&self, faults: impl IntoIterator<Item = &'a Diagnostic>) {
        self.tell_fault_counts(faults.into_iter().map(|fault| (fault.code, fault.severity)));
    }

    /// The same, by code and severity.
    pub fn tell_fault_counts(&self, faults: impl IntoIterator<Item = (Code, Severity)>) {
        let mut counts = BTreeMap::new();
        for fault in faults {
            *counts.entry(fault).or_insert(0) += 1;
        }
        *lock(&self.faults) = counts;
    }

    /// The count of connections that a server of ours refused or ended.
    #[must_use]
    pub fn refused_by(&self, server: &'static str) -> Counter {
        self.refused_connections.of([server])
    }

    pub(super) fn write(&self, page: &mut Page) {
        let labels = [("role", self.role), ("version", self.version)];
        page.gauge("ferrolb_build_info", "What runs; always 1.")
            .add(&labels, 1_u64);
        self.writes
            .write(page.counter("ferrolb_api_writes_total", "Writes to the API server."));
        self.watch_reconnects.write(page.counter(
            "ferrolb_watch_reconnects_total",
            "Watches of the API server opened anew.",
        ));
        self.refused_connections.write(page.counter(
            "ferrolb_refused_connections_total",
            "Connections refused or ended by a bound of the server.",
        ));
        if let Some(dropped) = &*lock(&self.dropped_events) {
            page.counter(
                "ferrolb_events_dropped_total",
                "Events that too many others waited before.",
            )
            .add(&[], dropped.get());
        }
        page.gauge(
            "ferrolb_ready",
            "1 once everything needed at the start is there.",
        )
        .add(&[], self.ready.get());
        self.write_heartbeat(page);
        self.write_standing(page);
        self.write_faults(page);
    }

    fn write_heartbeat(&self, page: &mut Page) {
        let beats = lock(&self.beats);
        let Some(beats) = &*beats else { return };
        page.counter(
            "ferrolb_heartbeat_unlisted_total",
            "Beats from an address that is none of their node's: they count for nothing.",
        )
        .add(&[], beats.unlisted.get());
        page.counter(
            "ferrolb_heartbeat_unsent_total",
            "Beats to nodes that are heard, which the kernel did not take.",
        )
        .add(&[], beats.unsent.get());
    }

    fn write_standing(&self, page: &mut Page) {
        if let Some(leads) = *lock(&self.leader) {
            page.gauge(
                "ferrolb_leader",
                "1 while this process is the one that writes.",
            )
            .add(&[], leads);
        }
        if let Some(standing) = *lock(&self.standing) {
            let family = page.gauge("ferrolb_services", "Services of ours, by how they stand.");
            family.add(&[("state", "served")], standing.served);
            family.add(&[("state", "waiting")], standing.waiting);
        }
    }

    fn write_faults(&self, page: &mut Page) {
        let family = page.gauge(
            "ferrolb_faults",
            "What is refused or doubtful now, by reason code.",
        );
        for ((code, severity), count) in lock(&self.faults).iter() {
            let severity = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            family.add(&[("code", code.id()), ("severity", severity)], *count);
        }
    }
}
