// SPDX-License-Identifier: Apache-2.0
//! What a changed field does to a session that is up.
//!
//! | field | effect |
//! |---|---|
//! | `myASN`, `peerASN` | reset: they are in the OPEN and in every route |
//! | `peerAddress`, `peerPort` | reset: it is another connection |
//! | `password` | reset: the kernel keeps the key of a connection |
//! | `dualStackAddressFamily` | reset: families are negotiated in the OPEN |
//! | `sourceAddress` | reset, unless the connection already has that address (or the field is now unset) |
//! | `routerID` | reset, unless the session already uses that identifier |
//! | `holdTime` | reset, unless the negotiated value stays what it is |
//! | `keepaliveTime` | none: the next keepalive is sent by the new value |
//! | `connectTime` | none: it counts from the next attempt |
//! | `ebgpMultiHop` | none: the TTL of the connection is changed |
//!
//! A session that is not up simply begins anew with the new values.

use std::{net::IpAddr, time::Duration};

use ferrolb_types::RouterId;

use super::PeerConfig;

/// What a change does to a session that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It stays up.
    None,
    /// It is closed and opened again.
    Reset,
}

/// A field of [`PeerConfig`], by its name in the `BGPPeer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `spec.myASN`.
    MyAsn,
    /// `spec.peerASN`.
    PeerAsn,
    /// `spec.peerAddress`.
    PeerAddress,
    /// `spec.peerPort`.
    PeerPort,
    /// `spec.sourceAddress`.
    SourceAddress,
    /// `spec.holdTime`.
    HoldTime,
    /// `spec.keepaliveTime`.
    KeepaliveTime,
    /// `spec.connectTime`.
    ConnectTime,
    /// `spec.routerID`.
    RouterId,
    /// `spec.password` or `spec.passwordSecret`.
    Password,
    /// `spec.ebgpMultiHop`.
    EbgpMultiHop,
    /// `spec.dualStackAddressFamily`.
    DualStackAddressFamily,
}

/// What an established session works with, where that decides whether a change needs a reset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InForce {
    /// Our address of the connection.
    pub(crate) local: IpAddr,
    /// The identifier we sent.
    pub(crate) router_id: RouterId,
    /// The negotiated hold time.
    pub(crate) hold_time: Duration,
    /// The hold time the peer proposed.
    pub(crate) peer_hold_time: Duration,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 12] = [
        Self::MyAsn,
        Self::PeerAsn,
        Self::PeerAddress,
        Self::PeerPort,
        Self::SourceAddress,
        Self::HoldTime,
        Self::KeepaliveTime,
        Self::ConnectTime,
        Self::RouterId,
        Self::Password,
        Self::EbgpMultiHop,
        Self::DualStackAddressFamily,
    ];

    /// The name in the `BGPPeer`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MyAsn => "myASN",
            Self::PeerAsn => "peerASN",
            Self::PeerAddress => "peerAddress",
            Self::PeerPort => "peerPort",
            Self::SourceAddress => "sourceAddress",
            Self::HoldTime => "holdTime",
            Self::KeepaliveTime => "keepaliveTime",
            Self::ConnectTime => "connectTime",
            Self::RouterId => "routerID",
            Self::Password => "password",
            Self::EbgpMultiHop => "ebgpMultiHop",
            Self::DualStackAddressFamily => "dualStackAddressFamily",
        }
    }

    fn differs(self, old: &PeerConfig, new: &PeerConfig) -> bool {
        match self {
            Self::MyAsn => old.my_asn != new.my_asn,
            Self::PeerAsn => old.peer_asn != new.peer_asn,
            Self::PeerAddress => old.remote != new.remote,
            Self::PeerPort => old.port != new.port,
            Self::SourceAddress => old.source_address != new.source_address,
            Self::HoldTime => old.hold_time != new.hold_time,
            Self::KeepaliveTime => old.keepalive_time != new.keepalive_time,
            Self::ConnectTime => old.connect_time != new.connect_time,
            Self::RouterId => old.router_id != new.router_id,
            Self::Password => old.password != new.password,
            Self::EbgpMultiHop => old.ebgp_multihop != new.ebgp_multihop,
            Self::DualStackAddressFamily => old.families != new.families,
        }
    }

    fn effect(self, new: &PeerConfig, in_force: &InForce) -> Effect {
        let reset_unless = |same| if same { Effect::None } else { Effect::Reset };
        match self {
            Self::MyAsn
            | Self::PeerAsn
            | Self::PeerAddress
            | Self::PeerPort
            | Self::Password
            | Self::DualStackAddressFamily => Effect::Reset,
            Self::SourceAddress => reset_unless(
                new.source_address
                    .is_none_or(|source| source == in_force.local),
            ),
            Self::RouterId => reset_unless(new.router_id == Some(in_force.router_id)),
            Self::HoldTime => {
                let hold = new.hold_time.min(in_force.peer_hold_time);
                reset_unless(hold == in_force.hold_time)
            }
            Self::KeepaliveTime | Self::ConnectTime | Self::EbgpMultiHop => Effect::None,
        }
    }
}

/// The first changed field that needs a reset, if one does.
pub(crate) fn effect(old: &PeerConfig, new: &PeerConfig, in_force: &InForce) -> Option<Field> {
    Field::ALL
        .into_iter()
        .find(|field| field.differs(old, new) && field.effect(new, in_force) == Effect::Reset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Families;
    use ferrolb_types::{Asn, Secret};
    use std::net::Ipv4Addr;

    const IN_FORCE: InForce = InForce {
        local: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
        router_id: RouterId(Ipv4Addr::new(192, 0, 2, 2)),
        hold_time: Duration::from_secs(30),
        peer_hold_time: Duration::from_secs(30),
    };

    #[test]
    fn the_table_holds() {
        type Edit = fn(&mut PeerConfig);
        let table: &[(Edit, Option<Field>)] = &[
            (|_| {}, None),
            (|c| c.my_asn = Asn(9), Some(Field::MyAsn)),
            (|c| c.peer_asn = Asn(9), Some(Field::PeerAsn)),
            (
                |c| c.remote = Ipv4Addr::LOCALHOST.into(),
                Some(Field::PeerAddress),
            ),
            (|c| c.port = 1179, Some(Field::PeerPort)),
            (
                |c| c.password = Some(Secret::new("x")),
                Some(Field::Password),
            ),
            (
                |c| c.families = Families::Both,
                Some(Field::DualStackAddressFamily),
            ),
            (|c| c.source_address = Some(IN_FORCE.local), None),
            (
                |c| c.source_address = Some(Ipv4Addr::new(192, 0, 2, 7).into()),
                Some(Field::SourceAddress),
            ),
            (|c| c.router_id = Some(IN_FORCE.router_id), None),
            (
                |c| c.router_id = Some(RouterId(Ipv4Addr::new(1, 1, 1, 1))),
                Some(Field::RouterId),
            ),
            (|c| c.hold_time = Duration::from_secs(180), None),
            (
                |c| c.hold_time = Duration::from_secs(9),
                Some(Field::HoldTime),
            ),
            (|c| c.keepalive_time = Some(Duration::from_secs(3)), None),
            (|c| c.connect_time = Some(Duration::from_secs(3)), None),
            (|c| c.ebgp_multihop = true, None),
        ];
        let old = PeerConfig::new(
            "r1".into(),
            Asn(64500),
            Asn(64501),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        );
        for (n, (edit, want)) in table.iter().enumerate() {
            let mut new = old.clone();
            edit(&mut new);
            assert_eq!(effect(&old, &new, &IN_FORCE), *want, "row {n}");
        }
    }
}
