// SPDX-License-Identifier: Apache-2.0
//! The heartbeat machine: every node tells every other that it is there, several times a second.
//!
//! A node is alive from its first beat until it says that it leaves or stays silent for
//! [`Timing::silence`]. The own node is always alive. During the first `silence` after it is known which
//! nodes there are nothing is told, so that a node that just came does not take every address for its own;
//! nor does one that was held up itself, and so heard nobody.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    time::{Duration, Instant},
};

use ferrolb_types::NodeName;

use crate::wire::{Beat, Kind};

/// How often to beat, and how long a silence means death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Time between beats.
    pub interval: Duration,
    /// Silence after which a node counts as dead: several intervals, for datagrams may be lost.
    pub silence: Duration,
}

impl Default for Timing {
    /// A beat every 100 ms, death after 400 ms.
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(100),
            silence: Duration::from_millis(400),
        }
    }
}

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes to this address.
    Send(IpAddr, Vec<u8>),
    /// The set of living nodes, own node included, is now this.
    Alive(BTreeSet<NodeName>),
    /// Another node tells this of itself; it differs from what it told before.
    Facts(NodeName, Vec<u8>),
    /// A node that told facts is no longer alive: what it told counts no more.
    FactsGone(NodeName),
}

/// The machine.
#[derive(Debug)]
pub struct Heartbeat {
    own: NodeName,
    timing: Timing,
    /// Where each other node is reached: the sender of its beats must be one of these.
    nodes: BTreeMap<NodeName, Vec<IpAddr>>,
    /// When each living node was last heard.
    heard: BTreeMap<NodeName, Instant>,
    /// What the own node tells of itself.
    own_facts: Vec<u8>,
    /// What each living node last told of itself.
    facts: BTreeMap<NodeName, Vec<u8>>,
    told: Option<BTreeSet<NodeName>>,
    /// When the others had time to speak; absent until it is known who they are.
    settles_at: Option<Instant>,
    beats_at: Instant,
    out: VecDeque<Output>,
}

impl Heartbeat {
    /// The machine of node `own`, started at `now`.
    #[must_use]
    pub fn new(now: Instant, own: NodeName, timing: Timing) -> Self {
        Self {
            own,
            timing,
            nodes: BTreeMap::new(),
            heard: BTreeMap::new(),
            own_facts: Vec::new(),
            facts: BTreeMap::new(),
            told: None,
            settles_at: None,
            beats_at: now,
            out: VecDeque::new(),
        }
    }

    /// Tells which nodes there are and where; replaces what was told before. The own node is ignored.
    pub fn set_nodes(&mut self, now: Instant, nodes: BTreeMap<NodeName, Vec<IpAddr>>) {
        self.nodes = nodes;
        self.nodes.remove(&self.own);
        self.settles_at.get_or_insert(now + self.timing.silence);
        self.heard.retain(|node, _| self.nodes.contains_key(node));
        // A node that was just added should hear of us at once.
        self.beats_at = now;
        self.tell(now);
    }

    /// Tells what the own node says of itself from now on, beginning with a beat at once.
    pub fn set_facts(&mut self, now: Instant, facts: Vec<u8>) {
        if self.own_facts != facts {
            self.own_facts = facts;
            self.beats_at = now;
        }
    }

    /// Takes in a datagram. One that does not come from an address of the node it names is dropped:
    /// it would let anybody keep a dead node alive.
    pub fn receive(&mut self, now: Instant, source: IpAddr, bytes: &[u8]) {
        let Ok(beat) = Beat::parse(bytes) else { return };
        let source = source.to_canonical();
        if !self
            .nodes
            .get(&beat.node)
            .is_some_and(|addresses| addresses.contains(&source))
        {
            return;
        }
        match beat.kind {
            Kind::Alive => {
                self.heard.insert(beat.node.clone(), now);
                self.learn(beat.node, beat.facts);
            }
            Kind::Leaving => drop(self.heard.remove(&beat.node)),
        }
        self.tell(now);
    }

    fn learn(&mut self, node: NodeName, facts: Vec<u8>) {
        if !facts.is_empty() && self.facts.get(&node) != Some(&facts) {
            self.facts.insert(node.clone(), facts.clone());
            self.out.push_back(Output::Facts(node, facts));
        }
    }

    /// Does what is due at `now`.
    pub fn timeout(&mut self, now: Instant) {
        self.excuse(now.saturating_duration_since(self.deadline()));
        if now >= self.beats_at {
            self.send(Kind::Alive);
            self.beats_at = now + self.timing.interval;
        }
        let silence = self.timing.silence;
        self.heard
            .retain(|_, heard| now.saturating_duration_since(*heard) < silence);
        self.tell(now);
    }

    /// We come so late ourselves: what the others sent meanwhile waits to be received, and they get the
    /// time for it.
    fn excuse(&mut self, late: Duration) {
        if late <= self.timing.interval {
            return;
        }
        for heard in self.heard.values_mut() {
            *heard += late;
        }
        if let (None, Some(settles_at)) = (&self.told, &mut self.settles_at) {
            *settles_at += late;
        }
    }

    /// Says goodbye to every node.
    pub fn leave(&mut self) {
        self.send(Kind::Leaving);
    }

    /// The next thing to do; drain until `None` after every call.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to call [`Heartbeat::timeout`] next.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let silence = self
            .heard
            .values()
            .map(|heard| *heard + self.timing.silence);
        let settling = self.settles_at.filter(|_| self.told.is_none());
        silence.chain(settling).fold(self.beats_at, Instant::min)
    }

    fn send(&mut self, kind: Kind) {
        let beat = Beat {
            kind,
            node: self.own.clone(),
            facts: self.own_facts.clone(),
        };
        let bytes = beat.emit();
        // One address of each node is enough, and its first is the one Kubernetes prefers.
        let targets = self
            .nodes
            .values()
            .filter_map(|addresses| addresses.first());
        self.out
            .extend(targets.map(|address| Output::Send(*address, bytes.clone())));
    }

    fn tell(&mut self, now: Instant) {
        self.forget_the_dead();
        if self.settles_at.is_none_or(|settles_at| now < settles_at) {
            return;
        }
        let mut alive: BTreeSet<NodeName> = self.heard.keys().cloned().collect();
        alive.insert(self.own.clone());
        if self.told.as_ref() != Some(&alive) {
            self.told = Some(alive.clone());
            self.out.push_back(Output::Alive(alive));
        }
    }

    fn forget_the_dead(&mut self) {
        let (heard, out) = (&self.heard, &mut self.out);
        self.facts.retain(|node, _| {
            let lives = heard.contains_key(node);
            if !lives {
                out.push_back(Output::FactsGone(node.clone()));
            }
            lives
        });
    }
}

#[cfg(test)]
mod tests;
