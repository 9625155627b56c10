// SPDX-License-Identifier: Apache-2.0
//! Addresses and interfaces come and go, in any order: what follows for groups and announcements.

use std::{net::IpAddr, time::Instant};

use super::{Counters, Owned, Responder};
use crate::{Interface, Output, Scope, schedule::Key, wire::ipv6::solicited_node};

/// Whether an address was and is announced on an interface.
#[derive(Clone, Copy)]
struct Change {
    key: Key,
    was: bool,
    is: bool,
    /// The hardware address that neighbours remember is no longer right.
    moved: bool,
}

impl Responder {
    pub(super) fn on_announce(&mut self, now: Instant, address: IpAddr, scope: Scope) {
        let address = address.to_canonical();
        if self
            .owned
            .get(&address)
            .is_some_and(|owned| owned.scope == scope)
        {
            return;
        }
        let before = self.owned.get(&address);
        let counters = before.map_or_else(Counters::default, |owned| owned.counters);
        let after = Owned { scope, counters };
        let changes = self.scope_changes(address, before, Some(&after));
        self.owned.insert(address, after);
        self.apply(now, &changes);
    }

    pub(super) fn on_withdraw(&mut self, address: IpAddr) {
        let address = address.to_canonical();
        let Some(owned) = self.owned.remove(&address) else {
            return;
        };
        for change in self.scope_changes(address, Some(&owned), None) {
            self.end(change);
        }
    }

    pub(super) fn on_interface(&mut self, now: Instant, interface: Interface) {
        let before = self.interfaces.get(&interface.ifindex);
        if before == Some(&interface) {
            return;
        }
        let changes = self.interface_changes(interface.ifindex, before, Some(&interface));
        self.interfaces.insert(interface.ifindex, interface);
        self.apply(now, &changes);
    }

    pub(super) fn on_interface_gone(&mut self, ifindex: u32) {
        let Some(interface) = self.interfaces.remove(&ifindex) else {
            return;
        };
        for change in self.interface_changes(ifindex, Some(&interface), None) {
            self.end(change);
        }
    }

    fn scope_changes(
        &self,
        address: IpAddr,
        before: Option<&Owned>,
        after: Option<&Owned>,
    ) -> Vec<Change> {
        let on = |owned: Option<&Owned>, interface: &Interface| {
            owned.is_some_and(|owned| owned.is_announced_on(address, interface))
        };
        let change = |interface: &Interface| Change {
            key: Key {
                ifindex: interface.ifindex,
                address,
            },
            was: on(before, interface),
            is: on(after, interface),
            moved: false,
        };
        self.interfaces.values().map(change).collect()
    }

    fn interface_changes(
        &self,
        ifindex: u32,
        before: Option<&Interface>,
        after: Option<&Interface>,
    ) -> Vec<Change> {
        let moved = before.map(|interface| interface.mac) != after.map(|interface| interface.mac);
        let change = |(address, owned): (&IpAddr, &Owned)| {
            let on = |interface: Option<&Interface>| {
                interface.is_some_and(|interface| owned.is_announced_on(*address, interface))
            };
            let key = Key {
                ifindex,
                address: *address,
            };
            Change {
                key,
                was: on(before),
                is: on(after),
                moved,
            }
        };
        self.owned.iter().map(change).collect()
    }

    fn apply(&mut self, now: Instant, changes: &[Change]) {
        for change in changes.iter().copied() {
            match change {
                Change {
                    was: false,
                    is: true,
                    ..
                } => self.begin(now, change),
                Change {
                    was: true,
                    is: false,
                    ..
                } => self.end(change),
                Change {
                    is: true,
                    moved: true,
                    key,
                    ..
                } => self.schedule.start(now, key),
                Change { .. } => {}
            }
        }
    }

    fn begin(&mut self, now: Instant, Change { key, .. }: Change) {
        self.schedule.start(now, key);
        if let IpAddr::V6(address) = key.address {
            let (ifindex, group) = (key.ifindex, solicited_node(address));
            if self.groups.add(ifindex, group) {
                self.out.push_back(Output::JoinGroup { ifindex, group });
            }
        }
    }

    fn end(&mut self, Change { key, was, .. }: Change) {
        if !was {
            return;
        }
        self.schedule.stop(key);
        self.conflicts.forget(key);
        if let IpAddr::V6(address) = key.address {
            let (ifindex, group) = (key.ifindex, solicited_node(address));
            if self.groups.remove(ifindex, group) {
                self.out.push_back(Output::LeaveGroup { ifindex, group });
            }
        }
    }
}
