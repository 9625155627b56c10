// SPDX-License-Identifier: Apache-2.0
//! What the responder knows of an interface, and where an address may be announced.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use crate::MacAddress;

/// An interface as the responder needs it. Whether it is up, excluded or enslaved was decided by
/// whoever fills this in: an interface that shall stay silent has neither `arp` nor `ndp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The number the kernel knows it by.
    pub ifindex: u32,
    /// The name that advertisements select it by.
    pub name: Arc<str>,
    /// Its present hardware address.
    pub mac: MacAddress,
    /// Whether ARP is answered here.
    pub arp: bool,
    /// The link-local address that NDP is answered from, where it is answered.
    pub ndp: Option<Ipv6Addr>,
}

impl Interface {
    /// Whether addresses of this family can be announced here.
    #[must_use]
    pub fn speaks_for(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => self.arp,
            IpAddr::V6(_) => self.ndp.is_some(),
        }
    }
}

/// The interfaces on which an address may be announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every one.
    All,
    /// Those with one of these names.
    Named(BTreeSet<Arc<str>>),
}

impl Scope {
    /// Whether it includes the interface of that name.
    #[must_use]
    pub fn includes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
        }
    }
}
