// SPDX-License-Identifier: Apache-2.0
//! Choosing addresses: which pool, and which address in it.
//!
//! Pinned pools come first, by priority and name, then the other automatic ones by name. In a pool the
//! first usable address in listed order is taken: a free one, or one shared on terms that fit.

use std::{collections::BTreeSet, net::IpAddr, ops::Range};

use ferrolb_types::{Family, PoolName};

use super::{Allocator, Claim, Held, Place};
use crate::{
    addresses::Addresses,
    demand::Need,
    holders::{Booking, Named},
    refusal::Refusal,
    space::Position,
    steps::step,
    stock::Stock,
};

const BOTH: &[Family] = &[Family::IPv4, Family::IPv6];

/// Addresses that were booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The addresses, IPv4 before IPv6.
    pub addresses: Addresses,
    /// Their pool.
    pub pool: PoolName,
    /// The priority of the pool, if it is pinned.
    pub priority: Option<i64>,
}

/// Addresses of one stock, usable and not booked yet.
#[derive(Clone, Copy, Debug)]
struct Found {
    stock: usize,
    chosen: [Option<(IpAddr, Position)>; 2],
}

impl Found {
    fn iter(&self) -> impl Iterator<Item = (IpAddr, Position)> + '_ {
        self.chosen.iter().flatten().copied()
    }
}

impl Allocator {
    /// Books the first addresses that meet the need, from `pool` if that is given. What the Service
    /// held before is given back first.
    ///
    /// # Errors
    /// Why there are none.
    pub fn allocate(
        &mut self,
        claim: &Claim<'_>,
        need: Need,
        pool: Option<&PoolName>,
    ) -> Result<Granted, Refusal> {
        let named = self.tenants.holders.named(claim.service);
        self.release(named);
        let found = match pool {
            Some(name) => self.choose_in(claim, need, name)?,
            None => self.choose(claim, need).ok_or(Refusal::NoneFree)?,
        };
        let granted = self.grant(&found)?;
        let booking = Booking {
            addresses: granted.addresses,
            shares: claim.terms.key().is_some(),
        };
        self.tenants.holders.insert(named, booking);
        self.book_found(&found, named, claim);
        Ok(granted)
    }

    /// Adds an address of another family, from the pool the Service holds its address of.
    ///
    /// # Errors
    /// Why there is none.
    pub fn extend(&mut self, claim: &Claim<'_>, family: Family) -> Result<Held, Refusal> {
        let named = self.tenants.holders.named(claim.service);
        let mut held = self.held_by(named).ok_or(Refusal::NoneFree)?;
        let none = || Refusal::NoneFreeIn(held.pool.clone());
        let index = *self.by_name.get(&held.pool).ok_or_else(none)?;
        let found = self.find(index, &[family], claim).ok_or_else(none)?;
        self.book_found(&found, named, claim);
        for (address, _) in found.iter() {
            held.addresses.push(address);
        }
        if let Some(booking) = self.tenants.holders.booking_mut(named) {
            booking.addresses = held.addresses;
            booking.shares |= claim.terms.key().is_some();
        }
        Ok(held)
    }

    fn grant(&self, found: &Found) -> Result<Granted, Refusal> {
        let stock = self.stocks.get(found.stock).ok_or(Refusal::NoneFree)?;
        let pinning = stock.pinning().filter(|_| stock.pool().auto_assign);
        let mut addresses = Addresses::default();
        for (address, _) in found.iter() {
            addresses.push(address);
        }
        Ok(Granted {
            addresses,
            pool: stock.name().clone(),
            priority: pinning.map(|pinning| pinning.priority),
        })
    }

    fn book_found(&mut self, found: &Found, holder: Named<'_>, claim: &Claim<'_>) {
        let stock = found.stock;
        for (address, position) in found.iter() {
            let place = Place { stock, position };
            self.book((address, Some(place)), holder, claim.terms);
        }
    }

    /// Whether a pool's `serviceAllocation` admits the Service.
    pub(super) fn is_open_to(&self, index: usize, claim: &Claim<'_>) -> bool {
        let namespace = claim.service.namespace();
        let admits = |stock: &Stock| match stock.pinning() {
            None => true,
            Some(pinning) => pinning.admits(namespace, claim.namespace_labels, claim.labels),
        };
        self.stocks.get(index).is_some_and(admits)
    }

    /// The same for a pool by name; false if there is none.
    pub(crate) fn is_pool_open_to(&self, pool: &PoolName, claim: &Claim<'_>) -> bool {
        let index = self.by_name.get(pool);
        index.is_some_and(|index| self.is_open_to(*index, claim))
    }

    /// From a pool asked for by name: both families if both will do, else IPv4, else IPv6.
    fn choose_in(&self, claim: &Claim<'_>, need: Need, pool: &PoolName) -> Result<Found, Refusal> {
        let Some(&index) = self.by_name.get(pool) else {
            return Err(if self.frozen.contains(pool) {
                Refusal::PoolRefused(pool.clone())
            } else {
                Refusal::UnknownPool(pool.clone())
            });
        };
        if !self.is_open_to(index, claim) {
            return Err(Refusal::Incompatible(pool.clone()));
        }
        let wishes: &[&[Family]] = match need {
            Need::One(Family::IPv4) => &[&[Family::IPv4]],
            Need::One(Family::IPv6) => &[&[Family::IPv6]],
            Need::Both => &[BOTH],
            Need::Prefer(_) => &[BOTH, &[Family::IPv4], &[Family::IPv6]],
        };
        let mut wishes = wishes.iter();
        wishes
            .find_map(|families| self.find(index, families, claim))
            .ok_or_else(|| Refusal::NoneFreeIn(pool.clone()))
    }

    fn choose(&self, claim: &Claim<'_>, need: Need) -> Option<Found> {
        let pinned = self.choose_among(claim, need, 0..self.pinned);
        pinned.or_else(|| self.choose_among(claim, need, self.pinned..self.automatic))
    }

    fn choose_among(&self, claim: &Claim<'_>, need: Need, group: Range<usize>) -> Option<Found> {
        let first = |families: &[Family]| self.first_pool(claim, families, group.clone());
        match need {
            Need::One(family) => first(&[family]),
            Need::Both => first(BOTH),
            Need::Prefer(primary) => first(BOTH)
                .or_else(|| first(&[primary]))
                .or_else(|| first(&[primary.other()])),
        }
    }

    /// The first pool of a group that is open to the Service and has a usable address of each family.
    fn first_pool(
        &self,
        claim: &Claim<'_>,
        families: &[Family],
        group: Range<usize>,
    ) -> Option<Found> {
        let shareable = claim.terms.key().and_then(|key| self.shareable.get(key));
        let mut cursor = group.start;
        loop {
            step();
            let mut candidate = cursor;
            for &family in families {
                let next = self.next_pool(family, cursor..group.end, shareable)?;
                candidate = candidate.max(next);
            }
            if candidate > cursor {
                cursor = candidate;
                continue;
            }
            if self.is_open_to(candidate, claim)
                && let Some(found) = self.find(candidate, families, claim)
            {
                return Some(found);
            }
            cursor += 1;
        }
    }

    /// The first pool of a range with a free address of a family, or one that may be shareable.
    fn next_pool(
        &self,
        family: Family,
        range: Range<usize>,
        shareable: Option<&BTreeSet<(Family, usize)>>,
    ) -> Option<usize> {
        let open = self.open(family).at_or_after(range.start);
        let open = open.filter(|index| *index < range.end);
        let shared = shareable.and_then(|pools| {
            let mut pools = pools.range((family, range.start)..(family, range.end));
            pools.next().map(|(_, index)| *index)
        });
        open.into_iter().chain(shared).min()
    }

    /// A usable address of each of the families in a pool, in their order.
    fn find(&self, index: usize, families: &[Family], claim: &Claim<'_>) -> Option<Found> {
        let stock = self.stocks.get(index)?;
        let mut chosen = [None; 2];
        for (slot, &family) in chosen.iter_mut().zip(families) {
            let position = self.first_usable(stock, family, claim)?;
            *slot = Some((stock.space(family).address(position)?, position));
        }
        let stock = index;
        Some(Found { stock, chosen })
    }

    fn first_usable(&self, stock: &Stock, family: Family, claim: &Claim<'_>) -> Option<Position> {
        let free = stock.space(family).first_free();
        let shared = self.first_shareable(stock, family, claim, free.unwrap_or(Position::MAX));
        shared.or(free)
    }

    /// The first address below `limit` that the Service may share.
    fn first_shareable(
        &self,
        stock: &Stock,
        family: Family,
        claim: &Claim<'_>,
        limit: Position,
    ) -> Option<Position> {
        let space = stock.space(family);
        let positions = space.shared(claim.terms.key()?)?;
        let mut below = positions.range(..=limit);
        let position = below.find(|position| {
            step();
            let address = space.address(**position);
            let tenancy = address.zip(space.occupant(**position));
            tenancy.is_some_and(|of| {
                let admitted = self.tenants.admits(of, claim.service, claim.terms);
                admitted.is_ok()
            })
        })?;
        Some(*position)
    }
}
