// SPDX-License-Identifier: Apache-2.0
//! Speakers connected by byte streams with latency, in virtual time.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use ferrolb_bgp::{
    ConnId, Ends, Event, Fault, Input, NextHops, Output, PeerStatus, Speaker, State,
};
use ferrolb_testkit::{Clock, Stream};

use super::tap::Tap;

pub struct Node {
    pub speaker: Speaker,
    pub address: IpAddr,
    pub next_hops: NextHops,
    pub listens: bool,
    pub events: Vec<Event>,
}

/// One TCP connection.
pub struct Wire {
    pub ends: [End; 2],
    /// Nothing arrives any more, and nobody notices.
    pub dead: bool,
}

impl Wire {
    fn is_to_hang_up(&self) -> bool {
        !self.dead && (self.sees_the_end(0) || self.sees_the_end(1))
    }

    fn sees_the_end(&self, side: usize) -> bool {
        let (end, other) = (&self.ends[side], &self.ends[1 - side]);
        let drained = end.incoming.next_arrival().is_none() && other.pending.is_empty();
        end.open && !other.open && drained
    }
}

pub struct End {
    pub node: usize,
    conn: ConnId,
    incoming: Stream,
    pending: BytesMut,
    more: bool,
    open: bool,
    /// What this end has read.
    pub tap: Tap,
}

pub struct Net {
    pub clock: Clock,
    pub nodes: Vec<Node>,
    pub wires: Vec<Wire>,
    attempts: Vec<(Instant, usize, ConnId, SocketAddr)>,
    latency: Duration,
    loss: u32,
    window: usize,
    seed: u64,
}

impl Net {
    pub fn new(seed: u64) -> Self {
        Self {
            clock: Clock::new(),
            nodes: Vec::new(),
            wires: Vec::new(),
            attempts: Vec::new(),
            latency: Duration::from_millis(5),
            loss: 0,
            window: 64 * 1024,
            seed,
        }
    }

    pub fn lossy(mut self, percent: u32) -> Self {
        self.loss = percent;
        self
    }

    pub fn window(mut self, bytes: usize) -> Self {
        self.window = bytes;
        self
    }

    pub fn add(&mut self, address: &str, speaker: Speaker) -> usize {
        let address = address.parse().unwrap();
        let (next_hops, events) = (NextHops::default(), Vec::new());
        self.nodes.push(Node {
            speaker,
            address,
            next_hops,
            listens: true,
            events,
        });
        self.nodes.len() - 1
    }

    /// Changes a speaker from outside.
    pub fn on(&mut self, node: usize, act: impl FnOnce(&mut Speaker, Instant)) {
        act(&mut self.nodes[node].speaker, self.clock.now());
        self.drain(node);
    }

    /// Tells a speaker the addresses of its node anew, for each of its open connections.
    pub fn tell_next_hops(&mut self, node: usize) {
        let ends = self.wires.iter().flat_map(|wire| &wire.ends);
        let open = ends.filter(|end| end.node == node && end.open);
        let next_hops = self.nodes[node].next_hops;
        for conn in open.map(|end| end.conn).collect::<Vec<_>>() {
            self.input(node, Input::NextHops { conn, next_hops });
        }
    }

    /// Does everything until `time` has passed.
    pub fn run(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        while self.step(end) {}
        self.clock.advance_to(end);
    }

    /// Runs until the condition holds; fails after `limit`.
    pub fn until(&mut self, limit: Duration, holds: impl Fn(&Self) -> bool) {
        let end = self.clock.now() + limit;
        while !holds(self) {
            assert!(
                self.step(end),
                "not reached within {limit:?}, seed {}",
                self.seed
            );
        }
    }

    pub fn status(&self, node: usize) -> PeerStatus {
        self.nodes[node].speaker.status(self.clock.now()).remove(0)
    }

    pub fn state(&self, node: usize) -> State {
        self.status(node).state
    }

    pub fn both_established(&self) -> bool {
        (0..2).all(|node| self.state(node) == State::Established)
    }

    /// What `node` has read on the newest connection.
    pub fn tap(&self, node: usize) -> &Tap {
        let ends = self
            .wires
            .iter()
            .rev()
            .filter(|wire| wire.ends.iter().all(|end| end.open));
        &ends
            .flat_map(|wire| &wire.ends)
            .find(|end| end.node == node)
            .unwrap()
            .tap
    }

    /// From now on all connections lose everything silently.
    pub fn cut(&mut self) {
        self.wires.iter_mut().for_each(|wire| wire.dead = true);
    }

    /// One moment of activity; false when nothing happens up to `end`.
    fn step(&mut self, end: Instant) -> bool {
        self.pump();
        let Some(at) = self.next().filter(|at| *at <= end) else {
            return false;
        };
        self.clock.advance_to(at);
        self.connect_due();
        self.deliver();
        self.time_out();
        true
    }

    fn next(&self) -> Option<Instant> {
        let deadlines = self.nodes.iter().filter_map(|node| node.speaker.deadline());
        let attempts = self.attempts.iter().map(|(at, ..)| *at);
        let live = self.wires.iter().filter(|wire| !wire.dead);
        let arrivals = live
            .flat_map(|wire| &wire.ends)
            .filter_map(|end| end.incoming.next_arrival());
        let hang_up = self
            .wires
            .iter()
            .any(Wire::is_to_hang_up)
            .then(|| self.clock.now());
        deadlines
            .chain(attempts)
            .chain(arrivals)
            .chain(hang_up)
            .min()
    }

    fn input(&mut self, node: usize, input: Input<'_>) {
        self.drain(node);
        self.nodes[node].speaker.handle(self.clock.now(), input);
        self.drain(node);
    }

    fn drain(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].speaker.poll() {
            match output {
                Output::Connect { conn, how } => {
                    let at = self.clock.now() + self.latency;
                    self.attempts.push((at, node, conn, how.remote));
                }
                Output::Close { conn } => {
                    self.attempts
                        .retain(|attempt| attempt.1 != node || attempt.2 != conn);
                    if let Some(end) = self.end(node, conn) {
                        end.open = false;
                    }
                }
                Output::WantWrite { conn } => {
                    if let Some(end) = self.end(node, conn) {
                        end.more = true;
                    }
                }
                Output::Event(event) => self.nodes[node].events.push(event),
                Output::SetTtl { .. } => {}
            }
        }
    }

    fn end(&mut self, node: usize, conn: ConnId) -> Option<&mut End> {
        let mut ends = self.wires.iter_mut().flat_map(|wire| &mut wire.ends);
        ends.find(|end| end.node == node && end.conn == conn)
    }

    /// Writes what wants to be written into the streams that have room.
    fn pump(&mut self) {
        (0..self.nodes.len()).for_each(|node| self.drain(node));
        let now = self.clock.now();
        for wire in &mut self.wires {
            let [a, b] = &mut wire.ends;
            Self::write(&mut self.nodes, now, a, &mut b.incoming);
            Self::write(&mut self.nodes, now, b, &mut a.incoming);
        }
        (0..self.nodes.len()).for_each(|node| self.drain(node));
    }

    fn write(nodes: &mut [Node], now: Instant, from: &mut End, to: &mut Stream) {
        loop {
            let written = to.write(now, &from.pending);
            bytes::Buf::advance(&mut from.pending, written);
            if !from.pending.is_empty() || !from.more {
                break;
            }
            let speaker = &mut nodes[from.node].speaker;
            from.more = speaker.transmit(now, from.conn, &mut from.pending, 2000);
        }
    }

    fn connect_due(&mut self) {
        let now = self.clock.now();
        let due: Vec<_> = self
            .attempts
            .extract_if(.., |attempt| attempt.0 <= now)
            .collect();
        for (_, node, conn, remote) in due {
            let answers = |other: &Node| other.listens && other.address == remote.ip();
            match self.nodes.iter().position(answers) {
                Some(other) => self.connect(node, conn, other),
                None => self.input(
                    node,
                    Input::ConnectFailed {
                        conn,
                        fault: Fault::Refused,
                    },
                ),
            }
        }
    }

    fn connect(&mut self, node: usize, conn: ConnId, other: usize) {
        let theirs = self.nodes[other].speaker.new_conn();
        let ends = [(node, conn), (other, theirs)].map(|(node, conn)| {
            self.seed += 1;
            let incoming = Stream::new(self.seed, self.latency)
                .lossy(self.loss)
                .window(self.window);
            let (pending, tap) = (BytesMut::new(), Tap::default());
            End {
                node,
                conn,
                incoming,
                pending,
                more: false,
                open: true,
                tap,
            }
        });
        self.wires.push(Wire { ends, dead: false });
        let (a, b) = (&self.nodes[node], &self.nodes[other]);
        let (local, remote) = ((a.address, 40000).into(), (b.address, 179).into());
        let a_ends = Ends {
            local,
            remote,
            next_hops: a.next_hops,
        };
        let b_ends = Ends {
            local: remote,
            remote: local,
            next_hops: b.next_hops,
        };
        self.input(node, Input::Connected { conn, ends: a_ends });
        self.input(
            other,
            Input::Accepted {
                conn: theirs,
                ends: b_ends,
            },
        );
    }

    fn deliver(&mut self) {
        let now = self.clock.now();
        for index in 0..self.wires.len() {
            if self.wires[index].dead {
                continue;
            }
            for side in 0..2 {
                let end = &mut self.wires[index].ends[side];
                let (node, conn, open) = (end.node, end.conn, end.open);
                let bytes = end.incoming.read(now);
                end.tap.feed(&bytes);
                if !bytes.is_empty() && open {
                    self.input(
                        node,
                        Input::Received {
                            conn,
                            bytes: &bytes,
                        },
                    );
                }
                self.hang_up(index, side);
            }
        }
    }

    /// Once all that was written is read, an end sees that the other one closed.
    fn hang_up(&mut self, index: usize, side: usize) {
        if self.wires[index].sees_the_end(side) {
            let end = &mut self.wires[index].ends[side];
            end.open = false;
            let (node, conn) = (end.node, end.conn);
            self.input(node, Input::Closed { conn, fault: None });
        }
    }

    fn time_out(&mut self) {
        let now = self.clock.now();
        for node in 0..self.nodes.len() {
            if self.nodes[node]
                .speaker
                .deadline()
                .is_some_and(|at| at <= now)
            {
                self.input(node, Input::Timeout);
                let due = self.nodes[node].speaker.deadline();
                assert!(due.is_none_or(|at| at > now), "a deadline in the past");
            }
        }
    }
}
