// SPDX-License-Identifier: Apache-2.0
//! Answers to ARP requests (RFC 826), probes included (RFC 5227), and claims by others.

use std::time::Instant;

use super::Responder;
use crate::{
    MacAddress, Output,
    wire::{
        WireError,
        arp::{Operation, Packet},
        ethernet,
    },
};

impl Responder {
    pub(super) fn on_arp(
        &mut self,
        now: Instant,
        ifindex: u32,
        header: ethernet::Header,
        payload: &[u8],
    ) -> Result<(), WireError> {
        let packet = Packet::parse(payload)?;
        if !packet.sender_mac.is_unicast() {
            // An answer to it would go to everybody.
            return Err(WireError::Forbidden);
        }
        if self.is_own(packet.sender_mac) {
            return Ok(());
        }
        self.on_claim(now, ifindex, packet.sender.into(), packet.sender_mac);
        if packet.operation == Operation::Request && !packet.is_announcement() {
            self.on_arp_request(ifindex, header.destination, &packet);
        }
        Ok(())
    }

    fn on_arp_request(&mut self, ifindex: u32, destination: MacAddress, request: &Packet) {
        let Some(mac) = self.interfaces.get(&ifindex).map(|interface| interface.mac) else {
            return;
        };
        if destination != MacAddress::BROADCAST && destination != mac {
            return;
        }
        let Some(counters) = self.counters(ifindex, request.target.into()) else {
            return;
        };
        counters.requests_received = counters.requests_received.saturating_add(1);
        counters.responses_sent = counters.responses_sent.saturating_add(1);
        let frame = request.reply(mac).emit(request.sender_mac);
        self.out.push_back(Output::SendArp { ifindex, frame });
    }
}
