// SPDX-License-Identifier: Apache-2.0
//! The one or two addresses of a Service, at most one of each family, in the order of its status.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ferrolb_types::Family;

/// At most one IPv4 and one IPv6 address, with their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Addresses {
    v4: Option<Ipv4Addr>,
    v6: Option<Ipv6Addr>,
    v6_first: bool,
}

impl Addresses {
    /// The addresses in the order given; `None` if two are of one family. IPv4-mapped IPv6
    /// addresses count as IPv4.
    #[must_use]
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Option<Self> {
        let mut all = Self::default();
        for address in addresses {
            if !all.push(address) {
                return None;
            }
        }
        Some(all)
    }

    /// The same addresses, IPv4 before IPv6.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.v6_first = false;
        self
    }

    /// Adds an address at the end; false if there is one of its family already.
    pub fn push(&mut self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.v4.replace(v4).is_none(),
            IpAddr::V6(v6) => {
                self.v6_first = self.v4.is_none();
                self.v6.replace(v6).is_none()
            }
        }
    }

    /// The addresses in order.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let (v4, v6) = (self.v4.map(IpAddr::V4), self.v6.map(IpAddr::V6));
        let both = if self.v6_first { [v6, v4] } else { [v4, v6] };
        both.into_iter().flatten()
    }

    /// The address of a family.
    #[must_use]
    pub fn of(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::IPv4 => self.v4.map(IpAddr::V4),
            Family::IPv6 => self.v6.map(IpAddr::V6),
        }
    }

    /// Whether the address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.of(Family::of(address)) == Some(address)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_none() && self.v6.is_none()
    }

    /// The family, if there is exactly one address.
    #[must_use]
    pub fn only_family(&self) -> Option<Family> {
        match (self.v4, self.v6) {
            (Some(_), None) => Some(Family::IPv4),
            (None, Some(_)) => Some(Family::IPv6),
            _ => None,
        }
    }

    /// Whether both hold the same addresses, in whatever order.
    #[must_use]
    pub fn same_set(&self, other: &Self) -> bool {
        self.v4 == other.v4 && self.v6 == other.v6
    }
}

impl fmt::Display for Addresses {
    /// `["192.0.2.1" "2001:db8::1"]`, as Events print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.iter().map(|a| format!("\"{a}\"")).collect();
        write!(f, "[{}]", texts.join(" "))
    }
}
