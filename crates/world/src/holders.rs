// SPDX-License-Identifier: Apache-2.0
//! Who holds which address: doubled addresses, shared ones, and which Services a change concerns.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ferrolb_types::IpRange;

use crate::{
    reason::Reason,
    record::Record,
    services::{Services, Slot},
    slab::SlotId,
};

/// The Services that hold an address; nearly always one.
#[derive(Debug)]
enum Set {
    One(SlotId),
    Many(Box<[SlotId]>),
}

/// The holders of every address.
#[derive(Debug, Default)]
pub(crate) struct Holders(BTreeMap<IpAddr, Set>);

impl Holders {
    pub(crate) fn add(&mut self, addresses: &[IpAddr], id: SlotId) {
        for address in addresses {
            match self.0.get_mut(address) {
                None => {
                    self.0.insert(*address, Set::One(id));
                }
                Some(set) if set.slots().contains(&id) => {}
                Some(set) => {
                    let mut all = set.slots().to_vec();
                    all.push(id);
                    *set = Set::Many(all.into());
                }
            }
        }
    }

    pub(crate) fn remove(&mut self, addresses: &[IpAddr], id: SlotId) {
        for address in addresses {
            let Some(set) = self.0.get_mut(address) else {
                continue;
            };
            let rest: Vec<SlotId> = set.slots().iter().copied().filter(|s| *s != id).collect();
            match rest[..] {
                [] => {
                    self.0.remove(address);
                }
                [one] => *set = Set::One(one),
                _ => *set = Set::Many(rest.into()),
            }
        }
    }

    /// The holders of one address, in no particular order.
    pub(crate) fn of(&self, address: IpAddr) -> &[SlotId] {
        self.0.get(&address).map(Set::slots).unwrap_or_default()
    }

    /// The Services that hold an address in the range.
    pub(crate) fn within(&self, range: &IpRange) -> impl Iterator<Item = SlotId> {
        self.0
            .range(range.first()..=range.last())
            .flat_map(|(_, set)| set.slots().iter().copied())
    }

    /// Every Service tied to these addresses, directly or over further shared addresses.
    pub(crate) fn tied(&self, services: &Services, addresses: &[IpAddr]) -> BTreeSet<SlotId> {
        let mut found = BTreeSet::new();
        let mut seen: BTreeSet<IpAddr> = addresses.iter().copied().collect();
        let mut todo = addresses.to_vec();
        while let Some(address) = todo.pop() {
            for id in self.of(address) {
                if found.insert(*id) {
                    let held = services.record(*id).map(Record::held).unwrap_or_default();
                    todo.extend(held.iter().copied().filter(|a| seen.insert(*a)));
                }
            }
        }
        found
    }

    /// Whether Services with different first addresses are tied together by these addresses.
    pub(crate) fn is_entangled(&self, services: &Services, addresses: &[IpAddr]) -> bool {
        let several = |id: &SlotId| services.record(*id).is_some_and(|r| r.held().len() > 1);
        addresses.iter().any(|address| {
            let holders = self.of(*address);
            holders.len() > 1 && holders.iter().any(several)
        })
    }

    /// The address whose text the election of a Service hashes: its first one.
    ///
    /// Where every candidate follows the same rule, Services tied by shared addresses take the first
    /// address of the oldest of them instead, so that no shared address has two owners.
    pub(crate) fn election_address(
        &self,
        services: &Services,
        addresses: &[IpAddr],
        all_ours: bool,
    ) -> Option<IpAddr> {
        let own = addresses.first().copied();
        if !all_ours || !self.is_entangled(services, addresses) {
            return own;
        }
        let tied = self.tied(services, addresses);
        let slots = tied.iter().filter_map(|id| services.get(*id));
        let oldest = slots.min_by(|a, b| age(a).cmp(&age(b)));
        oldest
            .and_then(|slot| slot.record.as_ref()?.held().first().copied())
            .or(own)
    }

    /// Why a Service may not be announced though it holds its addresses: an older one holds one of them.
    pub(crate) fn doubled(&self, services: &Services, slot: &Slot) -> Option<Reason> {
        let record = slot.record.as_ref()?;
        record.held().iter().find_map(|address| {
            let others = self.of(*address).iter().filter_map(|id| services.get(*id));
            let older = others
                .filter(|other| age(other) < age(slot))
                .filter(|other| other.record.as_ref().is_some_and(|r| !r.may_share(record)))
                .min_by(|a, b| age(a).cmp(&age(b)))?;
            Some(Reason::Doubled(Box::new((*address, older.key.clone()))))
        })
    }
}

impl Set {
    fn slots(&self) -> &[SlotId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(list) => list,
        }
    }
}

/// The order in which Services have a claim to an address: creation, then key.
fn age(slot: &Slot) -> (Option<i64>, &ferrolb_types::ServiceKey) {
    (
        slot.record.as_ref().and_then(|record| record.created),
        &slot.key,
    )
}
