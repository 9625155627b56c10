// SPDX-License-Identifier: Apache-2.0
//! What a router is told, in words all daemons share.

use std::net::{IpAddr, Ipv4Addr};

use ferrolb_types::{Asn, LargeCommunity, StandardCommunity};
use ipnet::IpNet;

/// A router's configuration.
#[derive(Clone, Debug)]
pub struct RouterConfig {
    /// Its autonomous system.
    pub asn: Asn,
    /// Its BGP Identifier.
    pub router_id: Ipv4Addr,
    /// Its peers.
    pub neighbors: Vec<Neighbor>,
    /// Routes it originates and announces to all peers.
    pub statics: Vec<StaticRoute>,
    /// How many equal paths it uses side by side; 1 means the best alone.
    pub multipath: u8,
    /// Whether learnt routes go into the kernel (see [`super::Kind::forwards`]).
    pub install: bool,
    /// The TCP port it listens on.
    pub port: u16,
}

impl RouterConfig {
    /// A router that installs what it learns over up to 16 paths, on port 179, without peers yet.
    #[must_use]
    pub fn new(asn: u32, router_id: Ipv4Addr) -> Self {
        Self {
            asn: Asn(asn),
            router_id,
            neighbors: Vec::new(),
            statics: Vec::new(),
            multipath: 16,
            install: true,
            port: 179,
        }
    }

    /// A speaker that only announces `statics`: the stand-in for the program under test.
    #[must_use]
    pub fn announcer(asn: u32, router_id: Ipv4Addr, statics: Vec<StaticRoute>) -> Self {
        Self {
            statics,
            install: false,
            ..Self::new(asn, router_id)
        }
    }

    /// The same with one more peer.
    #[must_use]
    pub fn with(mut self, neighbor: Neighbor) -> Self {
        self.neighbors.push(neighbor);
        self
    }
}

/// The address families of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 unicast alone.
    V4,
    /// IPv6 unicast alone.
    V6,
    /// Both.
    Both,
}

impl Families {
    /// Whether IPv4 unicast is among them.
    #[must_use]
    pub fn v4(self) -> bool {
        self != Self::V6
    }

    /// Whether IPv6 unicast is among them.
    #[must_use]
    pub fn v6(self) -> bool {
        self != Self::V4
    }
}

/// A session's timers, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// The hold time offered; 0 for none.
    pub hold: u16,
    /// From one KEEPALIVE to the next.
    pub keepalive: u16,
    /// Between two attempts to connect.
    pub connect: u16,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            hold: 6,
            keepalive: 2,
            connect: 1,
        }
    }
}

/// One peer of a router.
#[derive(Clone, Debug)]
pub struct Neighbor {
    /// The peer's address, IPv4 or IPv6.
    pub address: IpAddr,
    /// The address this router speaks from.
    pub local: IpAddr,
    /// The peer's autonomous system; the router's own for internal BGP.
    pub asn: Asn,
    /// The port to connect to.
    pub port: u16,
    /// The TCP MD5 key (RFC 2385), if any.
    pub password: Option<String>,
    /// Whether it waits for the peer to connect.
    pub passive: bool,
    /// What the session carries.
    pub families: Families,
    /// Its timers.
    pub timers: Timers,
    /// For a peer of another autonomous system more than one hop away: how many hops.
    pub multihop: Option<u8>,
}

impl Neighbor {
    /// A directly connected peer that connects to this router on port 179, for the family of its address.
    #[must_use]
    pub fn new(local: IpAddr, address: IpAddr, asn: u32) -> Self {
        Self {
            address,
            local,
            asn: Asn(asn),
            port: 179,
            password: None,
            passive: true,
            families: match address {
                IpAddr::V4(_) => Families::V4,
                IpAddr::V6(_) => Families::V6,
            },
            timers: Timers::default(),
            multihop: None,
        }
    }

    /// The same, but this router connects.
    #[must_use]
    pub fn active(self) -> Self {
        Self {
            passive: false,
            ..self
        }
    }

    /// The same with other families.
    #[must_use]
    pub fn carrying(self, families: Families) -> Self {
        Self { families, ..self }
    }

    /// The same with a TCP MD5 key.
    #[must_use]
    pub fn keyed(self, password: &str) -> Self {
        Self {
            password: Some(password.to_owned()),
            ..self
        }
    }

    /// The same with other timers.
    #[must_use]
    pub fn timed(self, timers: Timers) -> Self {
        Self { timers, ..self }
    }
}

/// A route a router originates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticRoute {
    /// The destination.
    pub prefix: IpNet,
    /// LOCAL_PREF, sent to internal peers alone.
    pub local_pref: Option<u32>,
    /// Standard communities.
    pub communities: Vec<StandardCommunity>,
    /// Large communities.
    pub large_communities: Vec<LargeCommunity>,
}

impl StaticRoute {
    /// A route without attributes of its own.
    #[must_use]
    pub fn new(prefix: IpNet) -> Self {
        Self {
            prefix,
            local_pref: None,
            communities: Vec::new(),
            large_communities: Vec::new(),
        }
    }
}
