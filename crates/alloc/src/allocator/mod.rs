// SPDX-License-Identifier: Apache-2.0
//! All pools with what is free of them, and all bookings, by address and by Service.
//!
//! Owns the invariant that an address is never held by two Services that may not share it: every
//! booking goes through a check of the present holders. Knows nothing of a Service's history, status
//! or Events. What is found first depends on the configuration and the bookings alone.

mod choice;
mod exact;
mod frozen;
mod reload;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque, hash_map::DefaultHasher},
    hash::BuildHasherDefault,
    net::IpAddr,
    sync::Arc,
};

use ferrolb_types::{Family, Labels, PoolName, ServiceKey};

use crate::{
    addresses::Addresses,
    refusal::Refusal,
    space::Position,
    steps::Counted,
    stock::{Counters, Stock},
    tenancy::{Tenancy, Terms},
};

pub use choice::Granted;
pub use reload::Reload;

use frozen::Frozen;

/// A map with a fixed hash function: the same history makes the same map.
type FixedMap<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// The addresses that may be shared, by pool, in the order they are looked at.
type SharedByPool = BTreeMap<PoolName, BTreeSet<(Family, Position)>>;

/// Who asks, and what decides whether a pool and an address are open to it.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The Service.
    pub service: &'a ServiceKey,
    /// Its labels.
    pub labels: &'a Labels,
    /// The labels of its namespace.
    pub namespace_labels: &'a Labels,
    /// On what terms it would share.
    pub terms: &'a Terms,
}

/// What a Service holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its addresses, in the order of its status.
    pub addresses: Addresses,
    /// The pool they are of, or the refused pool they are kept of.
    pub pool: PoolName,
}

/// Pools and bookings.
#[derive(Debug, Default)]
pub struct Allocator {
    /// Pinned pools by rank and name, then the other automatic ones by name, then the rest.
    stocks: Vec<Stock>,
    /// Where the pinned pools end.
    pinned: usize,
    /// Where the automatic pools end.
    automatic: usize,
    by_name: FixedMap<PoolName, usize>,
    /// Lowest address of an entry to its highest and its pool.
    ranges: BTreeMap<Counted<(Family, u128)>, (u128, usize)>,
    /// Automatic pools with a free address, per family.
    open_v4: BTreeSet<Counted<usize>>,
    open_v6: BTreeSet<Counted<usize>>,
    frozen: Frozen,
    tenants: FixedMap<IpAddr, Tenancy>,
    held: FixedMap<ServiceKey, Held>,
    /// Addresses that may be shared, by sharing key and pool.
    shared: FixedMap<Arc<str>, SharedByPool>,
    freed: VecDeque<IpAddr>,
}

impl Allocator {
    /// What a Service holds.
    #[must_use]
    pub fn held(&self, service: &ServiceKey) -> Option<&Held> {
        self.held.get(service)
    }

    /// The Services that hold an address.
    pub fn holders(&self, address: IpAddr) -> impl Iterator<Item = &ServiceKey> {
        let tenancy = self.tenants.get(&address);
        tenancy.into_iter().flat_map(Tenancy::holders)
    }

    /// The counters of a pool.
    #[must_use]
    pub fn counters(&self, pool: &PoolName) -> Option<Counters> {
        let stock = self.stocks.get(*self.by_name.get(pool)?)?;
        Some(stock.counters())
    }

    /// Every pool with its counters; pinned pools first, then by name.
    pub fn pools(&self) -> impl Iterator<Item = (&PoolName, Counters)> {
        let stocks = self.stocks.iter();
        stocks.map(|stock| (&stock.pool.name, stock.counters()))
    }

    /// Whether there is neither a pool to use nor a refused one to keep addresses of.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stocks.is_empty() && self.frozen.is_empty()
    }

    /// Gives back all that a Service holds; false if that was nothing.
    pub fn free(&mut self, service: &ServiceKey) -> bool {
        let Some(held) = self.held.remove(service) else {
            return false;
        };
        self.frozen.held.remove(service);
        for address in held.addresses.iter() {
            self.unbook(address, service);
        }
        true
    }

    /// The next address that has become free, or shareable on new terms, since the last call.
    pub fn next_freed(&mut self) -> Option<IpAddr> {
        self.freed.pop_front()
    }

    /// The pool an address belongs to, and whether it has a free address, per family.
    pub(crate) fn surroundings(&self, address: IpAddr) -> Option<(&PoolName, bool, bool)> {
        let stock = self.stocks.get(self.locate(address)?)?;
        let open = |family| !stock.space(family).is_full();
        Some((&stock.pool.name, open(Family::IPv4), open(Family::IPv6)))
    }

    /// The key under which an address may be shared at present.
    pub(crate) fn sharing_key(&self, address: IpAddr) -> Option<&Arc<str>> {
        self.tenants.get(&address)?.sharing_key()
    }

    /// Whether an address of this pool and family is shared under the key.
    pub(crate) fn is_shared_in(&self, pool: &PoolName, family: Family, key: &Arc<str>) -> bool {
        let positions = self.shared.get(key).and_then(|pools| pools.get(pool));
        let whole = (family, 0)..=(family, Position::MAX);
        positions.is_some_and(|positions| positions.range(whole).next().is_some())
    }

    /// Whether a Service could hold the address as far as its present holders go.
    pub(crate) fn may_join(
        &self,
        address: IpAddr,
        service: &ServiceKey,
        terms: &Terms,
    ) -> Result<(), Refusal> {
        match self.tenants.get(&address) {
            None => Ok(()),
            Some(tenancy) => tenancy.admits(address, service, terms),
        }
    }

    fn locate(&self, address: IpAddr) -> Option<usize> {
        let key = (Family::of(address), crate::space::number(address));
        let (first, &(last, index)) = self.ranges.range(..=Counted(key)).next_back()?;
        (first.0.0 == key.0 && key.1 <= last).then_some(())?;
        let stock = self.stocks.get(index)?;
        stock.position(address).map(|_| index)
    }

    fn open(&self, family: Family) -> &BTreeSet<Counted<usize>> {
        match family {
            Family::IPv4 => &self.open_v4,
            Family::IPv6 => &self.open_v6,
        }
    }

    fn open_mut(&mut self, family: Family) -> &mut BTreeSet<Counted<usize>> {
        match family {
            Family::IPv4 => &mut self.open_v4,
            Family::IPv6 => &mut self.open_v6,
        }
    }

    fn record(&mut self, service: &ServiceKey, held: Held) {
        self.held.insert(service.clone(), held);
    }

    /// Books an address whose holders were asked before.
    fn book(&mut self, address: IpAddr, service: &ServiceKey, terms: &Terms) {
        let place = self.locate(address);
        if let Some(index) = place {
            self.take(index, address);
        }
        self.tenants
            .entry(address)
            .and_modify(|tenancy| tenancy.join(service, terms))
            .or_insert_with(|| Tenancy::new(service, terms));
        if let Some(key) = terms.key() {
            self.index_shared(key, place, address);
            self.freed.push_back(address);
        }
    }

    fn take(&mut self, index: usize, address: IpAddr) {
        let family = Family::of(address);
        let Some(stock) = self.stocks.get_mut(index) else {
            return;
        };
        if let Some(position) = stock.position(address) {
            stock.space_mut(family).take(position);
        }
        if stock.space(family).is_full() {
            self.open_mut(family).remove(&Counted(index));
        }
    }

    fn unbook(&mut self, address: IpAddr, service: &ServiceKey) {
        self.freed.push_back(address);
        let Some(tenancy) = self.tenants.get_mut(&address) else {
            return;
        };
        if !tenancy.leave(service) {
            return;
        }
        let tenancy = self.tenants.remove(&address);
        let Some(index) = self.locate(address) else {
            return;
        };
        if let Some(key) = tenancy.as_ref().and_then(Tenancy::sharing_key) {
            self.forget_shared(key, index, address);
        }
        self.give(index, address);
    }

    fn give(&mut self, index: usize, address: IpAddr) {
        let family = Family::of(address);
        let Some(stock) = self.stocks.get_mut(index) else {
            return;
        };
        if let Some(position) = stock.position(address) {
            stock.space_mut(family).give(position);
        }
        if index < self.automatic {
            self.open_mut(family).insert(Counted(index));
        }
    }

    fn index_shared(&mut self, key: &Arc<str>, place: Option<usize>, address: IpAddr) {
        let Some(stock) = place.and_then(|index| self.stocks.get(index)) else {
            return;
        };
        let Some(position) = stock.position(address) else {
            return;
        };
        let pools = self.shared.entry(Arc::clone(key)).or_default();
        let positions = pools.entry(stock.pool.name.clone()).or_default();
        positions.insert((Family::of(address), position));
    }

    fn forget_shared(&mut self, key: &Arc<str>, index: usize, address: IpAddr) {
        let Some(stock) = self.stocks.get(index) else {
            return;
        };
        let (Some(pools), Some(position)) = (self.shared.get_mut(key), stock.position(address))
        else {
            return;
        };
        if let Some(positions) = pools.get_mut(&stock.pool.name) {
            positions.remove(&(Family::of(address), position));
            if positions.is_empty() {
                pools.remove(&stock.pool.name);
            }
        }
        if pools.is_empty() {
            self.shared.remove(key);
        }
    }
}
