// SPDX-License-Identifier: Apache-2.0
//! What layer 2 tells of itself.

use std::{net::IpAddr, net::Ipv6Addr, sync::Arc};

use ferrolb_l2::{Responder, Scope};

use super::Unsuitable;

/// An interface that is not excluded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceStatus {
    /// The number the kernel knows it by.
    pub ifindex: u32,
    /// Its name.
    pub name: Arc<str>,
    /// Its hardware address as text, where it has one.
    pub mac: Option<String>,
    /// Whether ARP is answered here.
    pub arp: bool,
    /// The address that NDP is answered from, where it is answered.
    pub ndp: Option<Ipv6Addr>,
    /// Why it is not used at all.
    pub unsuitable: Option<Unsuitable>,
    /// Why it is not used although it could be: what the kernel says.
    pub fault: Option<String>,
}

/// An address owned by this node.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressStatus {
    /// The address.
    pub address: IpAddr,
    /// The only interfaces it may be announced on; `None` means all.
    pub allowed: Option<Vec<Arc<str>>>,
    /// The interfaces it is announced on. Empty: nobody can reach it through this node.
    pub interfaces: Vec<Arc<str>>,
    /// ARP requests and neighbour solicitations for it.
    pub requests_received: u64,
    /// Answers to them.
    pub responses_sent: u64,
    /// Unasked announcements.
    pub gratuitous_sent: u64,
}

/// All of layer 2 on this node.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The interfaces, by number.
    pub interfaces: Vec<InterfaceStatus>,
    /// The addresses, ascending.
    pub addresses: Vec<AddressStatus>,
    /// Frames dropped as malformed.
    pub malformed: u64,
    /// Frames that the kernel did not take.
    pub unsent: u64,
}

/// The addresses of a responder.
pub(super) fn addresses(responder: &Responder) -> Vec<AddressStatus> {
    let status = |(address, scope, counters): (IpAddr, &Scope, ferrolb_l2::Counters)| {
        let allowed = match scope {
            Scope::All => None,
            Scope::Named(names) => Some(names.iter().cloned().collect()),
        };
        AddressStatus {
            address,
            allowed,
            interfaces: responder
                .announced_on(address)
                .map(|i| i.name.clone())
                .collect(),
            requests_received: counters.requests_received,
            responses_sent: counters.responses_sent,
            gratuitous_sent: counters.gratuitous_sent,
        }
    };
    responder.addresses().map(status).collect()
}
