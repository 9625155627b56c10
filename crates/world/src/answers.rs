// SPDX-License-Identifier: Apache-2.0
//! The addresses the own node answers for, and on whose behalf.

use std::{collections::BTreeMap, net::IpAddr};

use crate::{interfaces::Interfaces, slab::SlotId};

/// Addresses answered for. One shared by several Services is answered while any of them wants it.
#[derive(Debug, Default)]
pub(crate) struct Answers(BTreeMap<IpAddr, Vec<(SlotId, Interfaces)>>);

impl Answers {
    pub(crate) fn add(&mut self, address: IpAddr, id: SlotId, interfaces: &Interfaces) {
        let wanting = self.0.entry(address).or_default();
        // Nearly always the only one: without room for more.
        wanting.reserve_exact(1);
        wanting.push((id, interfaces.clone()));
    }

    pub(crate) fn remove(&mut self, address: IpAddr, id: SlotId) {
        if let Some(wanting) = self.0.get_mut(&address) {
            wanting.retain(|(other, _)| *other != id);
            if wanting.is_empty() {
                self.0.remove(&address);
            }
        }
    }

    /// Where an address is answered for, if it is.
    pub(crate) fn get(&self, address: IpAddr) -> Option<Interfaces> {
        let mut wanting = self.0.get(&address)?.iter();
        let first = wanting.next()?.1.clone();
        Some(wanting.fold(first, |all, (_, more)| all.or(more)))
    }

    /// Every address answered for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (IpAddr, Interfaces)> {
        let addresses = self.0.keys();
        addresses.filter_map(|address| Some((*address, self.get(*address)?)))
    }
}
