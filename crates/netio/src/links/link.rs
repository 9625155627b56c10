// SPDX-License-Identifier: Apache-2.0
//! One interface as the kernel describes it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The number the kernel knows it by.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Its hardware address, where it is an Ethernet interface.
    pub mac: Option<[u8; 6]>,
    /// Administratively up.
    pub up: bool,
    /// Operational: up and, where the driver tells, with a carrier.
    pub running: bool,
    /// Can broadcast.
    pub broadcast: bool,
    /// The loopback interface.
    pub loopback: bool,
    /// Does not use ARP.
    pub noarp: bool,
    /// The bridge, bond or VRF that it belongs to.
    pub master: Option<u32>,
    /// Its addresses, ascending.
    pub addresses: Vec<LinkAddress>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkAddress {
    /// The address with the length of its prefix.
    pub net: IpNet,
    /// May be used: not tentative, and not found to be a duplicate (RFC 4862).
    pub usable: bool,
    /// Likely to stay with this host: not a temporary (RFC 8981), deprecated or secondary address, nor one
    /// without neighbours (a /32 or /128), as addresses that move between hosts are.
    pub lasting: bool,
}

impl LinkAddress {
    /// The address without its prefix length.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.net.addr()
    }
}

impl Link {
    /// The usable addresses.
    pub fn usable(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses
            .iter()
            .filter(|address| address.usable)
            .map(LinkAddress::ip)
    }

    /// The first usable IPv4 address; one that lasts before others.
    #[must_use]
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.first(|address| match address {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        })
    }

    /// The first usable IPv6 address that is valid beyond the link; one that lasts before others.
    #[must_use]
    pub fn ipv6_global(&self) -> Option<Ipv6Addr> {
        self.first(|address| match address {
            IpAddr::V6(v6) if !v6.is_unicast_link_local() && !v6.is_loopback() => Some(v6),
            _ => None,
        })
    }

    /// The first usable link-local IPv6 address.
    #[must_use]
    pub fn ipv6_link_local(&self) -> Option<Ipv6Addr> {
        self.first(|address| match address {
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(v6),
            _ => None,
        })
    }

    fn first<T>(&self, wanted: impl Fn(IpAddr) -> Option<T>) -> Option<T> {
        let usable = |lasting: bool| {
            let all = self.addresses.iter();
            all.filter(move |address| address.usable && address.lasting == lasting)
        };
        let ordered = usable(true).chain(usable(false));
        ordered.map(LinkAddress::ip).find_map(wanted)
    }
}
