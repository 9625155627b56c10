// SPDX-License-Identifier: Apache-2.0
//! Attribute sets, each stored once and known by a small number.
//!
//! A set lives while a policy names it or a session has announced a route with it; so an id that a
//! session holds never changes its meaning.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use ferrolb_types::RouteAttributes;

/// The number of an attribute set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AttributeId(NonZeroU32);

/// The attribute sets in use.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    sets: Vec<Entry>,
    free: Vec<AttributeId>,
    index: BTreeMap<Arc<RouteAttributes>, AttributeId>,
}

#[derive(Debug)]
struct Entry {
    set: Arc<RouteAttributes>,
    users: u32,
}

impl AttributeId {
    fn at(index: usize) -> Option<Self> {
        NonZeroU32::new(u32::try_from(index).ok()?.checked_add(1)?).map(Self)
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Attributes {
    /// The id of the set, with one user more. `None` only when four thousand million sets are in use.
    pub(crate) fn intern(&mut self, set: &Arc<RouteAttributes>) -> Option<AttributeId> {
        if let Some(&id) = self.index.get(set) {
            self.retain(id);
            return Some(id);
        }
        let entry = Entry {
            set: Arc::clone(set),
            users: 1,
        };
        let id = self.place(entry)?;
        self.index.insert(Arc::clone(set), id);
        Some(id)
    }

    /// The set itself.
    pub(crate) fn get(&self, id: AttributeId) -> Option<&Arc<RouteAttributes>> {
        self.sets
            .get(id.index())
            .filter(|entry| entry.users > 0)
            .map(|entry| &entry.set)
    }

    /// One user more.
    pub(crate) fn retain(&mut self, id: AttributeId) {
        if let Some(entry) = self.sets.get_mut(id.index()) {
            entry.users += 1;
        }
    }

    /// One user less; the last one frees the id.
    pub(crate) fn release(&mut self, id: AttributeId) {
        let Some(entry) = self.sets.get_mut(id.index()) else {
            return;
        };
        entry.users = entry.users.saturating_sub(1);
        if entry.users == 0 {
            self.index.remove(&entry.set);
            self.free.push(id);
        }
    }

    /// The number of sets in use.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    fn place(&mut self, entry: Entry) -> Option<AttributeId> {
        if let Some(id) = self.free.pop()
            && let Some(slot) = self.sets.get_mut(id.index())
        {
            *slot = entry;
            return Some(id);
        }
        let id = AttributeId::at(self.sets.len())?;
        self.sets.push(entry);
        Some(id)
    }
}
