// SPDX-License-Identifier: Apache-2.0
//! `metallb_layer2_*`: packets for the addresses this node answers.

use std::net::IpAddr;

use crate::text::Page;

/// Packets for one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer2Address {
    /// Which.
    pub address: IpAddr,
    /// ARP requests and neighbour solicitations for it.
    pub requests_received: u64,
    /// Answers to them.
    pub responses_sent: u64,
    /// Unasked announcements.
    pub gratuitous_sent: u64,
}

type Figure = (&'static str, &'static str, fn(&Layer2Address) -> u64);

const FIGURES: [Figure; 3] = [
    (
        "metallb_layer2_requests_received",
        "ARP requests and neighbour solicitations for addresses of this node.",
        |address| address.requests_received,
    ),
    (
        "metallb_layer2_responses_sent",
        "Answers to ARP requests and neighbour solicitations.",
        |address| address.responses_sent,
    ),
    (
        "metallb_layer2_gratuitous_sent",
        "Unasked ARP and neighbour announcements.",
        |address| address.gratuitous_sent,
    ),
];

pub(super) fn write(page: &mut Page, addresses: &[Layer2Address]) {
    for (name, help, figure) in FIGURES {
        let family = page.counter(name, help);
        for address in addresses {
            family.add(&[("ip", &address.address.to_string())], figure(address));
        }
    }
}
