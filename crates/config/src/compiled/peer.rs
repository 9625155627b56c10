// SPDX-License-Identifier: Apache-2.0
//! Compiled peers and BFD profiles.

use std::{net::IpAddr, time::Duration};

use ferrolb_types::{Asn, PeerName, RouterId, Secret};

use crate::selector::AnyOf;

/// A router to speak BGP with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Name of the object.
    pub name: PeerName,
    /// Nodes that speak with it.
    pub nodes: AnyOf,
    /// Our AS.
    pub my_asn: Asn,
    /// The AS it must have.
    pub peer_as: PeerAs,
    /// Another AS to show instead of ours.
    pub local_asn: Option<Asn>,
    /// How to reach it.
    pub connection: Connection,
    /// Timers as far as they were written.
    pub timers: Timers,
    /// BGP Identifier to show; absent means one is derived.
    pub router_id: Option<RouterId>,
    /// TCP MD5 password, from the field or from the Secret.
    pub password: Option<Secret>,
    /// BFD profile by name.
    pub bfd_profile: Option<String>,
    /// Whether graceful restart is wanted.
    pub graceful_restart: bool,
    /// Whether the session carries both families; otherwise that of its addresses alone.
    pub dual_stack: bool,
}

/// The AS a peer must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerAs {
    /// This one.
    Exactly(Asn),
    /// Ours, whatever it is.
    Internal,
    /// Any but ours.
    External,
}

/// How to reach a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its address; absent on an unnumbered peering.
    pub address: Option<IpAddr>,
    /// The interface of an unnumbered peering.
    pub interface: Option<String>,
    /// Its TCP port.
    pub port: u16,
    /// Address of ours to connect from.
    pub source: Option<IpAddr>,
    /// Whether it may be more than one hop away.
    pub multihop: bool,
    /// The VRF to connect in.
    pub vrf: Option<String>,
}

/// Timers of a session. Hold and keepalive are both set or both absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timers {
    /// Hold time to propose: 0, or at least 3 s; whole seconds.
    pub hold: Option<Duration>,
    /// Time between keepalives: 0, or at least 1 s; at most the hold time.
    pub keepalive: Option<Duration>,
    /// Time between attempts to connect, 1 s to 65535 s.
    pub connect: Option<Duration>,
}

/// Timers for Bidirectional Forwarding Detection, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BfdProfile {
    /// Name of the object.
    pub name: String,
    /// Shortest time between packets we accept.
    pub receive_interval: Duration,
    /// Shortest time between packets we send.
    pub transmit_interval: Duration,
    /// Packets that may be lost before the session is down.
    pub detect_multiplier: u8,
    /// Time between echo packets.
    pub echo_interval: Duration,
    /// Send echo packets.
    pub echo_mode: bool,
    /// Wait for the other side to begin.
    pub passive_mode: bool,
    /// Lowest TTL accepted in multihop sessions.
    pub minimum_ttl: u8,
}
