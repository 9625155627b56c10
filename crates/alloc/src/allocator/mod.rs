// SPDX-License-Identifier: Apache-2.0
//! All pools with what is free of them, and all bookings, by address and by Service.
//!
//! Owns the invariant that an address is never held by two Services that may not share it: every
//! booking goes through a check of the present holders. Knows nothing of a Service's history, status
//! or Events. What is found first depends on the configuration and the bookings alone.
//!
//! How it is kept, so that a million bookings are small and one more touches little memory:
//!
//! ```text
//! ServiceKey ─► Holders ─► Booking: addresses               (one hash, one entry in its place)
//! address ─► Atlas ─► Stock ─► Space ─► page ─► Occupant    (a sorted list, arithmetic, one page)
//! Occupant ─► the hash of the one holder, or the number of a shared tenancy
//! lowest free address: automatic stocks with room, in order ─► Space ─► lowest page with room
//! ```
//!
//! Addresses of refused pools lie in no space; their few occupants stand in a map of their own.

mod atlas;
mod booking;
mod choice;
mod exact;
mod frozen;
mod reload;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use ferrolb_types::{Family, Labels, PoolName, ServiceKey};

use crate::{
    addresses::Addresses,
    bits::Bits,
    holders::Named,
    refusal::Refusal,
    stock::{Counters, Stock},
    tenancy::{Occupant, Tenants, Terms},
};

pub use choice::Granted;
pub use reload::Reload;

use atlas::{Atlas, Place};
use frozen::Frozen;

/// Who asks, and what decides whether a pool and an address are open to it.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The Service.
    pub service: &'a ServiceKey,
    /// Its labels.
    pub labels: &'a Labels,
    /// The labels of its namespace. Where they are not known, what they might admit is admitted.
    pub namespace_labels: Option<&'a Labels>,
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

/// Pools and bookings. Maps are asked by key and never walked, so their seeds show nowhere.
#[derive(Debug, Default)]
pub struct Allocator {
    /// Pinned pools by rank and name, then the other automatic ones by name, then the rest.
    stocks: Vec<Stock>,
    /// Where the pinned pools end.
    pinned: usize,
    /// Where the automatic pools end.
    automatic: usize,
    by_name: HashMap<PoolName, usize>,
    atlas: Atlas,
    /// Automatic pools with a free address, per family.
    open_v4: Bits,
    open_v6: Bits,
    frozen: Frozen,
    tenants: Tenants,
    /// Pools with addresses that may be shared, by sharing key.
    shareable: HashMap<Arc<str>, BTreeSet<(Family, usize)>>,
    freed: VecDeque<IpAddr>,
}

impl Allocator {
    /// What a Service holds.
    #[must_use]
    pub fn held(&self, service: &ServiceKey) -> Option<Held> {
        self.held_by(self.tenants.holders.named(service))
    }

    fn held_by(&self, named: Named<'_>) -> Option<Held> {
        let addresses = self.tenants.holders.booking(named)?.addresses;
        let pool = match self.frozen.held.get(named.service) {
            Some(refused) => refused,
            None => self
                .stocks
                .get(self.locate(addresses.iter().next()?)?.stock)?
                .name(),
        };
        let pool = pool.clone();
        Some(Held { addresses, pool })
    }

    /// The Services that hold an address.
    pub fn holders(&self, address: IpAddr) -> impl Iterator<Item = &ServiceKey> {
        let occupant = self.occupant(address).into_iter();
        occupant.flat_map(move |occupant| self.tenants.services((address, occupant)))
    }

    /// How many Services hold an address.
    #[must_use]
    pub fn holding(&self) -> usize {
        self.tenants.holders.len()
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
        stocks.map(|stock| (stock.name(), stock.counters()))
    }

    /// Whether there is neither a pool to use nor a refused one to keep addresses of.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stocks.is_empty() && self.frozen.is_empty()
    }

    /// Gives back all that a Service holds; false if that was nothing.
    pub fn free(&mut self, service: &ServiceKey) -> bool {
        let named = self.tenants.holders.named(service);
        self.release(named)
    }

    /// The next address that has become free, or shareable on new terms, since the last call.
    pub fn next_freed(&mut self) -> Option<IpAddr> {
        self.freed.pop_front()
    }

    /// The pool an address belongs to, and whether it has a free address, per family.
    pub(crate) fn surroundings(&self, address: IpAddr) -> Option<(&PoolName, bool, bool)> {
        let stock = self.stocks.get(self.locate(address)?.stock)?;
        let open = |family| !stock.space(family).is_full();
        Some((stock.name(), open(Family::IPv4), open(Family::IPv6)))
    }

    /// The key under which an address may be shared at present.
    pub(crate) fn sharing_key(&self, address: IpAddr) -> Option<&Arc<str>> {
        self.tenants.sharing_key(self.occupant(address)?)
    }

    /// Whether an address of this pool and family is shared under the key.
    pub(crate) fn is_shared_in(&self, pool: &PoolName, family: Family, key: &Arc<str>) -> bool {
        let index = self.by_name.get(pool).copied();
        let stock = index.and_then(|index| self.stocks.get(index));
        stock.is_some_and(|stock| stock.space(family).shared(key).is_some())
    }

    /// Whether a Service could hold the address as far as its present holders go.
    pub(crate) fn may_join(
        &self,
        address: IpAddr,
        service: &ServiceKey,
        terms: &Terms,
    ) -> Result<(), Refusal> {
        let Some(occupant) = self.occupant(address) else {
            return Ok(());
        };
        self.tenants.admits((address, occupant), service, terms)
    }

    fn occupant(&self, address: IpAddr) -> Option<Occupant> {
        self.occupant_at(address, self.locate(address))
    }

    fn occupant_at(&self, address: IpAddr, place: Option<Place>) -> Option<Occupant> {
        let Some(place) = place else {
            return self.frozen.occupants.get(&address).copied();
        };
        let space = self.stocks.get(place.stock)?.space(Family::of(address));
        space.occupant(place.position)
    }

    fn locate(&self, address: IpAddr) -> Option<Place> {
        self.atlas.locate(address)
    }

    fn open(&self, family: Family) -> &Bits {
        match family {
            Family::IPv4 => &self.open_v4,
            Family::IPv6 => &self.open_v6,
        }
    }

    fn open_mut(&mut self, family: Family) -> &mut Bits {
        match family {
            Family::IPv4 => &mut self.open_v4,
            Family::IPv6 => &mut self.open_v6,
        }
    }
}
