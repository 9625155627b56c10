// SPDX-License-Identifier: Apache-2.0
//! Numbers with a meaning: autonomous systems and BGP identifiers.

use std::{fmt, net::Ipv4Addr};

/// An autonomous system number of four octets (RFC 6793).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Asn(pub u32);

impl Asn {
    /// What a two-octet field says when the real number needs four octets (RFC 6793 section 9).
    pub const TRANS: Self = Self(23456);

    /// The number as it goes into a two-octet field: itself, or [`Asn::TRANS`].
    #[must_use]
    pub fn two_octets(self) -> u16 {
        u16::try_from(self.0).unwrap_or(23456)
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A BGP Identifier (RFC 4271 section 4.2, RFC 6286).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct RouterId(pub Ipv4Addr);

impl fmt::Display for RouterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
