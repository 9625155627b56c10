// SPDX-License-Identifier: Apache-2.0
//! `metallb_bgp_*` and `metallb_bfd_*`: the set MetalLB has in its `frr` mode, with the labels `peer` and `vrf`.

use std::net::{IpAddr, SocketAddr};

use crate::text::{Kind, Page};

/// Who a session is with, as labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerLabels {
    peer: String,
    vrf: String,
}

impl PeerLabels {
    /// A BGP peer: `address:port`. Without a `vrf` it is `default`.
    #[must_use]
    pub fn bgp(address: IpAddr, port: u16, vrf: Option<&str>) -> Self {
        Self::named(SocketAddr::new(address, port).to_string(), vrf)
    }

    /// A BFD peer: its address alone.
    #[must_use]
    pub fn bfd(address: IpAddr, vrf: Option<&str>) -> Self {
        Self::named(address.to_string(), vrf)
    }

    /// A peer without an address of its own: the interface it is reached by.
    #[must_use]
    pub fn unnumbered(interface: &str, vrf: Option<&str>) -> Self {
        Self::named(interface.to_owned(), vrf)
    }

    fn named(peer: String, vrf: Option<&str>) -> Self {
        let vrf = vrf.filter(|vrf| !vrf.is_empty()).unwrap_or("default");
        Self {
            peer,
            vrf: vrf.to_owned(),
        }
    }

    fn pairs(&self) -> [(&str, &str); 2] {
        [("peer", &self.peer), ("vrf", &self.vrf)]
    }
}

/// BGP messages by type.
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

impl Messages {
    fn total(&self) -> u64 {
        [
            self.update,
            self.notification,
            self.keepalive,
            self.route_refresh,
        ]
        .into_iter()
        .fold(self.open, u64::saturating_add)
    }
}

/// A BGP session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BgpPeer {
    /// Who with.
    pub labels: PeerLabels,
    /// Whether it is established.
    pub up: bool,
    /// Prefixes the peer has from us.
    pub advertised: usize,
    /// Changes still to be sent.
    pub pending: usize,
    /// What was sent.
    pub sent: Messages,
    /// What was received.
    pub received: Messages,
    /// How often the established session was lost.
    pub losses: u64,
}

/// A BFD session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BfdPeer {
    /// Who with.
    pub labels: PeerLabels,
    /// Whether it is up.
    pub up: bool,
    /// Control packets received.
    pub control_input: u64,
    /// Control packets sent.
    pub control_output: u64,
    /// Echo packets received.
    pub echo_input: u64,
    /// Echo packets sent.
    pub echo_output: u64,
    /// How often it came up.
    pub up_events: u64,
    /// How often it went down.
    pub down_events: u64,
    /// How often BGP was told of either.
    pub notifications: u64,
}

type Figure<T> = (&'static str, Kind, &'static str, fn(&T) -> u64);

const BGP: [Figure<BgpPeer>; 14] = [
    (
        "metallb_bgp_session_up",
        Kind::Gauge,
        "1 while the session is established.",
        |peer| peer.up.into(),
    ),
    (
        "metallb_bgp_announced_prefixes_total",
        Kind::Gauge,
        "Prefixes the peer has from us.",
        |peer| whole(peer.advertised),
    ),
    (
        "metallb_bgp_pending_prefixes_total",
        Kind::Gauge,
        "Changes of prefixes still to be sent.",
        |peer| whole(peer.pending),
    ),
    (
        "metallb_bgp_updates_total",
        Kind::Counter,
        "UPDATE messages sent.",
        |peer| peer.sent.update,
    ),
    (
        "metallb_bgp_updates_total_received",
        Kind::Counter,
        "UPDATE messages received.",
        |peer| peer.received.update,
    ),
    (
        "metallb_bgp_opens_sent",
        Kind::Counter,
        "OPEN messages sent.",
        |peer| peer.sent.open,
    ),
    (
        "metallb_bgp_opens_received",
        Kind::Counter,
        "OPEN messages received.",
        |peer| peer.received.open,
    ),
    (
        "metallb_bgp_notifications_sent",
        Kind::Counter,
        "NOTIFICATION messages sent.",
        |peer| peer.sent.notification,
    ),
    (
        "metallb_bgp_keepalives_sent",
        Kind::Counter,
        "KEEPALIVE messages sent.",
        |peer| peer.sent.keepalive,
    ),
    (
        "metallb_bgp_keepalives_received",
        Kind::Counter,
        "KEEPALIVE messages received.",
        |peer| peer.received.keepalive,
    ),
    (
        "metallb_bgp_route_refresh_sent",
        Kind::Counter,
        "ROUTE-REFRESH messages sent.",
        |peer| peer.sent.route_refresh,
    ),
    (
        "metallb_bgp_total_sent",
        Kind::Counter,
        "Messages sent.",
        |peer| peer.sent.total(),
    ),
    (
        "metallb_bgp_total_received",
        Kind::Counter,
        "Messages received.",
        |peer| peer.received.total(),
    ),
    (
        "ferrolb_bgp_session_losses_total",
        Kind::Counter,
        "How often the established session was lost.",
        |peer| peer.losses,
    ),
];

const BFD: [Figure<BfdPeer>; 8] = [
    (
        "metallb_bfd_session_up",
        Kind::Gauge,
        "1 while the session is up.",
        |peer| peer.up.into(),
    ),
    (
        "metallb_bfd_control_packet_input",
        Kind::Counter,
        "Control packets received.",
        |peer| peer.control_input,
    ),
    (
        "metallb_bfd_control_packet_output",
        Kind::Counter,
        "Control packets sent.",
        |peer| peer.control_output,
    ),
    (
        "metallb_bfd_echo_packet_input",
        Kind::Counter,
        "Echo packets received.",
        |peer| peer.echo_input,
    ),
    (
        "metallb_bfd_echo_packet_output",
        Kind::Counter,
        "Echo packets sent.",
        |peer| peer.echo_output,
    ),
    (
        "metallb_bfd_session_up_events",
        Kind::Counter,
        "How often the session came up.",
        |peer| peer.up_events,
    ),
    (
        "metallb_bfd_session_down_events",
        Kind::Counter,
        "How often the session went down.",
        |peer| peer.down_events,
    ),
    (
        "metallb_bfd_zebra_notifications",
        Kind::Counter,
        "How often BGP was told of the session.",
        |peer| peer.notifications,
    ),
];

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

pub(super) fn write_bgp(page: &mut Page, peers: &[BgpPeer]) {
    write(page, &BGP, peers, |peer| &peer.labels);
}

pub(super) fn write_bfd(page: &mut Page, peers: &[BfdPeer]) {
    write(page, &BFD, peers, |peer| &peer.labels);
}

fn write<T>(page: &mut Page, figures: &[Figure<T>], peers: &[T], labels: fn(&T) -> &PeerLabels) {
    for (name, kind, help, figure) in figures {
        let family = page.family(name, *kind, help);
        for peer in peers {
            family.add(&labels(peer).pairs(), figure(peer));
        }
    }
}
