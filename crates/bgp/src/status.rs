// SPDX-License-Identifier: Apache-2.0
//! The state of a peer as a value, for people and programs.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use ferrolb_types::{Family, PeerName, RouterId};

use crate::{Negotiated, Problem};

/// The states of RFC 4271 section 8.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Neither connecting nor listening: the peer is being removed or shut down.
    Idle,
    /// Waiting for a connection to be established.
    Connect,
    /// Waiting for the next attempt, and for the peer to connect.
    Active,
    /// Connected; waiting for the peer's OPEN.
    OpenSent,
    /// OPENs exchanged; waiting for the peer's KEEPALIVE.
    OpenConfirm,
    /// Routes are exchanged.
    Established,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Idle => "Idle",
            Self::Connect => "Connect",
            Self::Active => "Active",
            Self::OpenSent => "OpenSent",
            Self::OpenConfirm => "OpenConfirm",
            Self::Established => "Established",
        })
    }
}

/// Everything to be told about one peer.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Who.
    pub peer: PeerName,
    /// The state of the session.
    pub state: State,
    /// When it entered that state.
    pub since: Instant,
    /// The connection the state speaks of.
    pub link: Option<Link>,
    /// What both sides agreed on, once they have.
    pub negotiated: Option<Negotiated>,
    /// One entry per configured address family, IPv4 first.
    pub families: Vec<FamilyStatus>,
    /// Messages sent over all connections to this peer.
    pub sent: Messages,
    /// Messages received over all connections to this peer.
    pub received: Messages,
    /// What the peer announced and withdrew, in prefixes, over all sessions.
    pub inbound: Inbound,
    /// How often an established session was lost.
    pub flaps: u64,
    /// What is wrong now, if anything: the session is not up, or not as configured.
    pub problems: Vec<Problem>,
    /// Why an established session was last lost.
    pub last_loss: Option<(Instant, Problem)>,
    /// What last went wrong, kept after it was mended.
    pub last_error: Option<(Instant, Problem)>,
    /// When the next attempt to connect is due.
    pub next_attempt: Option<Instant>,
}

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Our end.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
    /// Whether the peer opened it.
    pub accepted: bool,
    /// The identifier we show on it.
    pub router_id: RouterId,
    /// The time between our keepalives; none are sent without it.
    pub keepalive: Option<Duration>,
}

/// One address family of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyStatus {
    /// Which.
    pub family: Family,
    /// Whether the session carries it.
    pub active: bool,
    /// Prefixes the peer has from us.
    pub advertised: usize,
    /// At most this many changes have not been sent yet.
    pub pending: usize,
    /// Whether End-of-RIB was sent.
    pub end_of_rib: bool,
}

/// Messages by type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// OPEN.
    pub open: u64,
    /// UPDATE.
    pub update: u64,
    /// NOTIFICATION.
    pub notification: u64,
    /// KEEPALIVE.
    pub keepalive: u64,
    /// ROUTE-REFRESH.
    pub route_refresh: u64,
}

/// What came in UPDATEs. None of it is installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inbound {
    /// Prefixes announced; a prefix announced again counts again.
    pub announced: u64,
    /// Prefixes withdrawn.
    pub withdrawn: u64,
    /// UPDATEs treated as withdrawal because an attribute was malformed (RFC 7606).
    pub treated_as_withdraw: u64,
    /// UPDATEs of which an attribute was discarded because it was malformed (RFC 7606).
    pub attribute_discarded: u64,
}
