// SPDX-License-Identifier: Apache-2.0
//! MP_REACH_NLRI and MP_UNREACH_NLRI for IPv4 and IPv6 unicast (RFC 4760, RFC 2545, RFC 8950).

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::{BufMut, BytesMut};
use ferrolb_types::Family;

use super::{
    AfiSafi, Disposition, Options, Prefixes,
    cursor::{Cursor, Short},
};

/// The next hop of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// An IPv4 address, for IPv4 routes.
    V4(Ipv4Addr),
    /// IPv6 addresses, for IPv6 routes and, where both sides offered it, for IPv4 routes (RFC 8950).
    V6 {
        /// The global address.
        global: Ipv6Addr,
        /// The link-local address, where sender and receiver share a link (RFC 2545 section 3).
        link_local: Option<Ipv6Addr>,
    },
}

impl NextHop {
    /// Appends the length and the addresses, as MP_REACH_NLRI has them.
    pub(super) fn emit(self, buf: &mut BytesMut) {
        match self {
            Self::V4(address) => {
                buf.put_u8(4);
                buf.put_slice(&address.octets());
            }
            Self::V6 { global, link_local } => {
                buf.put_u8(if link_local.is_some() { 32 } else { 16 });
                buf.put_slice(&global.octets());
                if let Some(address) = link_local {
                    buf.put_slice(&address.octets());
                }
            }
        }
    }

    fn parse(family: Family, bytes: &[u8], options: &Options) -> Result<Self, Short> {
        let mut cursor = Cursor::new(bytes);
        let v6_fits = family == Family::IPv6 || options.ipv4_over_ipv6;
        match (bytes.len(), family) {
            (4, Family::IPv4) => Ok(Self::V4(Ipv4Addr::from(cursor.array::<4>()?))),
            (16, _) if v6_fits => Ok(Self::V6 {
                global: take_v6(&mut cursor)?,
                link_local: None,
            }),
            (32, _) if v6_fits => Ok(Self::V6 {
                global: take_v6(&mut cursor)?,
                link_local: Some(take_v6(&mut cursor)?),
            }),
            _ => Err(Short),
        }
    }
}

fn take_v6(cursor: &mut Cursor<'_>) -> Result<Ipv6Addr, Short> {
    cursor.array::<16>().map(Ipv6Addr::from)
}

/// Why an MP attribute is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MpFault {
    /// Not even its family can be read.
    Unreadable,
    /// What follows the family is wrong.
    Family(AfiSafi, &'static str),
}

impl MpFault {
    /// What becomes of the UPDATE; without one, the session is reset (RFC 7606 section 7.11).
    pub(super) fn disposition(self) -> Option<(Disposition, &'static str)> {
        match self {
            Self::Unreadable => None,
            Self::Family(family, cause) => Some((Disposition::DisableFamily(family), cause)),
        }
    }
}

/// MP_REACH_NLRI.
///
/// ```text
/// +-------------------------------+---------------+---------------+
/// |              AFI              |     SAFI      | Next hop len. |
/// +-------------------------------+---------------+---------------+
/// |  Next hop: 4, 16 or 32 octets ...
/// +---------------+------------------------------------------------
/// |   Reserved    |  Prefixes ...
/// +---------------+------------------------------------------------
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach<'a> {
    pub(super) next_hop: NextHop,
    pub(super) prefixes: Prefixes<'a>,
}

impl<'a> Reach<'a> {
    /// Reads the value; `None` for a family that is not ours to judge.
    pub(super) fn parse(value: &'a [u8], options: &Options) -> Result<Option<Self>, MpFault> {
        let mut cursor = Cursor::new(value);
        let id = take_family(&mut cursor)?;
        let Some(family) = id.family() else {
            return Ok(None);
        };
        let fault = |cause| move |Short| MpFault::Family(id, cause);
        let next_hop = cursor
            .prefixed_u8()
            .and_then(|bytes| NextHop::parse(family, bytes, options))
            .map_err(fault("the next hop of MP_REACH_NLRI has a wrong length"))?;
        let _reserved = cursor
            .u8()
            .map_err(fault("MP_REACH_NLRI ends before its prefixes"))?;
        let prefixes = Prefixes::parse(family, cursor.rest())
            .map_err(fault("a prefix of MP_REACH_NLRI is malformed"))?;
        Ok(Some(Self { next_hop, prefixes }))
    }
}

/// Reads MP_UNREACH_NLRI; `None` for a family that is not ours to judge.
///
/// ```text
/// +-------------------------------+---------------+----------------
/// |              AFI              |     SAFI      |  Prefixes ...
/// +-------------------------------+---------------+----------------
/// ```
pub(super) fn parse_unreach(value: &[u8]) -> Result<Option<Prefixes<'_>>, MpFault> {
    let mut cursor = Cursor::new(value);
    let id = take_family(&mut cursor)?;
    let Some(family) = id.family() else {
        return Ok(None);
    };
    let prefixes = Prefixes::parse(family, cursor.rest())
        .map_err(|Short| MpFault::Family(id, "a prefix of MP_UNREACH_NLRI is malformed"))?;
    Ok(Some(prefixes))
}

fn take_family(cursor: &mut Cursor<'_>) -> Result<AfiSafi, MpFault> {
    let mut read = || {
        Ok(AfiSafi {
            afi: cursor.u16()?,
            safi: cursor.u8()?,
        })
    };
    read().map_err(|Short| MpFault::Unreadable)
}
