// SPDX-License-Identifier: Apache-2.0
//! Serving those who wait when an address becomes free or can be shared: the oldest first, until
//! nothing is left that they could use.

use std::{net::IpAddr, sync::Arc};

use ferrolb_types::Family;

use super::{Engine, entry::Age, pending::Opening};
use crate::{allocator::Claim, demand::terms, outcome::Wait};

impl Engine {
    pub(super) fn retry(&mut self, address: IpAddr) {
        let mut last: Option<Age> = None;
        loop {
            let opening = self.opening(address);
            let other = Family::of(address).other();
            let shared = |key: &Arc<str>| {
                let pool = opening.pool.as_ref();
                pool.is_some_and(|pool| self.allocator.is_shared_in(pool, other, key))
            };
            let next = self.pending.next(&opening, last.as_ref(), shared);
            let Some(next) = next.cloned() else {
                return;
            };
            if self.could_serve(&opening, &next) {
                self.converge(&next.key);
            }
            last = Some(next);
        }
    }

    fn opening(&self, address: IpAddr) -> Opening {
        let around = self.allocator.surroundings(address);
        Opening {
            address,
            pool: around.map(|(pool, _, _)| pool.clone()),
            open: around.map_or((false, false), |(_, v4, v6)| (v4, v6)),
            sharing: self.allocator.sharing_key(address).cloned(),
        }
    }

    /// A cheap look at what would make a whole convergence pointless.
    fn could_serve(&self, opening: &Opening, age: &Age) -> bool {
        let Some(entry) = self.services.get(&age.key) else {
            return false;
        };
        let terms = terms(&entry.view);
        let claim = Claim {
            service: &age.key,
            labels: &entry.view.labels,
            namespace_labels: self.namespaces.labels(age.key.namespace()),
            terms: &terms,
        };
        let pool = opening.pool.as_ref();
        let admitted = pool.is_some_and(|pool| self.allocator.is_pool_open_to(pool, &claim));
        let joins = || self.allocator.may_join(opening.address, &age.key, &terms);
        match &entry.wait {
            None => false,
            Some(Wait::Addresses(_)) => joins().is_ok(),
            Some(_) if opening.sharing.is_some() => admitted && joins().is_ok(),
            Some(_) => admitted,
        }
    }
}
