// SPDX-License-Identifier: Apache-2.0
//! What the driver tells a [`Speaker`](crate::Speaker).

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// A TCP connection. The speaker gives the number: in [`Output::Connect`](crate::Output::Connect), or
/// by [`Speaker::new_conn`](crate::Speaker::new_conn) for one that was accepted. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub(crate) u64);

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A connection asked for stands.
    Connected {
        /// The one of [`Output::Connect`](crate::Output::Connect).
        conn: ConnId,
        /// What is known of its ends.
        ends: Ends,
    },
    /// A connection asked for did not come about.
    ConnectFailed {
        /// The one of [`Output::Connect`](crate::Output::Connect).
        conn: ConnId,
        /// Why.
        fault: Fault,
    },
    /// A peer connected to us.
    Accepted {
        /// From [`Speaker::new_conn`](crate::Speaker::new_conn).
        conn: ConnId,
        /// What is known of its ends.
        ends: Ends,
    },
    /// Bytes came, cut anywhere.
    Received {
        /// Where.
        conn: ConnId,
        /// At least one.
        bytes: &'a [u8],
    },
    /// Our addresses on the interface of the connection, told again: some may have come or gone.
    NextHops {
        /// Which connection.
        conn: ConnId,
        /// All of them.
        next_hops: NextHops,
    },
    /// The connection is gone.
    Closed {
        /// Which.
        conn: ConnId,
        /// Why, unless the peer closed it in order.
        fault: Option<Fault>,
    },
    /// The [`deadline`](crate::Speaker::deadline) has come.
    Timeout,
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's address and port.
    pub remote: SocketAddr,
    /// Our addresses on the interface of the connection, for NEXT_HOP.
    pub next_hops: NextHops,
}

/// Addresses of ours by which the peer can reach us. That of the connection itself need not stand here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextHops {
    /// For IPv4 routes.
    pub v4: Option<Ipv4Addr>,
    /// For IPv6 routes: a global address.
    pub v6: Option<Ipv6Addr>,
    /// The link-local address of the interface, where the peer shares a link with it (RFC 2545).
    pub link_local: Option<Ipv6Addr>,
}

impl Ends {
    /// The ends, IPv4-mapped addresses as IPv4.
    pub(crate) fn canonical(mut self) -> Self {
        self.local.set_ip(self.local.ip().to_canonical());
        self.remote.set_ip(self.remote.ip().to_canonical());
        self
    }

    /// Our address as the next hop of IPv4 routes.
    pub(crate) fn next_hop_v4(&self) -> Option<Ipv4Addr> {
        match self.local.ip() {
            IpAddr::V4(local) => Some(local),
            IpAddr::V6(_) => self.next_hops.v4,
        }
    }

    /// Our address as the next hop of IPv6 routes. A link-local one only where there is no other.
    pub(crate) fn next_hop_v6(&self) -> Option<Ipv6Addr> {
        match self.local.ip() {
            IpAddr::V6(local) if !local.is_unicast_link_local() => Some(local),
            IpAddr::V6(local) => Some(self.next_hops.v6.unwrap_or(local)),
            IpAddr::V4(_) => self.next_hops.v6,
        }
    }
}

/// Why a connection failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens on the port, or a filter says so.
    Refused,
    /// No answer in time.
    TimedOut,
    /// No route to the peer.
    Unreachable,
    /// The peer or something between cut it off.
    Reset,
    /// Anything else, in the words of the operating system.
    Other(String),
}

impl From<&io::Error> for Fault {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::Unreachable,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Reset,
            _ => Self::Other(error.to_string()),
        }
    }
}
