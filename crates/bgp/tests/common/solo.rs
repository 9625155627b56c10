// SPDX-License-Identifier: Apache-2.0
//! One speaker against peers played by the test, octet by octet.

use std::{collections::BTreeMap, time::Duration};

use bytes::BytesMut;
use ferrolb_bgp::{
    ConnId, Connect, Ends, Event, Fault, Input, NextHops, Output, PeerConfig, PeerStatus, Speaker,
    State, What,
};
use ferrolb_testkit::Clock;

use super::tap::Tap;

pub struct Solo {
    pub speaker: Speaker,
    pub clock: Clock,
    pub connects: Vec<(ConnId, Connect)>,
    pub closed: Vec<ConnId>,
    pub ttls: Vec<(ConnId, u8)>,
    pub events: Vec<Event>,
    pub taps: BTreeMap<ConnId, Tap>,
    pub wants: usize,
    pub next_hops: NextHops,
    pub local: &'static str,
}

impl Solo {
    pub fn new(peers: Vec<PeerConfig>) -> Self {
        let mut solo = Self {
            speaker: super::speaker([10, 0, 0, 1]),
            clock: Clock::new(),
            connects: Vec::new(),
            closed: Vec::new(),
            ttls: Vec::new(),
            events: Vec::new(),
            taps: BTreeMap::new(),
            wants: 0,
            next_hops: NextHops::default(),
            local: "10.0.0.1",
        };
        for peer in peers {
            solo.speaker.set_peer(solo.clock.now(), peer);
        }
        solo.settle();
        solo
    }

    /// Drains all outputs, writing whatever wants to be written.
    pub fn settle(&mut self) {
        while let Some(output) = self.speaker.poll() {
            match output {
                Output::Connect { conn, how } => self.connects.push((conn, how)),
                Output::Close { conn } => self.closed.push(conn),
                Output::SetTtl { conn, ttl } => self.ttls.push((conn, ttl)),
                Output::Event(event) => self.events.push(event),
                Output::WantWrite { conn } => {
                    self.wants += 1;
                    self.write(conn);
                }
            }
        }
        let due = self.speaker.deadline();
        assert!(
            due.is_none_or(|at| at > self.clock.now()),
            "a deadline in the past"
        );
    }

    fn write(&mut self, conn: ConnId) {
        let mut buf = BytesMut::new();
        while self
            .speaker
            .transmit(self.clock.now(), conn, &mut buf, 4096)
        {}
        self.taps.entry(conn).or_default().feed(&buf);
    }

    pub fn input(&mut self, input: Input<'_>) {
        self.speaker.handle(self.clock.now(), input);
        self.settle();
    }

    pub fn ends(&self, remote: &str) -> Ends {
        Ends {
            local: (self.local.parse::<std::net::IpAddr>().unwrap(), 40000).into(),
            remote: (remote.parse::<std::net::IpAddr>().unwrap(), 179).into(),
            next_hops: self.next_hops,
        }
    }

    /// The latest attempt to connect to the peer succeeds.
    pub fn connect(&mut self, remote: &str) -> ConnId {
        let address: std::net::IpAddr = remote.parse().unwrap();
        let mut attempts = self.connects.iter().rev();
        let conn = attempts
            .find(|(_, how)| how.remote.ip() == address)
            .unwrap()
            .0;
        let ends = self.ends(remote);
        self.input(Input::Connected { conn, ends });
        conn
    }

    pub fn accept(&mut self, remote: &str) -> ConnId {
        let (conn, ends) = (self.speaker.new_conn(), self.ends(remote));
        self.input(Input::Accepted { conn, ends });
        conn
    }

    pub fn fail(&mut self, fault: Fault) {
        let conn = self.connects.last().unwrap().0;
        self.input(Input::ConnectFailed { conn, fault });
    }

    pub fn feed(&mut self, conn: ConnId, bytes: &[u8]) {
        self.input(Input::Received { conn, bytes });
    }

    /// Plays an eBGP peer up to Established.
    pub fn establish(&mut self, remote: &str, asn: u16) -> ConnId {
        let conn = self.connect(remote);
        self.feed(conn, &open(asn, 90, [192, 0, 2, 9], &capabilities()));
        self.feed(conn, &message(4, &[]));
        conn
    }

    /// Lets time pass, doing what is due.
    pub fn pass(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        while let Some(at) = self.speaker.deadline().filter(|at| *at <= end) {
            self.clock.advance_to(at);
            self.input(Input::Timeout);
        }
        self.clock.advance_to(end);
    }

    pub fn status(&self, peer: &str) -> PeerStatus {
        let all = self.speaker.status(self.clock.now());
        all.into_iter()
            .find(|status| status.peer.as_str() == peer)
            .unwrap()
    }

    pub fn state(&self, peer: &str) -> State {
        self.status(peer).state
    }

    /// The codes of what is wrong now.
    pub fn problems(&self, peer: &str) -> Vec<&'static str> {
        self.status(peer)
            .problems
            .iter()
            .map(|problem| problem.code.id())
            .collect()
    }

    pub fn lost(&self, peer: &str) -> usize {
        let is_lost =
            |event: &&Event| event.peer.as_str() == peer && matches!(event.what, What::Lost(_));
        self.events.iter().filter(is_lost).count()
    }
}

pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(19 + body.len()).unwrap();
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}

pub fn open(asn: u16, hold: u16, id: [u8; 4], capabilities: &[u8]) -> Vec<u8> {
    let length = u8::try_from(capabilities.len()).unwrap();
    let head = [&[4][..], &asn.to_be_bytes(), &hold.to_be_bytes(), &id].concat();
    let parameters = [&[length + 2, 2, length][..], capabilities].concat();
    message(1, &[head, parameters].concat())
}

/// IPv4 and IPv6 unicast, route refresh, enhanced refresh.
pub fn capabilities() -> Vec<u8> {
    vec![1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 2, 0, 70, 0]
}
