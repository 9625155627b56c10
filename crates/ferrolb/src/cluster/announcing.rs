// SPDX-License-Identifier: Apache-2.0
//! What a node announces, fed by an API server, and what is told there of it: Events, and an object per
//! Service and protocol.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

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

/// By which protocols a Service is announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct How {
    layer2: bool,
    bgp: bool,
}

impl From<&Announced> for How {
    fn from(announced: &Announced) -> Self {
        Self {
            layer2: announced.layer2.is_some(),
            bgp: announced.bgp.is_some(),
        }
    }
}

/// The world, the objects it is made of, and what is told of it.
pub(super) struct Speaking {
    pub(super) announcing: Announcing,
    pub(super) objects: Objects,
    recorder: Recorder,
    statuses: ServiceStatuses,
    monitor: Monitor,
    /// How each Service that is announced is announced.
    told: BTreeMap<ServiceKey, How>,
    sessions: Sessions,
    unanswered: Unanswered,
    /// Whether it is known who is alive, without which layer 2 decides nothing.
    knows_alive: bool,
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
            sessions: Sessions::default(),
            unanswered: Unanswered::default(),
            knows_alive: false,
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
            Heard::Alive(alive) => {
                for update in self.objects.set_alive(&alive) {
                    self.apply(&update);
                }
                self.announcing.set_alive(alive);
                self.unanswered.look_at_all();
                self.knows_alive = true;
            }
            Heard::Interfaces => {
                self.announcing.tell_interfaces();
                self.unanswered.look_at_all();
            }
            Heard::Facts => {
                self.announcing.take_facts();
                self.unanswered.look_at_all();
            }
            Heard::Layer2(event) => self.announcing.note(event),
            Heard::Sessions => {
                let established = self.announcing.bgp.established.borrow();
                self.sessions.observe(Instant::now(), &established);
            }
        }
    }

    /// Carries everything through to the drivers, then tells of it.
    pub(super) async fn settle(&mut self) {
        if self.objects.has(Watched::Nodes) {
            self.announcing.tell_nodes();
        }
        for (key, announced) in self.announcing.settle().await {
            self.tell(&key, &announced);
        }
        let world = &self.announcing.world;
        for (key, addresses) in self.unanswered.take(world) {
            self.note_failure(&key, &addresses);
        }
        if world.is_synced() {
            let peers = world.peers().map(|peer| &peer.name);
            self.sessions.expect(Instant::now(), peers);
            if self.knows_alive {
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
        for (key, _) in self.told.iter().filter(|(_, how)| how.bgp) {
            let announced = self.announcing.world.announced(key);
            let peers = announced.bgp.iter().flat_map(|bgp| &bgp.peers);
            let concerned = match &judged {
                Judged::First => true,
                Judged::Turned(turned) => peers.into_iter().any(|peer| turned.contains(peer)),
            };
            if concerned {
                self.tell_bgp(key, &announced);
            }
        }
        if judged == Judged::First {
            self.statuses.bgp_settled();
        }
    }

    fn tell(&mut self, key: &ServiceKey, announced: &Announced) {
        let now = How::from(announced);
        let before = match now {
            How {
                layer2: false,
                bgp: false,
            } => self.told.remove(key),
            how => self.told.insert(key.clone(), how),
        };
        let before = before.unwrap_or_default();
        self.monitor.announced(key, announced);
        self.note_events(key, before, now);
        if before.layer2 || now.layer2 {
            let interfaces = announced.layer2.as_ref().map(|l2| named(&l2.interfaces));
            self.statuses.layer2(key.clone(), interfaces);
        }
        if before.bgp || now.bgp {
            self.tell_bgp(key, announced);
        }
    }

    fn tell_bgp(&self, key: &ServiceKey, announced: &Announced) {
        if !self.sessions.is_judging() {
            return;
        }
        let peers = announced.bgp.iter().flat_map(|bgp| &bgp.peers);
        let up = peers.filter(|peer| self.sessions.is_up(peer)).cloned();
        let up: Vec<PeerName> = up.collect();
        self.statuses.bgp(key.clone(), &up);
    }

    fn note_events(&self, key: &ServiceKey, before: How, now: How) {
        let node = &self.announcing.node;
        if !before.bgp && now.bgp {
            self.note(key, assigned(node, "bgp"));
        }
        if !before.layer2 && now.layer2 {
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
