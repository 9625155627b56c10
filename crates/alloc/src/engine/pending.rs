// SPDX-License-Identifier: Apache-2.0
//! The Services that lack addresses, indexed by what would help them, so that one freed address among
//! thousands that wait concerns only those it can serve.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    ops::Bound,
    sync::Arc,
};

use ferrolb_types::{Family, PoolName};

use super::entry::Age;
use crate::{demand::Need, outcome::Wait};

type Ages = BTreeSet<Age>;

/// Who waits, and for what.
#[derive(Debug, Default)]
pub(super) struct Pending {
    all: Ages,
    anywhere: BTreeMap<Need, Ages>,
    pools: BTreeMap<(PoolName, Need), Ages>,
    addresses: BTreeMap<IpAddr, Ages>,
    sharing: BTreeMap<Arc<str>, Ages>,
    /// Those of `sharing` that need an address of each family: one may be free and the other shared.
    pairs: BTreeMap<Arc<str>, Ages>,
}

/// An address on which something changed, and what is free around it.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) address: IpAddr,
    /// Its pool, if it lies in a usable one.
    pub(super) pool: Option<PoolName>,
    /// Whether the pool has a free IPv4 and a free IPv6 address.
    pub(super) open: (bool, bool),
    /// The key under which it is shared at present.
    pub(super) sharing: Option<Arc<str>>,
}

impl Pending {
    /// Puts a Service in. Says whether it was missing.
    pub(super) fn insert(
        &mut self,
        age: &Age,
        wait: Option<&Wait>,
        sharing: Option<&Arc<str>>,
    ) -> bool {
        let is_new = self.all.insert(age.clone());
        if let Some(wait) = wait {
            self.insert_wait(age, wait, sharing);
        }
        is_new
    }

    fn insert_wait(&mut self, age: &Age, wait: &Wait, sharing: Option<&Arc<str>>) {
        match wait {
            Wait::Anywhere(need) => insert(&mut self.anywhere, *need, age),
            Wait::Pool(pool, need) => insert(&mut self.pools, (pool.clone(), *need), age),
            Wait::Addresses(addresses) => {
                for address in addresses.iter() {
                    insert(&mut self.addresses, address, age);
                }
            }
        }
        if let Some(key) = sharing {
            insert(&mut self.sharing, Arc::clone(key), age);
            if needs_both(wait) {
                insert(&mut self.pairs, Arc::clone(key), age);
            }
        }
    }

    /// Takes a Service out. Says whether it was there.
    pub(super) fn remove(
        &mut self,
        age: &Age,
        wait: Option<&Wait>,
        sharing: Option<&Arc<str>>,
    ) -> bool {
        let was_there = self.all.remove(age);
        if let Some(wait) = wait.filter(|_| was_there) {
            self.remove_wait(age, wait, sharing);
        }
        was_there
    }

    fn remove_wait(&mut self, age: &Age, wait: &Wait, sharing: Option<&Arc<str>>) {
        match wait {
            Wait::Anywhere(need) => remove(&mut self.anywhere, need, age),
            Wait::Pool(pool, need) => remove(&mut self.pools, &(pool.clone(), *need), age),
            Wait::Addresses(addresses) => {
                for address in addresses.iter() {
                    remove(&mut self.addresses, &address, age);
                }
            }
        }
        if let Some(key) = sharing {
            remove(&mut self.sharing, key, age);
            if needs_both(wait) {
                remove(&mut self.pairs, key, age);
            }
        }
    }

    /// Everyone who lacks something, the oldest first.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = &Age> {
        self.all.iter()
    }

    /// The oldest Service after `after` that the opening could serve. `shared` tells whether an address
    /// of the other family is shared under a key in the opening's pool.
    pub(super) fn next(
        &self,
        opening: &Opening,
        after: Option<&Age>,
        shared: impl Fn(&Arc<str>) -> bool,
    ) -> Option<&Age> {
        let mut classes: Vec<&Ages> = Vec::new();
        classes.extend(self.addresses.get(&opening.address));
        let sharing = opening.sharing.as_ref();
        classes.extend(sharing.and_then(|key| self.sharing.get(key)));
        let pool = opening.pool.iter().filter(|_| opening.sharing.is_none());
        for pool in pool {
            for need in needs(opening) {
                classes.extend(self.anywhere.get(&need));
                classes.extend(self.pools.get(&(pool.clone(), need)));
            }
            let pairs = self.pairs.iter().filter(|(key, _)| shared(key));
            classes.extend(pairs.map(|(_, ages)| ages));
        }
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = |ages: &&'_ Ages| ages.range((start, Bound::Unbounded)).next().cloned();
        let first = classes.iter().filter_map(later).min()?;
        self.all.get(&first)
    }
}

fn needs_both(wait: &Wait) -> bool {
    matches!(wait, Wait::Anywhere(Need::Both) | Wait::Pool(_, Need::Both))
}

/// The needs that an opening could meet with free addresses.
fn needs(opening: &Opening) -> impl Iterator<Item = Need> + use<> {
    let family = Family::of(opening.address);
    let (v4, v6) = opening.open;
    let open = match family {
        Family::IPv4 => v4,
        Family::IPv6 => v6,
    };
    let single = [
        Need::One(family),
        Need::Prefer(Family::IPv4),
        Need::Prefer(Family::IPv6),
    ];
    let single = single.into_iter().filter(move |_| open);
    single.chain((v4 && v6).then_some(Need::Both))
}

fn insert<K: Ord>(map: &mut BTreeMap<K, Ages>, key: K, age: &Age) {
    map.entry(key).or_default().insert(age.clone());
}

fn remove<K: Ord>(map: &mut BTreeMap<K, Ages>, key: &K, age: &Age) {
    let Some(ages) = map.get_mut(key) else {
        return;
    };
    ages.remove(age);
    if ages.is_empty() {
        map.remove(key);
    }
}
