// SPDX-License-Identifier: Apache-2.0
//! Joins the heartbeat machine to a UDP socket and the clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use ferrolb_members::{Heartbeat, Output, Timing};
use ferrolb_types::NodeName;
use tokio::{net::UdpSocket, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The set of living nodes; absent until it is known.
pub type Alive = Option<BTreeSet<NodeName>>;
/// Nodes and where they are reached.
pub type Nodes = BTreeMap<NodeName, Vec<IpAddr>>;

/// What other nodes tell of themselves.
pub type Others = BTreeMap<NodeName, Vec<u8>>;

/// A running heartbeat.
#[derive(Debug)]
pub struct Driver {
    /// Takes the nodes there are, whenever that changes.
    pub nodes: watch::Sender<Nodes>,
    /// Takes what this node tells of itself, whenever that changes.
    pub facts: watch::Sender<Vec<u8>>,
    /// Tells who is alive.
    pub alive: watch::Receiver<Alive>,
    /// Tells what the living nodes tell of themselves.
    pub others: watch::Receiver<Others>,
    task: JoinHandle<()>,
}

impl Driver {
    /// Starts beating on `port` as node `own` until `stop`, then says goodbye.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn start(
        own: NodeName,
        port: u16,
        timing: Timing,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let socket = open(port)?;
        let (nodes, nodes_rx) = watch::channel(Nodes::new());
        let (facts, facts_rx) = watch::channel(Vec::new());
        let (alive_tx, alive) = watch::channel(None);
        let (others_tx, others) = watch::channel(Others::new());
        let machine = Heartbeat::new(Instant::now(), own, timing);
        let beating = Beating {
            machine,
            socket,
            port,
            nodes: nodes_rx,
            facts: facts_rx,
            alive: alive_tx,
            others: others_tx,
        };
        let task = tokio::spawn(beating.run(stop));
        Ok(Self {
            nodes,
            facts,
            alive,
            others,
            task,
        })
    }

    /// Waits until goodbye is said.
    pub async fn finished(self) {
        // A task that ended by a panic has nothing left to wait for.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.task).await;
    }
}

/// One socket for both families where the host has IPv6, otherwise for IPv4 alone.
fn open(port: u16) -> io::Result<UdpSocket> {
    let any = |address: IpAddr| std::net::UdpSocket::bind(SocketAddr::new(address, port));
    let socket =
        any(Ipv6Addr::UNSPECIFIED.into()).or_else(|_| any(Ipv4Addr::UNSPECIFIED.into()))?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

struct Beating {
    machine: Heartbeat,
    socket: UdpSocket,
    port: u16,
    nodes: watch::Receiver<Nodes>,
    facts: watch::Receiver<Vec<u8>>,
    alive: watch::Sender<Alive>,
    others: watch::Sender<Others>,
}

impl Beating {
    async fn run(mut self, stop: CancellationToken) {
        let mut buffer = [0; ferrolb_members::LONGEST];
        loop {
            self.flush().await;
            let deadline = tokio::time::Instant::from_std(self.machine.deadline());
            tokio::select! {
                () = stop.cancelled() => break,
                received = self.socket.recv_from(&mut buffer) => {
                    // An error here is an ICMP message about an earlier datagram: the silence tells as much.
                    if let Ok((length, source)) = received {
                        let bytes = buffer.get(..length).unwrap_or_default();
                        self.machine.receive(Instant::now(), source.ip(), bytes);
                    }
                }
                Ok(()) = self.nodes.changed() => {
                    let nodes = self.nodes.borrow_and_update().clone();
                    self.machine.set_nodes(Instant::now(), nodes);
                }
                Ok(()) = self.facts.changed() => {
                    let facts = self.facts.borrow_and_update().clone();
                    self.machine.set_facts(Instant::now(), facts);
                }
                () = tokio::time::sleep_until(deadline) => self.machine.timeout(Instant::now()),
            }
        }
        self.machine.leave();
        self.flush().await;
    }

    async fn flush(&mut self) {
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Send(to, bytes) => self.send(to, &bytes).await,
                Output::Alive(alive) => drop(self.alive.send_replace(Some(alive))),
                Output::Facts(node, facts) => self.others.send_modify(|others| {
                    others.insert(node, facts);
                }),
                Output::FactsGone(node) => self.others.send_modify(|others| {
                    others.remove(&node);
                }),
            }
        }
    }

    async fn send(&self, to: IpAddr, bytes: &[u8]) {
        let mapped = match (to, self.socket.local_addr()) {
            (IpAddr::V4(v4), Ok(SocketAddr::V6(_))) => v4.to_ipv6_mapped().into(),
            _ => to,
        };
        if let Err(error) = self.socket.send_to(bytes, (mapped, self.port)).await {
            tracing::debug!(node.address = %to, %error, "heartbeat not sent");
        }
    }
}
