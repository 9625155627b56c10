// SPDX-License-Identifier: Apache-2.0
//! The responder: who is asked for an owned address on a permitted interface answers, and nobody else.
//!
//! It owns the set of addresses and interfaces, and from these keeps right at all times: what is
//! answered where (`arp`, `ndp`), which groups are joined, what is announced unasked (`announce`).
//! What it never does: decide which addresses the node owns, or which interfaces qualify.

mod announce;
mod arp;
mod ndp;
mod ownership;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    time::Instant,
};

use crate::{
    Config, Event, Input, Interface, MacAddress, Output, Scope,
    conflict::Conflicts,
    groups::Groups,
    schedule::{Key, Schedule},
    wire::{WireError, ethernet},
};

/// What happened about one owned address since this node began to own it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// ARP requests and neighbour solicitations for it, on interfaces where it is announced.
    pub requests_received: u64,
    /// Answers to them.
    pub responses_sent: u64,
    /// Unasked frames; ARP counts two per round and interface.
    pub gratuitous_sent: u64,
}

#[derive(Debug)]
struct Owned {
    scope: Scope,
    counters: Counters,
}

impl Owned {
    fn is_announced_on(&self, address: IpAddr, interface: &Interface) -> bool {
        interface.speaks_for(address) && self.scope.includes(&interface.name)
    }
}

/// The layer 2 machine of one node. See the crate's head for the calling discipline.
#[derive(Debug)]
pub struct Responder {
    interfaces: BTreeMap<u32, Interface>,
    owned: BTreeMap<IpAddr, Owned>,
    groups: Groups,
    schedule: Schedule,
    conflicts: Conflicts,
    malformed: u64,
    out: VecDeque<Output>,
}

impl Responder {
    /// Knows no interface and owns nothing.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            interfaces: BTreeMap::new(),
            owned: BTreeMap::new(),
            groups: Groups::default(),
            schedule: Schedule::new(config),
            conflicts: Conflicts::new(config.defend_delay, config.defend_interval),
            malformed: 0,
            out: VecDeque::new(),
        }
    }

    /// Takes one input. Drain [`Self::poll`] before the next.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        debug_assert!(
            self.out.is_empty(),
            "outputs must be drained before the next input"
        );
        match input {
            Input::Frame { ifindex, bytes } => self.on_frame(now, ifindex, bytes),
            Input::Interface(interface) => self.on_interface(now, interface),
            Input::InterfaceGone { ifindex } => self.on_interface_gone(ifindex),
            Input::Announce { address, scope } => self.on_announce(now, address, scope),
            Input::Withdraw { address } => self.on_withdraw(address),
            Input::Timeout => {}
        }
        self.send_due(now);
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to feed [`Input::Timeout`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        [self.schedule.deadline(), self.conflicts.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The owned addresses in order, with their scope and counters.
    pub fn addresses(&self) -> impl Iterator<Item = (IpAddr, &Scope, Counters)> {
        self.owned
            .iter()
            .map(|(address, owned)| (*address, &owned.scope, owned.counters))
    }

    /// The interfaces on which an address is announced at present; none where it is not owned, or no
    /// permitted interface qualifies.
    pub fn announced_on(&self, address: IpAddr) -> impl Iterator<Item = &Interface> {
        let owned = self.owned.get(&address.to_canonical());
        self.interfaces.values().filter(move |interface| {
            owned.is_some_and(|owned| owned.is_announced_on(address.to_canonical(), interface))
        })
    }

    /// The interfaces as last told.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.values()
    }

    /// How many frames were dropped as malformed.
    #[must_use]
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    fn on_frame(&mut self, now: Instant, ifindex: u32, bytes: &[u8]) {
        let result =
            ethernet::Header::parse(bytes).and_then(|(header, payload)| match header.ethertype {
                ethernet::ARP => self.on_arp(now, ifindex, header, payload),
                ethernet::IPV6 => self.on_ndp(now, ifindex, header, payload),
                _ => Err(WireError::Protocol),
            });
        if result.is_err() {
            self.malformed = self.malformed.saturating_add(1);
        }
    }

    /// Another station claims an address that may be ours.
    fn on_claim(&mut self, now: Instant, ifindex: u32, address: IpAddr, mac: MacAddress) {
        if !self.announces(ifindex, address) || self.is_own(mac) {
            return;
        }
        if let Some(claims) = self.conflicts.seen(now, Key { ifindex, address }) {
            self.out.push_back(Output::Event(Event::Conflict {
                address,
                ifindex,
                mac,
                claims,
            }));
        }
    }

    /// The counters of an address, where it is announced on the interface.
    fn counters(&mut self, ifindex: u32, address: IpAddr) -> Option<&mut Counters> {
        let interface = self.interfaces.get(&ifindex)?;
        let owned = self.owned.get_mut(&address)?;
        owned
            .is_announced_on(address, interface)
            .then_some(&mut owned.counters)
    }

    fn announces(&self, ifindex: u32, address: IpAddr) -> bool {
        self.interfaces
            .get(&ifindex)
            .zip(self.owned.get(&address))
            .is_some_and(|(interface, owned)| owned.is_announced_on(address, interface))
    }

    /// Whether a hardware address is one of this node's: two interfaces may share a segment.
    fn is_own(&self, mac: MacAddress) -> bool {
        self.interfaces
            .values()
            .any(|interface| interface.mac == mac)
    }
}
