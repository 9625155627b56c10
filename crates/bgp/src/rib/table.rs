// SPDX-License-Identifier: Apache-2.0
//! The prefixes of one family, each in a slot with a small number.

use std::collections::BTreeMap;

use ferrolb_types::{PeerName, RouteTargets};

use super::{AttributeId, Shared, policy::PolicyId};

/// The number of a slot. Slots are re-used; a session that still owes a re-used slot finds the new
/// prefix there, which is owed as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RouteId(pub(super) u32);

/// The prefixes of one family.
#[derive(Debug)]
pub(crate) struct Table<N> {
    index: BTreeMap<N, RouteId>,
    slots: Vec<Slot<N>>,
    free: Vec<RouteId>,
    wanted: usize,
}

#[derive(Debug)]
struct Slot<N> {
    prefix: N,
    policy: PolicyId,
    /// How many sessions have the prefix announced.
    holders: u32,
}

impl<N> Default for Table<N> {
    fn default() -> Self {
        Self {
            index: BTreeMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            wanted: 0,
        }
    }
}

impl<N: Copy + Ord> Table<N> {
    /// Sets or clears the targets of a prefix. Gives the slot when that changed anything.
    pub(crate) fn set(
        &mut self,
        prefix: N,
        targets: Option<RouteTargets>,
        shared: &mut Shared,
    ) -> Option<RouteId> {
        let Shared {
            attributes,
            policies,
        } = shared;
        let known = self.index.get(&prefix).copied();
        if known.is_none() && targets.is_none() {
            return None;
        }
        let policy = targets.map_or(PolicyId::NONE, |targets| {
            policies.intern(targets, attributes)
        });
        let id = match known {
            Some(id) => id,
            None => self.occupy(prefix)?,
        };
        let slot = self.slots.get_mut(id.0 as usize)?;
        let old = std::mem::replace(&mut slot.policy, policy);
        policies.release(old, attributes);
        self.wanted += usize::from(policy != PolicyId::NONE);
        self.wanted -= usize::from(old != PolicyId::NONE);
        self.vacate_if_unused(id);
        (old != policy).then_some(id)
    }

    /// The number of prefixes wanted by somebody.
    pub(crate) fn len(&self) -> usize {
        self.wanted
    }

    /// The number of slots ever needed at once.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Every slot's number.
    pub(crate) fn ids(&self) -> impl Iterator<Item = RouteId> + use<N> {
        (0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)).map(RouteId)
    }

    /// The prefix in a slot.
    pub(crate) fn prefix(&self, id: RouteId) -> Option<N> {
        self.slots.get(id.0 as usize).map(|slot| slot.prefix)
    }

    /// What `peer` is to be told of the slot's prefix, if anything.
    pub(crate) fn desired(
        &self,
        id: RouteId,
        shared: &Shared,
        peer: &PeerName,
    ) -> Option<AttributeId> {
        let slot = self.slots.get(id.0 as usize)?;
        shared.policies.for_peer(slot.policy, peer)
    }

    /// One session more has the prefix announced.
    pub(crate) fn hold(&mut self, id: RouteId) {
        if let Some(slot) = self.slots.get_mut(id.0 as usize) {
            slot.holders += 1;
        }
    }

    /// One session less has the prefix announced.
    pub(crate) fn unhold(&mut self, id: RouteId) {
        if let Some(slot) = self.slots.get_mut(id.0 as usize) {
            slot.holders = slot.holders.saturating_sub(1);
        }
        self.vacate_if_unused(id);
    }

    fn occupy(&mut self, prefix: N) -> Option<RouteId> {
        let slot = Slot {
            prefix,
            policy: PolicyId::NONE,
            holders: 0,
        };
        let id = match self.free.pop() {
            Some(id) => {
                *self.slots.get_mut(id.0 as usize)? = slot;
                id
            }
            None => {
                let id = RouteId(u32::try_from(self.slots.len()).ok()?);
                self.slots.push(slot);
                id
            }
        };
        self.index.insert(prefix, id);
        Some(id)
    }

    fn vacate_if_unused(&mut self, id: RouteId) {
        let Some(slot) = self.slots.get(id.0 as usize) else {
            return;
        };
        let unused = slot.policy == PolicyId::NONE && slot.holders == 0;
        if unused && self.index.get(&slot.prefix) == Some(&id) {
            self.index.remove(&slot.prefix);
            self.free.push(id);
        }
    }
}
