// SPDX-License-Identifier: Apache-2.0
//! Answers to neighbour solicitations (RFC 4861 section 7.2.3 to 7.2.4), and claims by others.
//!
//! Unlike an ordinary host it also answers a solicitation without a source link-layer address: its
//! Ethernet source says where the answer goes.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Instant,
};

use super::Responder;
use crate::{
    MacAddress, Output,
    wire::{
        WireError, ethernet,
        ipv6::{self, ALL_NODES},
        ndp::{Flags, Message, Packet},
    },
};

impl Responder {
    pub(super) fn on_ndp(
        &mut self,
        now: Instant,
        ifindex: u32,
        ethernet: ethernet::Header,
        payload: &[u8],
    ) -> Result<(), WireError> {
        let Some(Packet { header, message }) = Packet::parse(payload)? else {
            return Ok(());
        };
        if self.is_own(ethernet.source) {
            return Ok(());
        }
        match message {
            Message::Advertisement {
                target,
                target_link,
                ..
            } => {
                let mac = target_link.unwrap_or(ethernet.source);
                self.on_claim(now, ifindex, target.into(), mac);
            }
            Message::Solicitation {
                target,
                source_link,
            } => {
                let mac = source_link.unwrap_or(ethernet.source);
                if !mac.is_unicast() {
                    return Err(WireError::Forbidden);
                }
                self.on_claim(now, ifindex, header.source.into(), mac);
                self.on_solicitation(ifindex, ethernet.destination, (header.source, mac), target);
            }
        }
        Ok(())
    }

    fn on_solicitation(
        &mut self,
        ifindex: u32,
        destination: MacAddress,
        asker: (Ipv6Addr, MacAddress),
        target: Ipv6Addr,
    ) {
        let Some(interface) = self.interfaces.get(&ifindex) else {
            return;
        };
        let (mac, Some(link_local)) = (interface.mac, interface.ndp) else {
            return;
        };
        if destination.is_unicast() && destination != mac {
            return;
        }
        let Some(counters) = self.counters(ifindex, IpAddr::V6(target)) else {
            return;
        };
        counters.requests_received = counters.requests_received.saturating_add(1);
        counters.responses_sent = counters.responses_sent.saturating_add(1);
        let (packet, to) = answer(link_local, mac, asker, target);
        self.out.push_back(Output::SendNdp {
            ifindex,
            frame: packet.emit(mac, to),
        });
    }
}

/// The advertisement that answers, and the hardware address it goes to.
fn answer(
    link_local: Ipv6Addr,
    mac: MacAddress,
    (asker, asker_mac): (Ipv6Addr, MacAddress),
    target: Ipv6Addr,
) -> (Packet, MacAddress) {
    // RFC 4861 7.2.4: a probe has no address to answer to, so everybody is told, unsolicited. An
    // answer to one does not override: a stale owner must not displace the new one in a cache.
    let is_probe = asker.is_unspecified();
    let flags = Flags {
        router: false,
        solicited: !is_probe,
        overrides: is_probe,
    };
    let (destination, to) = if is_probe {
        (ALL_NODES, MacAddress::of_group(ALL_NODES))
    } else {
        (asker, asker_mac)
    };
    let header = ipv6::Header {
        source: link_local,
        destination,
    };
    let message = Message::Advertisement {
        target,
        flags,
        target_link: Some(mac),
    };
    (Packet { header, message }, to)
}
