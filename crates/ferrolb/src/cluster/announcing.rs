// SPDX-License-Identifier: Apache-2.0
//! What a node announces, fed by an API server, and what is told there of it: Events, and an object per
//! Service and protocol.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ferrolb_kube_io::{Note, Recorder, Told, Watched, status::ServiceStatuses};
use ferrolb_types::{NodeName, PeerName, ServiceKey};
use ferrolb_world::{Announced, Interfaces, Kind, Liveness, Protocol, Reason};
use tokio::time::Instant;

use super::{
    monitor::Monitor,
    objects::{Objects, subject},
};
use crate::{
    announcing::{Announcing, Heard},
    intake::Update,
};

/// The kinds that announcing depends on.
pub(super) const FOLLOWED: [Watched; 11] = [
    Watched::Services,
    Watched::EndpointSlices,
    Watched::Nodes,
    Watched::Namespaces,
    Watched::Secrets,
    Watched::IPAddressPools,
    Watched::BGPAdvertisements,
    Watched::L2Advertisements,
    Watched::BGPPeers,
    Watched::BFDProfiles,
    Watched::Communities,
];

/// How long a session has to stay up or down before the objects that name its peer are rewritten: one
/// that comes and goes would cost a write for each Service each time.
const STEADY: Duration = Duration::from_secs(5);

/// The world, the objects it is made of, and what is told of it.
pub(super) struct Speaking {
    pub(super) announcing: Announcing,
    pub(super) objects: Objects,
    recorder: Recorder,
    statuses: ServiceStatuses,
    monitor: Monitor,
    /// What was last told of each Service.
    told: BTreeMap<ServiceKey, Announced>,
    /// The peers that objects may name: their sessions are up.
    steady: BTreeSet<PeerName>,
    /// When sessions are looked at again.
    look_at: Option<Instant>,
    /// Whether everything was told once.
    complete: bool,
}

impl Speaking {
    pub(super) fn new(
        mut announcing: Announcing,
        objects: Objects,
        recorder: Recorder,
        statuses: ServiceStatuses,
        monitor: Monitor,
    ) -> Self {
        // Layer 2 waits until it is known who is alive; BGP does not depend on it.
        announcing
            .world
            .set_alive(&Liveness::Nodes(BTreeSet::new()));
        Self {
            announcing,
            objects,
            recorder,
            statuses,
            monitor,
            told: BTreeMap::new(),
            steady: BTreeSet::new(),
            look_at: None,
            complete: false,
        }
    }

    /// Takes in a batch.
    pub(super) fn take(&mut self, told: Vec<Told>) -> bool {
        let mut reconfigured = false;
        for update in self.objects.take(told) {
            reconfigured |= matches!(update, Update::Config(_));
            match &update {
                Update::Service(view) => self.announcing.apply_service(view),
                other => self.announcing.apply(other),
            }
        }
        for (watched, kind) in [
            (Watched::Services, Kind::Services),
            (Watched::EndpointSlices, Kind::EndpointSlices),
            (Watched::Nodes, Kind::Nodes),
        ] {
            if self.objects.has(watched) {
                self.announcing.world.synced(kind);
            }
        }
        reconfigured
    }

    /// Takes in what a driver has to tell.
    pub(super) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Alive(alive) => {
                for update in self.objects.set_alive(&alive) {
                    self.announcing.apply(&update);
                }
                self.announcing.set_alive(alive);
            }
            Heard::Interfaces => self.announcing.tell_interfaces(),
            Heard::Facts => self.announcing.take_facts(),
            Heard::Layer2(event) => self.announcing.note(event),
            Heard::Sessions => {
                self.look_at.get_or_insert_with(|| Instant::now() + STEADY);
            }
        }
    }

    /// Carries everything through to the drivers, then tells of it.
    pub(super) async fn settle(&mut self) {
        self.announcing.tell_nodes();
        for (key, announced) in self.announcing.settle().await {
            self.tell(key, announced);
        }
        if !self.complete && self.announcing.world.is_synced() {
            self.complete = true;
            self.statuses.settled();
        }
    }

    /// When [`Self::look_at_sessions`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    /// Brings the objects of BGP in line with the sessions that are up.
    pub(super) fn look_at_sessions(&mut self) {
        self.look_at = None;
        let up = self.announcing.bgp.established.borrow().clone();
        let changed: BTreeSet<&PeerName> = self.steady.symmetric_difference(&up).collect();
        let concerned = self.told.iter().filter(|(_, announced)| {
            let peers = announced.bgp.iter().flat_map(|bgp| &bgp.peers);
            peers.into_iter().any(|peer| changed.contains(peer))
        });
        let keys: Vec<ServiceKey> = concerned.map(|(key, _)| key.clone()).collect();
        self.steady = up;
        for key in keys {
            self.tell_bgp(&key);
        }
    }

    fn tell(&mut self, key: ServiceKey, announced: Announced) {
        let before = self.told.get(&key).cloned().unwrap_or_default();
        self.note_events(&key, &before, &announced);
        self.monitor.announced(&key, &announced);
        if before.layer2 != announced.layer2 {
            let interfaces = announced.layer2.as_ref().map(|l2| named(&l2.interfaces));
            self.statuses.layer2(key.clone(), interfaces);
        }
        let news = before.bgp != announced.bgp;
        if announced.is_nothing() {
            self.told.remove(&key);
        } else {
            self.told.insert(key.clone(), announced);
        }
        if news {
            self.tell_bgp(&key);
        }
    }

    fn tell_bgp(&self, key: &ServiceKey) {
        let bgp = self
            .told
            .get(key)
            .and_then(|announced| announced.bgp.as_ref());
        let peers = bgp.iter().flat_map(|bgp| &bgp.peers);
        let up = peers.filter(|peer| self.steady.contains(*peer)).cloned();
        let up: Vec<PeerName> = up.collect();
        self.statuses.bgp(key.clone(), &up);
    }

    fn note_events(&self, key: &ServiceKey, before: &Announced, now: &Announced) {
        let Some(meta) = self.objects.meta(key) else {
            return;
        };
        let subject = subject(key, meta);
        let node = &self.announcing.node;
        if before.bgp.is_none() && now.bgp.is_some() {
            self.recorder.note(subject.clone(), assigned(node, "bgp"));
        }
        if before.layer2.is_none() && now.layer2.is_some() {
            self.recorder
                .note(subject.clone(), assigned(node, "layer2"));
        }
        if now.layer2.is_none()
            && let Some(reason @ Reason::NoInterface) = self.announcing.world.refusals(key).0
        {
            let cause = reason.diagnostic(key, node, Protocol::Layer2, None).cause;
            let message =
                format!("not announced from node \"{node}\" with protocol \"layer2\": {cause}");
            let failed = Note {
                warning: true,
                reason: "announceFailed".into(),
                message,
            };
            self.recorder.note(subject, failed);
        }
    }
}

fn assigned(node: &NodeName, protocol: &str) -> Note {
    Note {
        warning: false,
        reason: "nodeAssigned".into(),
        message: format!("announcing from node \"{node}\" with protocol \"{protocol}\""),
    }
}

/// The interfaces an object names; none means all.
fn named(interfaces: &Interfaces) -> Vec<String> {
    match interfaces {
        Interfaces::All => Vec::new(),
        Interfaces::Named(names) => names.iter().map(ToString::to_string).collect(),
    }
}
