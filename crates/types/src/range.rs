// SPDX-License-Identifier: Apache-2.0
//! Address families and inclusive address ranges, as `IPAddressPool.spec.addresses` writes them.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};

/// IPv4 or IPv6. IPv4 sorts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Family {
    /// Internet Protocol version 4.
    IPv4,
    /// Internet Protocol version 6.
    IPv6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() {
            Self::IPv4
        } else {
            Self::IPv6
        }
    }

    /// The other family.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::IPv4 => Self::IPv6,
            Self::IPv6 => Self::IPv4,
        }
    }

    /// The number of bits in an address: 32 or 128.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::IPv4 => 32,
            Self::IPv6 => 128,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IPv4 => "IPv4",
            Self::IPv6 => "IPv6",
        })
    }
}

/// An inclusive range of addresses of one family, `first <= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpRange {
    first: IpAddr,
    last: IpAddr,
}

/// Why a text is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// Not `network/length`.
    Cidr,
    /// A side of `start-end` is not a plain address.
    Address,
    /// The two sides are of different families.
    MixedFamilies,
    /// The first address is above the last.
    Reversed,
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cidr => "it is neither a CIDR (192.0.2.0/24) nor a range (192.0.2.1-192.0.2.9)",
            Self::Address => "a side of the range is not a plain IP address",
            Self::MixedFamilies => "the two sides of the range are of different address families",
            Self::Reversed => "the range ends before it starts",
        })
    }
}

impl std::error::Error for RangeError {}

impl IpRange {
    /// The range from `first` to `last`, both included. IPv4-mapped IPv6 addresses count as IPv4.
    ///
    /// # Errors
    /// [`RangeError::MixedFamilies`] or [`RangeError::Reversed`].
    pub fn new(first: IpAddr, last: IpAddr) -> Result<Self, RangeError> {
        let (first, last) = (first.to_canonical(), last.to_canonical());
        if first.is_ipv4() != last.is_ipv4() {
            return Err(RangeError::MixedFamilies);
        }
        if first > last {
            return Err(RangeError::Reversed);
        }
        Ok(Self { first, last })
    }

    /// The lowest address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// The highest address.
    #[must_use]
    pub fn last(&self) -> IpAddr {
        self.last
    }

    /// The address family.
    #[must_use]
    pub fn family(&self) -> Family {
        Family::of(self.first)
    }

    /// Whether the address lies in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Family::of(address) == self.family() && self.first <= address && address <= self.last
    }

    /// Whether the two ranges have an address in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.family() == other.family() && self.first <= other.last && other.first <= self.last
    }

    /// The smallest ascending list of CIDRs that covers the range and nothing else.
    #[must_use]
    pub fn cidrs(&self) -> Vec<IpNet> {
        match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            // `new` admits one family alone.
            _ => Vec::new(),
        }
    }
}

impl From<IpNet> for IpRange {
    fn from(net: IpNet) -> Self {
        Self {
            first: net.network(),
            last: net.broadcast(),
        }
    }
}

/// A CIDR without surrounding spaces, host bits masked off; or, where the text has a `-`, two plain
/// addresses around the first one, spaces allowed beside it.
impl FromStr for IpRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let Some((first, last)) = text.split_once('-') else {
            return cidr(text).ok_or(RangeError::Cidr);
        };
        let first = first.trim().parse().map_err(|_| RangeError::Address)?;
        let last = last.trim().parse().map_err(|_| RangeError::Address)?;
        Self::new(first, last)
    }
}

fn cidr(text: &str) -> Option<IpRange> {
    let (address, length) = text.split_once('/')?;
    if length.is_empty() || length.len() > 3 || !length.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let length: u8 = length.parse().ok()?;
    match address.parse().ok()? {
        IpAddr::V4(v4) => Some(IpNet::V4(Ipv4Net::new(v4, length).ok()?).into()),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            // ::ffff:192.0.2.0/120 is 192.0.2.0/24; a shorter mask would leave the mapped block.
            Some(v4) => Some(IpNet::V4(Ipv4Net::new(v4, length.checked_sub(96)?).ok()?).into()),
            None => Some(IpNet::V6(Ipv6Net::new(v6, length).ok()?).into()),
        },
    }
}

impl fmt::Display for IpRange {
    /// A CIDR where the range is exactly one, otherwise `first-last`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cidrs()[..] {
            [one] => write!(f, "{one}"),
            _ => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        let table: &[(&str, Result<&str, RangeError>)] = &[
            ("10.0.0.5/8", Ok("10.0.0.0/8")),
            ("192.0.2.7/32", Ok("192.0.2.7/32")),
            ("::ffff:1.2.3.0/120", Ok("1.2.3.0/24")),
            ("2001:db8::/64", Ok("2001:db8::/64")),
            ("10.0.0.1 - 10.0.0.6", Ok("10.0.0.1-10.0.0.6")),
            ("10.0.0.0-10.0.0.255", Ok("10.0.0.0/24")),
            (" 10.0.0.0/8", Err(RangeError::Cidr)),
            ("10.0.0.1", Err(RangeError::Cidr)),
            ("10.0.0.01/8", Err(RangeError::Cidr)),
            ("100.200.300.400/24", Err(RangeError::Cidr)),
            ("1.2.3.0/33", Err(RangeError::Cidr)),
            ("1.2.3.0/+4", Err(RangeError::Cidr)),
            ("1.2.3.10-1.2.3.1", Err(RangeError::Reversed)),
            ("1.2.3.4-fe80::1", Err(RangeError::MixedFamilies)),
            ("1.2.3.4-1.2.3.8/24", Err(RangeError::Address)),
            ("fe80::1%eth0-fe80::2", Err(RangeError::Address)),
        ];
        for (text, want) in table {
            let got = text.parse::<IpRange>().map(|r| r.to_string());
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn decomposition_is_minimal_and_ascending() {
        let range: IpRange = "10.0.0.1-10.0.0.6".parse().unwrap();
        let cidrs: Vec<String> = range.cidrs().iter().map(ToString::to_string).collect();
        assert_eq!(
            cidrs,
            ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"]
        );
    }
}
