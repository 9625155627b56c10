// SPDX-License-Identifier: Apache-2.0
//! What a [`Speaker`](crate::Speaker) tells its driver.

use std::net::{IpAddr, SocketAddr};

use ferrolb_types::{PeerName, Secret};

use crate::{ConnId, Problem};

/// One thing to do, or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Connect to a peer; answer with `Connected` or `ConnectFailed`, unless `Close` comes first.
    Connect {
        /// The number of the connection from now on.
        conn: ConnId,
        /// How.
        how: Connect,
    },
    /// Close the connection, or give up the attempt. Nothing more is said about it; data written
    /// before is still delivered by the kernel.
    Close {
        /// Which.
        conn: ConnId,
    },
    /// There is something to write: call [`transmit`](crate::Speaker::transmit) whenever the socket
    /// takes bytes, until it says that there is no more.
    WantWrite {
        /// Where.
        conn: ConnId,
    },
    /// Set the TTL (or hop limit) of the packets of a connection that stands.
    SetTtl {
        /// Which.
        conn: ConnId,
        /// The value.
        ttl: u8,
    },
    /// Something worth knowing happened to a peer.
    Event(Event),
}

/// How to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// For whom.
    pub peer: PeerName,
    /// The peer's address and port.
    pub remote: SocketAddr,
    /// The address to connect from. Where this host has no such address, let the kernel choose.
    pub source: Option<IpAddr>,
    /// TCP MD5 key for the peer's address.
    pub password: Option<Secret>,
    /// TTL (or hop limit) of the packets.
    pub ttl: u8,
}

/// Something that happened to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// To whom.
    pub peer: PeerName,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The session is established.
    Established,
    /// The established session is lost.
    Lost(Problem),
    /// An attempt to establish the session failed.
    Failed(Problem),
    /// The session goes on, but not as configured or not as it should.
    Notice(Problem),
}
