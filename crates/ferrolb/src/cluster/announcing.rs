// SPDX-License-Identifier: Apache-2.0
//! What a node announces, fed by an API server, and what is told there of it: Events, and an object per
//! Service and protocol.

use std::{collections::BTreeSet, net::IpAddr};

use ferrolb_kube_io::{Note, Recorder, Told, Watched, status::ServiceStatuses};
use ferrolb_types::{NodeName, PeerName, ServiceKey};
use ferrolb_world::{Announced, Interfaces, Kind, Liveness, Protocol, Reason};
use tokio::time::Instant;

use super::{
    monitor::Monitor,
    objects::{Objects, subject},
    sessions::{Judged, Sessions},
    unanswered::Unanswered,
};
use crate::{
    announcing::{Announcing, Heard, Turned},
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

/// The world, the objects it is made of, and what is told of it.
pub(super) struct Speaking {
    pub(super) announcing: Announcing,
    pub(super) objects: Objects,
    recorder: Recorder,
    statuses: ServiceStatuses,
    monitor: Monitor,
    sessions: Sessions,
    unanswered: Unanswered,
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
            sessions: Sessions::default(),
            unanswered: Unanswered::default(),
        }
    }

    /// Takes in a batch.
    pub(super) fn take(&mut self, told: Vec<Told>) {
        for update in self.objects.take(told) {
            self.apply(&update);
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
    }

    fn apply(&mut self, update: &Update) {
        self.unanswered.note(update);
        match update {
            Update::Service(view) => self.announcing.apply_service(view),
            other => self.announcing.apply(other),
        }
    }

    /// Takes in what a driver has to tell.
    pub(super) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Members(changes) => {
                let alive = changes.alive.iter();
                let updates = alive.flat_map(|alive| self.objects.set_alive(alive));
                for update in updates.collect::<Vec<Update>>() {
                    self.apply(&update);
                }
                self.announcing.take_members(changes);
                self.unanswered.look_at_all();
            }
            Heard::Interfaces => {
                self.announcing.tell_facts();
                self.unanswered.look_at_all();
            }
            Heard::Layer2(event) => self.announcing.note(event),
            Heard::Sessions => {
                let carried = self.announcing.bgp.carried.borrow();
                self.sessions.observe(Instant::now(), &carried);
            }
        }
    }

    /// Carries everything through to the drivers, then tells of it.
    pub(super) async fn settle(&mut self) {
        if self.objects.has(Watched::Nodes) {
            self.announcing.tell_nodes();
        }
        if self.announcing.world.is_synced() {
            self.announcing.set_able();
        }
        for turned in self.announcing.settle().await {
            self.tell(&turned);
        }
        let world = &self.announcing.world;
        for (key, addresses) in self.unanswered.take(world) {
            self.note_failure(&key, &addresses);
        }
        if world.is_synced() {
            let peers = world.peers().map(|peer| &peer.name);
            self.sessions.expect(Instant::now(), peers);
            if self.announcing.knows_alive() {
                self.statuses.layer2_settled();
            }
        }
    }

    /// When [`Self::look_at_sessions`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.sessions.deadline()
    }

    /// Brings the objects of BGP in line with the sessions that are up.
    pub(super) fn look_at_sessions(&mut self) {
        let Some(judged) = self.sessions.judge(Instant::now()) else {
            return;
        };
        let world = &self.announcing.world;
        for key in world.services() {
            let announced = world.announced(key);
            let concerned = announced.bgp.as_ref().is_some_and(|bgp| match &judged {
                Judged::First => true,
                Judged::Turned(turned) => bgp.receivers.iter().any(|to| turned.contains(to)),
            });
            if concerned {
                self.tell_bgp(key, &announced);
            }
        }
        if judged == Judged::First {
            self.statuses.bgp_settled();
        }
    }

    fn tell(&self, turned: &Turned) {
        let Turned { key, before, now } = turned;
        self.monitor.announced(key, now);
        self.note_events(turned);
        if before.layer2.is_some() || now.layer2.is_some() {
            let interfaces = now.layer2.as_ref().map(|l2| named(&l2.interfaces));
            self.statuses.layer2(key.clone(), interfaces);
        }
        if before.bgp.is_some() || now.bgp.is_some() {
            self.tell_bgp(key, now);
        }
    }

    fn tell_bgp(&self, key: &ServiceKey, announced: &Announced) {
        if !self.sessions.is_judging() {
            return;
        }
        let receivers = announced.bgp.iter().flat_map(|bgp| &bgp.receivers);
        let up = receivers.filter(|to| self.sessions.is_up(to));
        let mut peers: Vec<PeerName> = up.map(|(peer, _)| peer.clone()).collect();
        peers.dedup();
        self.statuses.bgp(key.clone(), &peers);
    }

    fn note_events(&self, turned: &Turned) {
        let Turned { key, before, now } = turned;
        let node = &self.announcing.node;
        if before.bgp.is_none() && now.bgp.is_some() {
            self.note(key, assigned(node, "bgp"));
        }
        if before.layer2.is_none() && now.layer2.is_some() {
            self.note(key, assigned(node, "layer2"));
        }
    }

    fn note_failure(&self, key: &ServiceKey, addresses: &[IpAddr]) {
        let node = &self.announcing.node;
        let cause = Reason::NoInterface
            .diagnostic(key, node, Protocol::Layer2, None)
            .cause;
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let addresses = addresses.join(", ");
        let message = format!(
            "not announcing {addresses} from node \"{node}\" with protocol \"layer2\": {cause}"
        );
        let failed = Note {
            warning: true,
            reason: "announceFailed".into(),
            message,
        };
        self.note(key, failed);
    }

    fn note(&self, key: &ServiceKey, note: Note) {
        if let Some(meta) = self.objects.meta(key) {
            self.recorder.note(subject(key, meta), note);
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
