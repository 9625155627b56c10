// SPDX-License-Identifier: Apache-2.0
//! Address family and subsequent address family, as capabilities and MP attributes carry them (RFC 4760).

use std::fmt;

use ferrolb_types::Family;

/// An `<AFI, SAFI>` pair; unknown ones are kept.
///
/// ```text
///  0               1               2
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +-------------------------------+---------------+
/// |              AFI              |     SAFI      |
/// +-------------------------------+---------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AfiSafi {
    /// Address Family Identifier (IANA).
    pub afi: u16,
    /// Subsequent Address Family Identifier (IANA).
    pub safi: u8,
}

impl AfiSafi {
    /// IPv4 unicast.
    pub const IPV4_UNICAST: Self = Self { afi: 1, safi: 1 };
    /// IPv6 unicast.
    pub const IPV6_UNICAST: Self = Self { afi: 2, safi: 1 };

    /// The family, where it is IPv4 or IPv6 unicast.
    #[must_use]
    pub fn family(self) -> Option<Family> {
        match self {
            Self::IPV4_UNICAST => Some(Family::IPv4),
            Self::IPV6_UNICAST => Some(Family::IPv6),
            _ => None,
        }
    }
}

impl From<Family> for AfiSafi {
    /// The unicast routes of the family.
    fn from(family: Family) -> Self {
        match family {
            Family::IPv4 => Self::IPV4_UNICAST,
            Family::IPv6 => Self::IPV6_UNICAST,
        }
    }
}

impl fmt::Display for AfiSafi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.family() {
            Some(family) => write!(f, "{family} unicast"),
            None => write!(f, "AFI {} SAFI {}", self.afi, self.safi),
        }
    }
}
