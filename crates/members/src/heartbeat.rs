// SPDX-License-Identifier: Apache-2.0
//! The heartbeat machine: every node tells every other that it is there, several times a second.
//!
//! A node is alive from its first beat until it says that it leaves or stays silent for
//! [`Timing::silence`]. The own node is always alive. During the first `silence` after it is known which
//! nodes there are nothing is told, so that a node that just came does not take every address for its own;
//! nor does one that was held up itself, and so heard nobody.
//!
//! To be alive is to be ready: a node hears the others from its start, and is alive once it is told to begin.
//! Until then it says that it listens, so that they know where their beats arrive, and share out its addresses
//! among themselves, as though it were not there. So a node that comes to others answers before it is alive,
//! and leaves no gap. Where none of the others answers yet, several may be starting: then a node that is able
//! to says first that it comes, which counts as alive, and is told who else is after another `silence`.
//!
//! A thousand nodes are some ten thousand beats a second, so a beat that brings no news costs no walk over
//! the nodes: the living are told once, and from then on who comes and who goes.

mod heard;
mod strangers;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use ferrolb_types::NodeName;

use self::{heard::Heard, strangers::Strangers};
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
    /// Send these bytes.
    Send(Datagram),
    /// The living nodes are known, and are these, own node included. Told once.
    Alive(BTreeSet<NodeName>),
    /// This node is alive from now on. Not told before [`Output::Alive`].
    Came(NodeName),
    /// This node is no longer alive. Not told before [`Output::Alive`].
    Went(NodeName),
    /// Another node tells this of itself; it differs from what it told before.
    Facts(NodeName, Vec<u8>),
    /// A node that told facts is no longer alive, or tells none any more: what it told counts no more.
    FactsGone(NodeName),
    /// A beat came from an address that is none of its node's, and counts for nothing.
    Unlisted(Unlisted),
}

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Where to.
    pub to: IpAddr,
    /// The own address it must come from to count there; absent where none of that family is known.
    pub from: Option<IpAddr>,
    /// Whether the node it goes to is heard: then its host is there to take it.
    pub is_heard: bool,
    /// What to send.
    pub bytes: Arc<[u8]>,
}

/// A beat from an address that is none of its node's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// The node it names.
    pub node: NodeName,
    /// Where it came from.
    pub source: IpAddr,
    /// Whether this sender is to be named. Each is once, as long as there are not too many.
    pub is_news: bool,
}

/// The machine.
#[derive(Debug)]
pub struct Heartbeat {
    own: NodeName,
    /// Where the others expect the beats of the own node to come from.
    own_addresses: Vec<IpAddr>,
    timing: Timing,
    /// Where each other node is reached: the sender of its beats must be one of these.
    nodes: BTreeMap<NodeName, Vec<IpAddr>>,
    /// The living.
    heard: Heard,
    /// Those of them that answer.
    answering: BTreeSet<NodeName>,
    /// Those that listen and are not alive.
    listening: Heard,
    /// What the own node tells of itself.
    own_facts: Vec<u8>,
    /// What each living node last told of itself.
    facts: BTreeMap<NodeName, Vec<u8>>,
    strangers: Strangers,
    /// Whether it was told who is alive: from then on only changes are.
    told: bool,
    /// When the others had time to speak; absent until it is known who they are.
    settles_at: Option<Instant>,
    /// Whether the own node could answer, if it knew who is alive.
    is_able: bool,
    /// What the own node says of itself.
    stage: Kind,
    beats_at: Instant,
    out: VecDeque<Output>,
}

impl Heartbeat {
    /// The machine of node `own`, started at `now`.
    #[must_use]
    pub fn new(now: Instant, own: NodeName, timing: Timing) -> Self {
        Self {
            own,
            own_addresses: Vec::new(),
            timing,
            nodes: BTreeMap::new(),
            heard: Heard::default(),
            answering: BTreeSet::new(),
            listening: Heard::default(),
            own_facts: Vec::new(),
            facts: BTreeMap::new(),
            strangers: Strangers::default(),
            told: false,
            settles_at: None,
            is_able: false,
            stage: Kind::Listening,
            beats_at: now,
            out: VecDeque::new(),
        }
    }

    /// Tells which nodes there are and where; replaces what was told before. Of the own node the
    /// addresses alone count: its beats are to come from them.
    pub fn set_nodes(&mut self, now: Instant, mut nodes: BTreeMap<NodeName, Vec<IpAddr>>) {
        self.own_addresses = nodes.remove(&self.own).unwrap_or_default();
        self.nodes = nodes;
        self.settles_at.get_or_insert(now + self.timing.silence);
        let nodes = &self.nodes;
        self.strangers
            .retain(|node, source| !is_listed(nodes, node, source));
        let unknown = |node: &&NodeName| !nodes.contains_key(*node);
        let known = self.heard.names().chain(self.listening.names());
        let gone: Vec<NodeName> = known.filter(unknown).cloned().collect();
        for node in gone {
            self.lose(&node);
        }
        // A node that was just added should hear of us at once.
        self.beats_at = now;
    }

    /// The own addresses as the others know them, the one they send to first.
    #[must_use]
    pub fn own_addresses(&self) -> &[IpAddr] {
        &self.own_addresses
    }

    /// The other nodes and where they are.
    #[must_use]
    pub fn others(&self) -> &BTreeMap<NodeName, Vec<IpAddr>> {
        &self.nodes
    }

    /// The own node has all it needs to answer, but perhaps for who is alive.
    pub fn set_able(&mut self, now: Instant) {
        self.is_able = true;
        self.settles_at = self.settles_at.map(|at| at.max(now));
    }

    /// The own node is ready: its beats say so from now on, at once for the first time.
    pub fn begin(&mut self, now: Instant) {
        self.enter(now, Kind::Alive);
    }

    fn enter(&mut self, now: Instant, stage: Kind) {
        if std::mem::replace(&mut self.stage, stage) != stage {
            self.beats_at = now;
        }
    }

    /// Tells what the own node says of itself from now on, beginning with a beat at once.
    pub fn set_facts(&mut self, now: Instant, facts: Vec<u8>) {
        if self.own_facts != facts {
            self.own_facts = facts;
            self.beats_at = now;
        }
    }

    /// Takes in a datagram. One that does not come from an address of the node it names counts for
    /// nothing: it would let anybody keep a dead node alive.
    pub fn receive(&mut self, now: Instant, source: IpAddr, bytes: &[u8]) {
        let Ok(beat) = Beat::parse(bytes) else { return };
        let source = source.to_canonical();
        if !is_listed(&self.nodes, &beat.node, source) {
            self.suspect(beat.node, source);
            return;
        }
        match beat.kind {
            Kind::Alive | Kind::Coming => {
                self.listening.remove(&beat.node);
                if beat.kind == Kind::Coming {
                    self.answering.remove(&beat.node);
                } else if !self.answering.contains(&beat.node) {
                    self.answering.insert(beat.node.clone());
                }
                if self.heard.insert(&beat.node, now) && self.told {
                    self.out.push_back(Output::Came(beat.node.clone()));
                }
                self.learn(beat.node, beat.facts);
            }
            Kind::Leaving => self.lose(&beat.node),
            // Where it was alive it has been started anew, and answers for nothing yet.
            Kind::Listening => {
                self.lose(&beat.node);
                self.listening.insert(&beat.node, now);
            }
        }
    }

    /// Who tells nothing any more is taken at its word: who heard it before and who did not know the same.
    fn learn(&mut self, node: NodeName, facts: Vec<u8>) {
        if facts.is_empty() {
            self.forget(&node);
        } else if self.facts.get(&node) != Some(&facts) {
            self.facts.insert(node.clone(), facts.clone());
            self.out.push_back(Output::Facts(node, facts));
        }
    }

    fn forget(&mut self, node: &NodeName) {
        if self.facts.remove(node).is_some() {
            self.out.push_back(Output::FactsGone(node.clone()));
        }
    }

    fn lose(&mut self, node: &NodeName) {
        self.forget(node);
        self.listening.remove(node);
        self.answering.remove(node);
        if self.heard.remove(node) && self.told {
            self.out.push_back(Output::Went(node.clone()));
        }
    }

    /// Before it is known which nodes there are, every sender is unlisted, and none is to blame.
    fn suspect(&mut self, node: NodeName, source: IpAddr) {
        if self.settles_at.is_some() {
            let is_news = self.strangers.is_news(&node, source);
            self.out.push_back(Output::Unlisted(Unlisted {
                node,
                source,
                is_news,
            }));
        }
    }

    /// Does what is due at `now`.
    pub fn timeout(&mut self, now: Instant) {
        self.excuse(now, now.saturating_duration_since(self.deadline()));
        if let Some(limit) = now.checked_sub(self.timing.silence) {
            let silent = |heartbeat: &Self| {
                let living = heartbeat.heard.silent_since(limit);
                living.or_else(|| heartbeat.listening.silent_since(limit))
            };
            while let Some(node) = silent(self) {
                self.lose(&node);
            }
        }
        if now >= self.beats_at {
            self.send(self.stage);
            self.beats_at = now + self.timing.interval;
        }
        self.settle(now);
    }

    /// We come so late ourselves: what the others sent meanwhile waits to be received, and they get the
    /// time for it.
    fn excuse(&mut self, now: Instant, late: Duration) {
        if late <= self.timing.interval {
            return;
        }
        self.heard.excuse(now, late);
        self.listening.excuse(now, late);
        if let (false, Some(settles_at)) = (self.told, &mut self.settles_at) {
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
        let oldest = [self.heard.oldest(), self.listening.oldest()];
        let silence = oldest
            .into_iter()
            .flatten()
            .map(|at| at + self.timing.silence);
        let settling = self
            .settles_at
            .filter(|_| !self.told && !self.waits_for_itself());
        let others = silence.chain(settling);
        others.fold(self.beats_at, Instant::min)
    }

    fn send(&mut self, kind: Kind) {
        let facts = self.own_facts.clone();
        let beat = Beat {
            kind,
            node: self.own.clone(),
            facts: match kind {
                Kind::Alive | Kind::Coming => facts,
                Kind::Listening | Kind::Leaving => Vec::new(),
            },
        };
        let bytes: Arc<[u8]> = beat.emit().into();
        let own = &self.own_addresses;
        let hears = |node: &NodeName| self.heard.contains(node) || self.listening.contains(node);
        self.out
            .extend(self.nodes.iter().filter_map(|(node, addresses)| {
                let (to, from) = way(own, addresses)?;
                Some(Output::Send(Datagram {
                    to,
                    from,
                    is_heard: hears(node),
                    bytes: Arc::clone(&bytes),
                }))
            }));
    }

    /// Tells who is alive, once the others had time to speak. Not upon a beat: after a stall many of them
    /// may wait behind it.
    fn settle(&mut self, now: Instant) {
        if self.told || self.settles_at.is_none_or(|settles_at| now < settles_at) {
            return;
        }
        if self.is_first() {
            if self.is_able {
                self.enter(now, Kind::Coming);
                self.settles_at = Some(now + self.timing.silence);
            }
            return;
        }
        self.told = true;
        let own = std::iter::once(&self.own);
        let alive = self.heard.names().chain(own).cloned().collect();
        self.out.push_back(Output::Alive(alive));
    }
}

impl Heartbeat {
    /// Whether there are others and none of them answers, nor is the own node about to.
    fn is_first(&self) -> bool {
        self.stage == Kind::Listening && !self.nodes.is_empty() && self.answering.is_empty()
    }

    /// Whether nothing is to be told before the own node is able.
    fn waits_for_itself(&self) -> bool {
        self.is_first() && !self.is_able
    }
}

fn is_listed(nodes: &BTreeMap<NodeName, Vec<IpAddr>>, node: &NodeName, source: IpAddr) -> bool {
    nodes
        .get(node)
        .is_some_and(|addresses| addresses.contains(&source))
}

/// Where to send to a node with `addresses`, and from which own address. One address is enough, and the
/// first is the one Kubernetes prefers; but where both have another family in common, that one.
fn way(own: &[IpAddr], addresses: &[IpAddr]) -> Option<(IpAddr, Option<IpAddr>)> {
    let from = |to: &IpAddr| {
        let mut own = own.iter().copied();
        own.find(|own| own.is_ipv4() == to.is_ipv4())
    };
    let mut ways = addresses.iter().map(|to| (*to, from(to)));
    let first = ways.clone().next();
    ways.find(|(_, from)| from.is_some()).or(first)
}

#[cfg(test)]
mod tests;
