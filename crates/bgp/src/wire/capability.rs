// SPDX-License-Identifier: Apache-2.0
//! Capabilities, as OPEN offers them (RFC 5492). Unknown ones are kept.

use bytes::{BufMut, BytesMut};
use ferrolb_types::Asn;

use super::{
    AfiSafi,
    cursor::{Cursor, Short},
};

/// One capability.
///
/// ```text
///  0               1               2
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +---------------+---------------+----------------
/// |     Code      |    Length     |  Value ...
/// +---------------+---------------+----------------
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Routes of an address family (1, RFC 4760).
    Multiprotocol(AfiSafi),
    /// ROUTE-REFRESH is understood (2, RFC 2918).
    RouteRefresh,
    /// Next hops of another family (5, RFC 8950).
    ExtendedNextHop(Vec<ExtendedNextHop>),
    /// Messages of up to 65535 octets are understood (6, RFC 8654).
    ExtendedMessage,
    /// Graceful restart (64, RFC 4724).
    GracefulRestart(GracefulRestart),
    /// AS numbers have four octets; this is the sender's (65, RFC 6793).
    FourOctetAs(Asn),
    /// Begin and End of Route Refresh are understood (70, RFC 7313).
    EnhancedRouteRefresh,
    /// Anything else.
    Unknown {
        /// Capability code.
        code: u8,
        /// Its value, 255 octets at most.
        value: Vec<u8>,
    },
}

/// Routes of one family may have next hops of another.
///
/// ```text
///  0               1               2               3               4               5
/// +-------------------------------+-------------------------------+-------------------------------+
/// |           NLRI AFI            |     NLRI SAFI (two octets)    |         Next hop AFI          |
/// +-------------------------------+-------------------------------+-------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedNextHop {
    /// Of the routes.
    pub nlri: AfiSafi,
    /// Address family of the next hop.
    pub next_hop_afi: u16,
}

impl ExtendedNextHop {
    /// IPv4 unicast routes with IPv6 next hops.
    pub const IPV4_OVER_IPV6: Self = Self {
        nlri: AfiSafi::IPV4_UNICAST,
        next_hop_afi: 2,
    };
}

/// What the sender can do for a graceful restart.
///
/// ```text
///  0               1
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +-+-+---+-----------------------+
/// |R|N|   | Restart time, seconds |
/// +-+-+---+-----------------------+
/// then per family:
/// +-------------------------------+---------------+-+-------------+
/// |              AFI              |     SAFI      |F|             |
/// +-------------------------------+---------------+-+-------------+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GracefulRestart {
    /// R: the sender has restarted.
    pub restarting: bool,
    /// N: NOTIFICATIONs other than a hard reset keep the routes too (RFC 8538).
    pub notification: bool,
    /// Seconds the sender may take to come back; 12 bits.
    pub restart_time: u16,
    /// For which families.
    pub families: Vec<GracefulFamily>,
}

/// One family of [`GracefulRestart`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GracefulFamily {
    /// Which.
    pub family: AfiSafi,
    /// F: forwarding state was kept over the restart.
    pub forwarding: bool,
}

const RESTARTING: u16 = 0x8000;
const NOTIFICATION: u16 = 0x4000;
const RESTART_TIME: u16 = 0x0fff;
const FORWARDING: u8 = 0x80;

impl Capability {
    /// Reads the next capability.
    ///
    /// # Errors
    /// When it overruns its parameter, or a known one has a wrong length.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Short> {
        let code = cursor.u8()?;
        let bytes = cursor.prefixed_u8()?;
        let mut value = Cursor::new(bytes);
        let capability = match code {
            1 => Self::Multiprotocol(parse_multiprotocol(&mut value)?),
            2 => Self::RouteRefresh,
            5 => Self::ExtendedNextHop(parse_all(&mut value, ExtendedNextHop::parse)?),
            6 => Self::ExtendedMessage,
            64 => Self::GracefulRestart(GracefulRestart::parse(&mut value)?),
            65 => Self::FourOctetAs(Asn(value.u32()?)),
            70 => Self::EnhancedRouteRefresh,
            _ => {
                return Ok(Self::Unknown {
                    code,
                    value: bytes.to_vec(),
                });
            }
        };
        if value.is_empty() {
            Ok(capability)
        } else {
            Err(Short)
        }
    }

    /// Appends the capability; what exceeds the 255 octets of its value is left out.
    pub(super) fn emit(&self, buf: &mut BytesMut) {
        let start = buf.len();
        buf.put_u8(self.code());
        buf.put_u8(0);
        let value = buf.len();
        self.emit_value(buf);
        buf.truncate(value.saturating_add(255).min(buf.len()));
        let length = u8::try_from(buf.len().saturating_sub(value)).unwrap_or(u8::MAX);
        if let Some(place) = buf.get_mut(start.saturating_add(1)) {
            *place = length;
        }
    }

    /// The capability code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Multiprotocol(_) => 1,
            Self::RouteRefresh => 2,
            Self::ExtendedNextHop(_) => 5,
            Self::ExtendedMessage => 6,
            Self::GracefulRestart(_) => 64,
            Self::FourOctetAs(_) => 65,
            Self::EnhancedRouteRefresh => 70,
            Self::Unknown { code, .. } => *code,
        }
    }

    fn emit_value(&self, buf: &mut BytesMut) {
        match self {
            Self::Multiprotocol(family) => {
                buf.put_u16(family.afi);
                buf.put_u8(0);
                buf.put_u8(family.safi);
            }
            Self::RouteRefresh | Self::ExtendedMessage | Self::EnhancedRouteRefresh => {}
            // 42 triples are the most that fit 255 octets.
            Self::ExtendedNextHop(list) => list.iter().take(42).for_each(|one| one.emit(buf)),
            Self::GracefulRestart(restart) => restart.emit(buf),
            Self::FourOctetAs(asn) => buf.put_u32(asn.0),
            Self::Unknown { value, .. } => buf.put_slice(value),
        }
    }
}

fn parse_multiprotocol(value: &mut Cursor<'_>) -> Result<AfiSafi, Short> {
    let (afi, _reserved, safi) = (value.u16()?, value.u8()?, value.u8()?);
    Ok(AfiSafi { afi, safi })
}

fn parse_all<T>(
    value: &mut Cursor<'_>,
    parse: fn(&mut Cursor<'_>) -> Result<T, Short>,
) -> Result<Vec<T>, Short> {
    let mut list = Vec::new();
    while !value.is_empty() {
        list.push(parse(value)?);
    }
    Ok(list)
}

impl ExtendedNextHop {
    fn parse(value: &mut Cursor<'_>) -> Result<Self, Short> {
        let (afi, [_, safi], next_hop_afi) = (value.u16()?, value.array()?, value.u16()?);
        Ok(Self {
            nlri: AfiSafi { afi, safi },
            next_hop_afi,
        })
    }

    fn emit(&self, buf: &mut BytesMut) {
        buf.put_u16(self.nlri.afi);
        buf.put_u16(self.nlri.safi.into());
        buf.put_u16(self.next_hop_afi);
    }
}

impl GracefulRestart {
    fn parse(value: &mut Cursor<'_>) -> Result<Self, Short> {
        let flags = value.u16()?;
        Ok(Self {
            restarting: flags & RESTARTING != 0,
            notification: flags & NOTIFICATION != 0,
            restart_time: flags & RESTART_TIME,
            families: parse_all(value, GracefulFamily::parse)?,
        })
    }

    fn emit(&self, buf: &mut BytesMut) {
        let restarting = if self.restarting { RESTARTING } else { 0 };
        let notification = if self.notification { NOTIFICATION } else { 0 };
        buf.put_u16(restarting | notification | self.restart_time.min(RESTART_TIME));
        // 63 families are the most that fit 255 octets.
        self.families.iter().take(63).for_each(|one| one.emit(buf));
    }
}

impl GracefulFamily {
    fn parse(value: &mut Cursor<'_>) -> Result<Self, Short> {
        let (afi, safi, flags) = (value.u16()?, value.u8()?, value.u8()?);
        Ok(Self {
            family: AfiSafi { afi, safi },
            forwarding: flags & FORWARDING != 0,
        })
    }

    fn emit(&self, buf: &mut BytesMut) {
        buf.put_u16(self.family.afi);
        buf.put_u8(self.family.safi);
        buf.put_u8(if self.forwarding { FORWARDING } else { 0 });
    }
}
