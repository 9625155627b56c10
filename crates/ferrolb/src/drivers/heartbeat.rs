// SPDX-License-Identifier: Apache-2.0
//! Joins the heartbeat machine to a UDP socket and the clock.

mod sockets;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use ferrolb_members::{Heartbeat, Output, Timing, Unlisted};
use ferrolb_telemetry::metrics::Beats;
use ferrolb_types::NodeName;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use self::sockets::Sockets;

/// The set of living nodes; absent until it is known.
pub type Alive = Option<BTreeSet<NodeName>>;
/// Nodes and where they are reached.
pub type Nodes = BTreeMap<NodeName, Vec<IpAddr>>;

/// What other nodes tell of themselves since it was last taken: the newest of each, nothing of one that is
/// gone.
pub type News = BTreeMap<NodeName, Option<Vec<u8>>>;

/// What is known of the nodes. Who came and what it tells of itself change in one step, so that nobody is
/// judged before what it says is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Who is alive.
    pub alive: Alive,
    has_turned: bool,
    news: News,
}

/// What changed since it was last taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The living nodes, where they are others.
    pub alive: Alive,
    /// What other nodes tell of themselves.
    pub news: News,
}

/// Where to beat and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This node.
    pub own: NodeName,
    /// UDP port, of all nodes.
    pub port: u16,
    /// The own address to beat from and listen at, where it is not to be found out.
    pub bind: Option<IpAddr>,
    /// How often, and how long a silence means death.
    pub timing: Timing,
}

/// A running heartbeat.
#[derive(Debug)]
pub struct Driver {
    /// Takes the nodes there are, whenever that changes.
    pub nodes: watch::Sender<Nodes>,
    /// Takes what this node tells of itself, whenever that changes.
    pub facts: watch::Sender<Vec<u8>>,
    /// Takes that this node could answer, if it knew who is alive.
    pub able: watch::Sender<bool>,
    /// Takes that this node is ready: until then it says that it listens.
    pub ready: watch::Sender<bool>,
    /// Tells what is known of the nodes; what changed is to be had by [`Driver::take`].
    pub members: watch::Receiver<Members>,
    /// What it counts.
    pub beats: Beats,
    taken: watch::Sender<Members>,
    task: JoinHandle<()>,
}

impl Driver {
    /// Starts listening, and beating once this node is ready; at `stop` it says goodbye.
    ///
    /// # Errors
    /// A socket cannot be opened.
    pub fn start(settings: Settings, stop: CancellationToken) -> io::Result<Self> {
        let beats = Beats::default();
        let sockets = Sockets::open(settings.port, settings.bind, beats.unsent.clone())?;
        let (nodes, nodes_rx) = watch::channel(Nodes::new());
        let (facts, facts_rx) = watch::channel(Vec::new());
        let (able, able_rx) = watch::channel(false);
        let (ready, ready_rx) = watch::channel(false);
        let (taken, members) = watch::channel(Members::default());
        let beating = Beating {
            machine: Heartbeat::new(Instant::now(), settings.own, settings.timing),
            sockets,
            nodes: nodes_rx,
            facts: facts_rx,
            able: able_rx,
            ready: ready_rx,
            members: taken.clone(),
            beats: beats.clone(),
        };
        let task = tokio::spawn(beating.run(stop));
        Ok(Self {
            nodes,
            facts,
            able,
            ready,
            members,
            beats,
            taken,
            task,
        })
    }

    /// What changed since this was last called.
    pub fn take(&mut self) -> Changes {
        // First this: what comes in between is told once more rather than not at all.
        self.members.mark_unchanged();
        let mut changes = Changes::default();
        self.taken.send_if_modified(|members| {
            let has_turned = std::mem::take(&mut members.has_turned);
            changes.alive = members.alive.clone().filter(|_| has_turned);
            changes.news = std::mem::take(&mut members.news);
            false
        });
        changes
    }

    /// Waits until goodbye is said.
    pub async fn finished(self) {
        // A task that ended by a panic has nothing left to wait for.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.task).await;
    }
}

impl Members {
    fn take(&mut self, output: Output) {
        match output {
            Output::Alive(alive) => {
                self.alive = Some(alive);
                self.has_turned = true;
            }
            Output::Came(node) => self.turn(|alive| alive.insert(node)),
            Output::Went(node) => self.turn(|alive| alive.remove(&node)),
            Output::Facts(node, facts) => drop(self.news.insert(node, Some(facts))),
            Output::FactsGone(node) => drop(self.news.insert(node, None)),
            Output::Send(_) | Output::Unlisted(_) => {}
        }
    }

    fn turn(&mut self, change: impl FnOnce(&mut BTreeSet<NodeName>) -> bool) {
        self.has_turned |= self.alive.as_mut().is_some_and(change);
    }
}

struct Beating {
    machine: Heartbeat,
    sockets: Sockets,
    nodes: watch::Receiver<Nodes>,
    facts: watch::Receiver<Vec<u8>>,
    able: watch::Receiver<bool>,
    ready: watch::Receiver<bool>,
    members: watch::Sender<Members>,
    beats: Beats,
}

impl Beating {
    async fn run(mut self, stop: CancellationToken) {
        let mut buffer = [0; ferrolb_members::LONGEST];
        loop {
            self.flush();
            let deadline = tokio::time::Instant::from_std(self.machine.deadline());
            tokio::select! {
                () = stop.cancelled() => break,
                received = self.sockets.receive(&mut buffer) => {
                    // An error here is an ICMP message about an earlier datagram: the silence tells as much.
                    if let Ok((length, source)) = received {
                        let bytes = buffer.get(..length).unwrap_or_default();
                        self.machine.receive(Instant::now(), source, bytes);
                    }
                }
                Ok(()) = self.nodes.changed() => self.take_nodes(),
                Ok(()) = self.facts.changed() => {
                    let facts = self.facts.borrow_and_update().clone();
                    self.machine.set_facts(Instant::now(), facts);
                }
                Ok(()) = self.able.changed() => {
                    if *self.able.borrow_and_update() {
                        self.machine.set_able(Instant::now());
                    }
                }
                Ok(()) = self.ready.changed() => self.begin(),
                () = tokio::time::sleep_until(deadline) => self.machine.timeout(Instant::now()),
            }
        }
        self.machine.leave();
        self.flush();
    }

    fn take_nodes(&mut self) {
        let nodes = self.nodes.borrow_and_update().clone();
        let machine = &mut self.machine;
        machine.set_nodes(Instant::now(), nodes);
        self.sockets
            .set_nodes(machine.own_addresses(), machine.others());
    }

    fn begin(&mut self) {
        if *self.ready.borrow_and_update() {
            self.machine.begin(Instant::now());
        }
    }

    fn flush(&mut self) {
        let mut told = Vec::new();
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Send(beat) => self.sockets.send(&beat),
                Output::Unlisted(unlisted) => self.note(&unlisted),
                output => told.push(output),
            }
        }
        if !told.is_empty() {
            self.members
                .send_modify(|members| told.into_iter().for_each(|output| members.take(output)));
        }
    }

    fn note(&self, unlisted: &Unlisted) {
        self.beats.unlisted.inc();
        if unlisted.is_news {
            let listed = self.machine.others().get(&unlisted.node);
            tracing::warn!(
                node = %unlisted.node, source = %unlisted.source, internal_ips = ?listed,
                "beats come from an address that is no InternalIP of the node they name: they count for nothing"
            );
        }
    }
}
