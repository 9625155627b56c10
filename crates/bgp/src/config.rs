// SPDX-License-Identifier: Apache-2.0
//! What a peer is configured to be. Plain data, checked where it was parsed.
//!
//! [`mod@change`] holds the table of what a changed field does to a session that is up.

mod change;

use std::{net::IpAddr, time::Duration};

use ferrolb_types::{Asn, Family, PeerName, RouterId, Secret};

pub use change::{Effect, Field};
pub(crate) use change::{InForce, effect};

/// The port BGP listens on (RFC 4271 section 8.2.1).
pub const BGP_PORT: u16 = 179;

/// One peer. Begin with [`PeerConfig::new`] and set what differs from the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerConfig {
    /// The name of the `BGPPeer`.
    pub name: PeerName,
    /// Our AS towards this peer.
    pub my_asn: Asn,
    /// The AS the peer must have. Equal to `my_asn` it makes the session internal.
    pub peer_asn: Asn,
    /// The peer's address.
    pub remote: IpAddr,
    /// The peer's port.
    pub port: u16,
    /// The address to connect from; absent, the kernel chooses.
    pub source_address: Option<IpAddr>,
    /// The hold time we propose, in whole seconds; zero, or at least three seconds.
    pub hold_time: Duration,
    /// Time between keepalives; absent, a third of the negotiated hold time. Never more than that, nor
    /// less than a second.
    pub keepalive_time: Option<Duration>,
    /// The longest time between attempts to connect; absent, 120 s.
    pub connect_time: Option<Duration>,
    /// Our BGP Identifier; absent, one is derived from the connection.
    pub router_id: Option<RouterId>,
    /// TCP MD5 password (RFC 2385).
    pub password: Option<Secret>,
    /// Whether an external peer may be more than one hop away.
    pub ebgp_multihop: bool,
    /// The address families the session is to carry.
    pub families: Families,
}

/// The address families a session is to carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Families {
    /// That of the peer's address.
    #[default]
    Own,
    /// IPv4 and IPv6.
    Both,
}

impl PeerConfig {
    /// A peer on port 179 with hold time 90 s and everything else unset.
    #[must_use]
    pub fn new(name: PeerName, my_asn: Asn, peer_asn: Asn, remote: IpAddr) -> Self {
        Self {
            name,
            my_asn,
            peer_asn,
            remote: remote.to_canonical(),
            port: BGP_PORT,
            source_address: None,
            hold_time: Duration::from_secs(90),
            keepalive_time: None,
            connect_time: None,
            router_id: None,
            password: None,
            ebgp_multihop: false,
            families: Families::Own,
        }
    }

    /// Whether the peer is in our own AS.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.my_asn == self.peer_asn
    }

    /// The hold time as it goes into the OPEN.
    #[must_use]
    pub fn hold_seconds(&self) -> u16 {
        u16::try_from(self.hold_time.as_secs()).unwrap_or(u16::MAX)
    }

    /// The TTL of the packets we send: 1 towards an external peer that must be a neighbour on the link.
    #[must_use]
    pub fn ttl(&self) -> u8 {
        if self.is_internal() || self.ebgp_multihop {
            255
        } else {
            1
        }
    }

    /// The address families the session is to carry, IPv4 first.
    pub fn families(&self) -> impl Iterator<Item = Family> + use<> {
        let (own, wanted) = (Family::of(self.remote), self.families);
        [Family::IPv4, Family::IPv6]
            .into_iter()
            .filter(move |family| wanted == Families::Both || *family == own)
    }
}
