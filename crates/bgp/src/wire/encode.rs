// SPDX-License-Identifier: Apache-2.0
//! The path attributes of routes we announce, encoded once for as many UPDATEs as the routes take.
//!
//! MP_REACH_NLRI, which holds prefixes, is the first attribute of its UPDATE, as RFC 7606 section 5.1 asks; the others follow in
//! ascending order of their types (RFC 4271 section 5).

use bytes::{BufMut, BytesMut};
use ferrolb_types::{Asn, Community, Family};

use super::{
    AfiSafi, AsWidth, NextHop,
    attribute::{
        AS_PATH, AS4_PATH, COMMUNITIES, EXTENDED_LENGTH, LARGE_COMMUNITIES, LOCAL_PREF, NEXT_HOP,
        OPTIONAL, ORIGIN, TRANSITIVE,
    },
    header::patch_u16,
    path::emit_sequence,
};

/// What is said of routes. ORIGIN is IGP; MULTI_EXIT_DISC is never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement<'a> {
    /// AS_PATH as one sequence, the latest first: our own AS towards external peers, nothing towards
    /// internal ones.
    pub as_path: &'a [Asn],
    /// Where to send the traffic.
    pub next_hop: NextHop,
    /// LOCAL_PREF, for internal peers.
    pub local_pref: Option<u32>,
    /// Communities of both kinds, in the order wanted.
    pub communities: &'a [Community],
}

/// The attributes of an [`Announcement`], ready for any number of UPDATEs of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedAttributes {
    pub(super) family: Family,
    /// All attributes but MP_REACH_NLRI.
    pub(super) bytes: BytesMut,
    /// MP_REACH_NLRI up to its prefixes, without flags, type and length; absent where the prefixes
    /// stand in the classic field.
    pub(super) reach: Option<BytesMut>,
}

impl EncodedAttributes {
    /// Encodes for routes of `family` on a session whose AS numbers have `width`.
    ///
    /// IPv4 routes with an IPv4 next hop go into the classic fields, all others into MP_REACH_NLRI.
    #[must_use]
    pub fn new(family: Family, announcement: &Announcement<'_>, width: AsWidth) -> Self {
        let mut bytes = BytesMut::new();
        let reach = match (family, announcement.next_hop) {
            (Family::IPv4, NextHop::V4(_)) => None,
            (_, next_hop) => Some(reach_head(family.into(), next_hop)),
        };
        emit_attributes(&mut bytes, announcement, width, reach.is_none());
        Self {
            family,
            bytes,
            reach,
        }
    }

    /// The family of the routes.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }
}

fn reach_head(family: AfiSafi, next_hop: NextHop) -> BytesMut {
    let mut head = BytesMut::new();
    head.put_u16(family.afi);
    head.put_u8(family.safi);
    next_hop.emit(&mut head);
    head.put_u8(0);
    head
}

fn emit_attributes(buf: &mut BytesMut, said: &Announcement<'_>, width: AsWidth, classic: bool) {
    const WELL_KNOWN: u8 = TRANSITIVE;
    const OPTIONAL_TRANSITIVE: u8 = OPTIONAL | TRANSITIVE;
    attribute(buf, WELL_KNOWN, ORIGIN, |buf| buf.put_u8(0));
    attribute(buf, WELL_KNOWN, AS_PATH, |buf| {
        emit_sequence(buf, width, said.as_path);
    });
    if let (true, NextHop::V4(address)) = (classic, said.next_hop) {
        attribute(buf, WELL_KNOWN, NEXT_HOP, |buf| {
            buf.put_slice(&address.octets());
        });
    }
    if let Some(preference) = said.local_pref {
        attribute(buf, WELL_KNOWN, LOCAL_PREF, |buf| buf.put_u32(preference));
    }
    if said
        .communities
        .iter()
        .any(|community| matches!(community, Community::Standard(_)))
    {
        attribute(buf, OPTIONAL_TRANSITIVE, COMMUNITIES, |buf| {
            standard(buf, said.communities);
        });
    }
    // RFC 6793 section 4.2.2: the true path for those behind a peer that knows two octets only.
    if width == AsWidth::Two && said.as_path.iter().any(|asn| asn.0 > u16::MAX.into()) {
        attribute(buf, OPTIONAL_TRANSITIVE, AS4_PATH, |buf| {
            emit_sequence(buf, AsWidth::Four, said.as_path);
        });
    }
    if said
        .communities
        .iter()
        .any(|community| matches!(community, Community::Large(_)))
    {
        attribute(buf, OPTIONAL_TRANSITIVE, LARGE_COMMUNITIES, |buf| {
            large(buf, said.communities);
        });
    }
}

fn standard(buf: &mut BytesMut, communities: &[Community]) {
    for community in communities {
        if let Community::Standard(community) = community {
            buf.put_u32(community.0);
        }
    }
}

fn large(buf: &mut BytesMut, communities: &[Community]) {
    for community in communities {
        if let Community::Large(community) = community {
            buf.put_u32(community.global);
            buf.put_u32(community.local1);
            buf.put_u32(community.local2);
        }
    }
}

/// Appends an attribute whose value `value` writes; the length takes two octets only where it must.
/// A value above 65535 octets makes the list longer than any message: its length is never read.
fn attribute(buf: &mut BytesMut, flags: u8, code: u8, value: impl FnOnce(&mut BytesMut)) {
    let start = buf.len();
    buf.put_slice(&[flags, code, 0]);
    let from = buf.len();
    value(buf);
    let length = buf.len().saturating_sub(from);
    if let Ok(short) = u8::try_from(length) {
        if let Some(place) = buf.get_mut(start.saturating_add(2)) {
            *place = short;
        }
        return;
    }
    let value = buf.split_off(from);
    buf.put_u8(0);
    if let Some(place) = buf.get_mut(start) {
        *place |= EXTENDED_LENGTH;
    }
    patch_u16(buf, start.saturating_add(2), length);
    buf.put_slice(&value);
}
