// SPDX-License-Identifier: Apache-2.0
//! What two OPENs reduce to: everything later reads [`Negotiated`], nothing reads capabilities again.
//!
//! RFC 4271 section 6.2 (checks of the OPEN), RFC 4760 section 8, RFC 5492, RFC 6286, RFC 6793, RFC 7313,
//! RFC 8654, RFC 8950.

use std::time::Duration;

use ferrolb_types::{Asn, Family, RouterId};

use crate::{
    Ends, PeerConfig, Problem,
    timers::SHORTEST_KEEPALIVE,
    wire::{
        AfiSafi, AsWidth, Capability, ErrorCode, ExtendedNextHop, MaxLength, NextHop, Notification,
        Open, OpenError, Options, PeerKind,
    },
};

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The peer's AS.
    pub peer_asn: Asn,
    /// The peer's BGP Identifier.
    pub peer_router_id: RouterId,
    /// The address families the session carries, IPv4 first.
    pub families: Vec<Family>,
    /// The hold time in force; without it neither side sends keepalives.
    pub hold_time: Option<Duration>,
    /// The hold time the peer proposed.
    pub peer_hold_time: Duration,
    /// Whether AS numbers have four octets (RFC 6793).
    pub four_octet_as: bool,
    /// Whether messages of up to 65,535 octets are taken by the peer (RFC 8654).
    pub extended_messages: bool,
    /// How routes can be asked for again.
    pub route_refresh: RouteRefresh,
    /// Whether IPv4 routes may have an IPv6 next hop (RFC 8950).
    pub extended_next_hop: bool,
    /// Whether the peer offers graceful restart (RFC 4724). Remembered, not used.
    pub peer_graceful_restart: bool,
}

/// How routes can be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteRefresh {
    /// Not at all.
    None,
    /// RFC 2918.
    Plain,
    /// With begin and end marked (RFC 7313).
    Enhanced,
}

impl Negotiated {
    /// Checks the peer's OPEN and derives what is agreed.
    pub(crate) fn new(
        config: &PeerConfig,
        router_id: RouterId,
        open: &Open,
    ) -> Result<Self, (Notification, Problem)> {
        check(config, router_id, open)?;
        let families = common_families(config, open);
        if families.is_empty() {
            return Err((unsupported_families(config), Problem::no_family(config)));
        }
        let has = |capability| open.capabilities.contains(&capability);
        let hold = config.hold_seconds().min(open.hold_time);
        Ok(Self {
            peer_asn: open.asn(),
            peer_router_id: open.router_id,
            families,
            hold_time: (hold > 0).then(|| Duration::from_secs(hold.into())),
            peer_hold_time: Duration::from_secs(open.hold_time.into()),
            four_octet_as: open.four_octet_as().is_some(),
            extended_messages: has(Capability::ExtendedMessage),
            route_refresh: match has(Capability::RouteRefresh) {
                false => RouteRefresh::None,
                true if has(Capability::EnhancedRouteRefresh) => RouteRefresh::Enhanced,
                true => RouteRefresh::Plain,
            },
            extended_next_hop: offers_extended_next_hop(config) && takes_extended_next_hop(open),
            peer_graceful_restart: open
                .capabilities
                .iter()
                .any(|capability| matches!(capability, Capability::GracefulRestart(_))),
        })
    }

    /// What the meaning of received messages depends on.
    pub(crate) fn options(&self, config: &PeerConfig) -> Options {
        Options {
            as_width: self.as_width(),
            peer: if config.is_internal() {
                PeerKind::Internal
            } else {
                PeerKind::External
            },
            ipv4_over_ipv6: self.extended_next_hop,
        }
    }

    /// The width of AS numbers on this session.
    pub(crate) fn as_width(&self) -> AsWidth {
        if self.four_octet_as {
            AsWidth::Four
        } else {
            AsWidth::Two
        }
    }

    /// The time between keepalives: the configured one, but a third of the hold time at most, and a second
    /// at least, which is the shortest third there is.
    #[must_use]
    pub fn keepalive(&self, configured: Option<Duration>) -> Option<Duration> {
        let third = self.hold_time? / 3;
        Some(
            configured
                .filter(|time| !time.is_zero())
                .map_or(third, |time| time.max(SHORTEST_KEEPALIVE).min(third)),
        )
    }

    /// The largest message the peer takes.
    #[must_use]
    pub fn max_length(&self) -> MaxLength {
        if self.extended_messages {
            MaxLength::Extended
        } else {
            MaxLength::Standard
        }
    }

    /// The next hop of the family's routes, if this end has one.
    #[must_use]
    pub fn next_hop(&self, family: Family, ends: &Ends) -> Option<NextHop> {
        let v6 = || {
            let global = ends.next_hop_v6()?;
            let link_local = ends
                .next_hops
                .link_local
                .filter(|address| *address != global);
            Some(NextHop::V6 { global, link_local })
        };
        match family {
            Family::IPv4 => {
                let v4 = ends.next_hop_v4().map(NextHop::V4);
                v4.or_else(|| if self.extended_next_hop { v6() } else { None })
            }
            Family::IPv6 => v6(),
        }
    }
}

/// Our OPEN.
pub(crate) fn our_open(config: &PeerConfig, router_id: RouterId) -> Open {
    let mut capabilities: Vec<_> = multiprotocol(config).collect();
    capabilities.push(Capability::RouteRefresh);
    if offers_extended_next_hop(config) {
        capabilities.push(Capability::ExtendedNextHop(vec![
            ExtendedNextHop::IPV4_OVER_IPV6,
        ]));
    }
    capabilities.push(Capability::ExtendedMessage);
    capabilities.push(Capability::FourOctetAs(config.my_asn));
    capabilities.push(Capability::EnhancedRouteRefresh);
    Open::new(
        config.my_asn,
        config.hold_seconds(),
        router_id,
        capabilities,
    )
}

fn multiprotocol(config: &PeerConfig) -> impl Iterator<Item = Capability> + use<> {
    config
        .families()
        .map(|family| Capability::Multiprotocol(family.into()))
}

/// Unsupported Capability, naming the families we need one of (RFC 5492 section 5).
fn unsupported_families(config: &PeerConfig) -> Notification {
    let capability = |family| {
        let AfiSafi { afi, safi } = AfiSafi::from(family);
        let [high, low] = afi.to_be_bytes();
        [1, 4, high, low, 0, safi]
    };
    let data: Vec<u8> = config.families().flat_map(capability).collect();
    Notification::with_data(ErrorCode::Open(OpenError::UnsupportedCapability), &data)
}

/// Whether we offer IPv6 next hops for IPv4 routes: where IPv4 routes go over an IPv6 session.
fn offers_extended_next_hop(config: &PeerConfig) -> bool {
    config.remote.is_ipv6() && config.families().any(|family| family == Family::IPv4)
}

fn takes_extended_next_hop(open: &Open) -> bool {
    let wanted = ExtendedNextHop::IPV4_OVER_IPV6;
    open.capabilities.iter().any(|capability| match capability {
        Capability::ExtendedNextHop(list) => list.contains(&wanted),
        _ => false,
    })
}

fn check(
    config: &PeerConfig,
    router_id: RouterId,
    open: &Open,
) -> Result<(), (Notification, Problem)> {
    if open.asn() != config.peer_asn {
        let told = ErrorCode::Open(OpenError::BadPeerAs).into();
        return Err((told, Problem::wrong_asn(config, open.asn())));
    }
    // RFC 6286 section 2.2: only inside an AS must identifiers differ.
    if config.is_internal() && open.router_id == router_id {
        let told = ErrorCode::Open(OpenError::BadBgpIdentifier).into();
        return Err((told, Problem::same_router_id(config, router_id)));
    }
    Ok(())
}

/// RFC 4760 section 8: without the capability a peer carries IPv4 unicast alone.
fn common_families(config: &PeerConfig, open: &Open) -> Vec<Family> {
    let is_multiprotocol =
        |capability: &Capability| matches!(capability, Capability::Multiprotocol(_));
    let classic = !open.capabilities.iter().any(is_multiprotocol);
    let offered = |family: &Family| {
        let capability = Capability::Multiprotocol((*family).into());
        open.capabilities.contains(&capability) || (classic && *family == Family::IPv4)
    };
    config.families().filter(offered).collect()
}
