// SPDX-License-Identifier: Apache-2.0
//! Rounds of unasked announcements: gratuitous ARP and unsolicited neighbour advertisements.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Instant,
};

use super::Responder;
use crate::{
    MacAddress, Output,
    schedule::Key,
    wire::{
        arp,
        ipv6::{self, ALL_NODES},
        ndp::{Flags, Message, Packet},
    },
};

impl Responder {
    /// Sends what is due and within the pace.
    pub(super) fn send_due(&mut self, now: Instant) {
        while let Some(key) = self.conflicts.due(now) {
            self.schedule.hasten(now, key);
        }
        while let Some(key) = self.schedule.due(now) {
            self.send_round(key);
        }
    }

    fn send_round(&mut self, Key { ifindex, address }: Key) {
        let Some(interface) = self.interfaces.get(&ifindex) else {
            return;
        };
        let (mac, link_local) = (interface.mac, interface.ndp);
        let sent = match (address, link_local) {
            (IpAddr::V4(address), _) => self.send_gratuitous(ifindex, mac, address),
            (IpAddr::V6(address), Some(source)) => {
                self.send_unsolicited(ifindex, mac, source, address)
            }
            (IpAddr::V6(_), None) => 0,
        };
        if let Some(counters) = self.counters(ifindex, address) {
            counters.gratuitous_sent = counters.gratuitous_sent.saturating_add(sent);
        }
    }

    /// Both forms, since neighbours differ in which of them they heed.
    fn send_gratuitous(&mut self, ifindex: u32, mac: MacAddress, address: Ipv4Addr) -> u64 {
        for operation in [arp::Operation::Request, arp::Operation::Reply] {
            let packet = arp::Packet::gratuitous(operation, address, mac);
            let frame = packet.emit(MacAddress::BROADCAST);
            self.out.push_back(Output::SendArp { ifindex, frame });
        }
        2
    }

    fn send_unsolicited(
        &mut self,
        ifindex: u32,
        mac: MacAddress,
        source: Ipv6Addr,
        target: Ipv6Addr,
    ) -> u64 {
        let flags = Flags {
            overrides: true,
            ..Flags::default()
        };
        let message = Message::Advertisement {
            target,
            flags,
            target_link: Some(mac),
        };
        let header = ipv6::Header {
            source,
            destination: ALL_NODES,
        };
        let frame = Packet { header, message }.emit(mac, MacAddress::of_group(ALL_NODES));
        self.out.push_back(Output::SendNdp { ifindex, frame });
        1
    }
}
