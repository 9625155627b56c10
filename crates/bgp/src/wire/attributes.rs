// SPDX-License-Identifier: Apache-2.0
//! The path attributes of a received UPDATE, checked, with lists left where they stand.

use std::net::Ipv4Addr;

use ferrolb_types::{LargeCommunity, StandardCommunity};

use super::{
    AsPath, Options,
    attribute::{self, Raw},
    cursor::{Cursor, Short},
};

/// Where a route came from (RFC 4271 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// IGP (0).
    Igp,
    /// EGP (1).
    Egp,
    /// INCOMPLETE (2).
    Incomplete,
}

/// What an UPDATE says of its routes. Attributes at fault are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// ORIGIN.
    pub origin: Option<Origin>,
    /// AS_PATH as it stands; one of two-octet numbers is not merged with AS4_PATH.
    pub as_path: Option<AsPath<'a>>,
    /// NEXT_HOP, which says nothing of routes in MP_REACH_NLRI.
    pub next_hop: Option<Ipv4Addr>,
    /// MULTI_EXIT_DISC.
    pub med: Option<u32>,
    /// LOCAL_PREF; never from an external peer.
    pub local_pref: Option<u32>,
    /// Whether ATOMIC_AGGREGATE is there.
    pub atomic_aggregate: bool,
    /// How many optional attributes of unknown type there are.
    pub unknown: u16,
    communities: &'a [u8],
    large_communities: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// COMMUNITIES, in the order received.
    pub fn communities(&self) -> impl Iterator<Item = StandardCommunity> + use<'a> {
        let mut cursor = Cursor::new(self.communities);
        std::iter::from_fn(move || cursor.u32().ok().map(StandardCommunity))
    }

    /// LARGE_COMMUNITIES, in the order received.
    pub fn large_communities(&self) -> impl Iterator<Item = LargeCommunity> + use<'a> {
        let mut cursor = Cursor::new(self.large_communities);
        std::iter::from_fn(move || take_large(&mut cursor).ok())
    }

    /// Takes over an attribute whose flags and length are right.
    ///
    /// # Errors
    /// What is wrong with its value.
    pub(super) fn set(&mut self, raw: &Raw<'a>, options: &Options) -> Result<(), &'static str> {
        let mut value = Cursor::new(raw.value);
        match raw.code {
            attribute::ORIGIN => self.origin = Some(parse_origin(&mut value)?),
            attribute::AS_PATH => self.as_path = Some(AsPath::parse(options.as_width, raw.value)?),
            attribute::NEXT_HOP => self.next_hop = Some(parse_next_hop(&mut value)?),
            attribute::MULTI_EXIT_DISC => self.med = value.u32().ok(),
            attribute::LOCAL_PREF => self.local_pref = value.u32().ok(),
            attribute::ATOMIC_AGGREGATE => self.atomic_aggregate = true,
            attribute::COMMUNITIES => self.communities = raw.value,
            attribute::LARGE_COMMUNITIES => self.large_communities = raw.value,
            _ => {}
        }
        Ok(())
    }
}

fn parse_origin(value: &mut Cursor<'_>) -> Result<Origin, &'static str> {
    match value.u8() {
        Ok(0) => Ok(Origin::Igp),
        Ok(1) => Ok(Origin::Egp),
        Ok(2) => Ok(Origin::Incomplete),
        _ => Err("ORIGIN has an undefined value"),
    }
}

fn parse_next_hop(value: &mut Cursor<'_>) -> Result<Ipv4Addr, &'static str> {
    const CAUSE: &str = "NEXT_HOP is no address of a host";
    let address = Ipv4Addr::from(value.array::<4>().map_err(|Short| CAUSE)?);
    // Above the multicast block there is only what is reserved, and the limited broadcast.
    let is_host = !address.is_unspecified() && address < Ipv4Addr::new(224, 0, 0, 0);
    if is_host { Ok(address) } else { Err(CAUSE) }
}

fn take_large(cursor: &mut Cursor<'_>) -> Result<LargeCommunity, Short> {
    let (global, local1, local2) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    Ok(LargeCommunity {
        global,
        local1,
        local2,
    })
}
