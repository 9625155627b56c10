// SPDX-License-Identifier: Apache-2.0
//! Services that nobody answers for in layer 2 because every node that could lacks the interfaces: told
//! once each, by the node that would answer.

use std::{collections::BTreeSet, mem, net::IpAddr, sync::Arc};

use ferrolb_types::ServiceKey;
use ferrolb_world::World;

use crate::intake::Update;

/// What was told, and what has to be looked at again.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    told: BTreeSet<ServiceKey>,
    again: Again,
    /// Whether any advertisement names interfaces: without one there is nothing to look for.
    named: bool,
}

#[derive(Debug)]
enum Again {
    These(BTreeSet<ServiceKey>),
    All,
}

impl Default for Again {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Unanswered {
    /// This came in.
    pub(super) fn note(&mut self, update: &Update) {
        match update {
            Update::Service(view) => self.look_at(Some(&view.key)),
            Update::ServiceGone(key) => self.look_at(Some(key)),
            Update::Slice(view) => self.look_at(view.service.as_ref()),
            Update::Config(config) => {
                let mut ads = config.pools.values().flat_map(|pool| &pool.l2);
                self.named = ads.any(|ad| !ad.interfaces.is_empty());
                self.look_at_all();
            }
            Update::Node(_) | Update::NodeGone(_) | Update::SliceGone(_) => self.look_at_all(),
            Update::Namespace(_) | Update::NamespaceGone(_) => {}
        }
    }

    /// Something changed that concerns all Services: who is alive, or who has which interfaces.
    pub(super) fn look_at_all(&mut self) {
        self.again = Again::All;
    }

    fn look_at(&mut self, key: Option<&ServiceKey>) {
        if let (Again::These(keys), Some(key)) = (&mut self.again, key) {
            keys.insert(key.clone());
        }
    }

    /// The Services that are unanswered now and were not before, with their addresses.
    pub(super) fn take(&mut self, world: &World) -> Vec<(ServiceKey, Arc<[IpAddr]>)> {
        let again = mem::take(&mut self.again);
        if !self.named && self.told.is_empty() {
            return Vec::new();
        }
        let keys = match again {
            Again::These(keys) => keys,
            Again::All => world.services().chain(&self.told).cloned().collect(),
        };
        let mut found = Vec::new();
        for key in keys {
            match world.unanswered(&key) {
                None => drop(self.told.remove(&key)),
                Some(addresses) if self.told.insert(key.clone()) => found.push((key, addresses)),
                Some(_) => {}
            }
        }
        found
    }
}
