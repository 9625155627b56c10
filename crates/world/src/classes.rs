// SPDX-License-Identifier: Apache-2.0
//! The candidate sets in use, each with the Services that take part in it: the index that tells which
//! Services a node flip concerns.

use std::collections::{BTreeMap, BTreeSet};

use ferrolb_config::compiled::Pool;
use ferrolb_types::PoolName;

use crate::{
    candidates::Candidates,
    inputs::Inputs,
    services::State,
    slab::{ClassId, NodeId, Slab, SlotId},
};

type Key = (PoolName, Box<[u32]>);

/// A candidate set and who is in it.
#[derive(Debug)]
pub(crate) struct Class {
    key: Key,
    pub(crate) candidates: Candidates,
    /// Services whose election this is.
    pub(crate) members: BTreeSet<SlotId>,
    /// Those of them the own node announces.
    pub(crate) owned: BTreeSet<SlotId>,
}

/// The candidate sets of the own node's decisions.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    slab: Slab<ClassId, Class>,
    by_key: BTreeMap<Key, ClassId>,
    /// Which Services are lost to which candidate.
    witnesses: BTreeSet<(NodeId, SlotId)>,
}

impl Classes {
    /// The candidate set for these advertisements of the pool, built if it is not there.
    pub(crate) fn acquire(&mut self, inputs: &Inputs, pool: &Pool, places: Vec<u32>) -> ClassId {
        let key = (pool.name.clone(), places.into_boxed_slice());
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let id = self.slab.insert(Class {
            candidates: Candidates::new(inputs, pool, &key.1),
            key: key.clone(),
            members: BTreeSet::new(),
            owned: BTreeSet::new(),
        });
        self.by_key.insert(key, id);
        id
    }

    pub(crate) fn get(&self, id: ClassId) -> Option<&Class> {
        self.slab.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: ClassId) -> Option<&mut Class> {
        self.slab.get_mut(id)
    }

    pub(crate) fn ids(&self) -> Vec<ClassId> {
        self.slab.ids()
    }

    /// A pool changed: no Service joins its sets any more; they go with their last member.
    pub(crate) fn retire(&mut self, pool: &PoolName) {
        self.by_key.retain(|(name, _), _| name != pool);
    }

    /// Moves a Service from what its old state depends on to what its new one does.
    pub(crate) fn relink(&mut self, id: SlotId, old: &State, new: &State) {
        self.unlink(id, old, new.class);
        if let Some(class) = new.class.and_then(|class| self.slab.get_mut(class)) {
            class.members.insert(id);
            if new.layer2.is_ok() {
                class.owned.insert(id);
            }
        }
        if let Some(node) = new.witness {
            self.witnesses.insert((node, id));
        }
    }

    fn unlink(&mut self, id: SlotId, old: &State, next: Option<ClassId>) {
        if let Some(node) = old.witness {
            self.witnesses.remove(&(node, id));
        }
        let Some((at, class)) = old.class.and_then(|at| Some((at, self.slab.get_mut(at)?))) else {
            return;
        };
        class.owned.remove(&id);
        if next == Some(at) {
            return;
        }
        class.members.remove(&id);
        if class.members.is_empty()
            && let Some(class) = self.slab.remove(at)
            && self.by_key.get(&class.key) == Some(&at)
        {
            self.by_key.remove(&class.key);
        }
    }

    /// The Services of a set that are lost to this candidate.
    pub(crate) fn lost_to(&self, class: &Class, node: NodeId) -> Vec<SlotId> {
        let lost = self
            .witnesses
            .range((node, SlotId::MIN)..=(node, SlotId::MAX));
        lost.map(|(_, id)| *id)
            .filter(|id| class.members.contains(id))
            .collect()
    }
}
