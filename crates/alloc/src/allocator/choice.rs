// SPDX-License-Identifier: Apache-2.0
//! Choosing addresses: which pool, and which address in it.
//!
//! Pinned pools come first, by priority and name, then the other automatic ones by name. In a pool the
//! first usable address in listed order is taken: a free one, or one shared on terms that fit.

use std::ops::Range;

use ferrolb_types::{Family, PoolName};

use super::{Allocator, Claim, Held};
use crate::{
    addresses::Addresses, demand::Need, refusal::Refusal, space::Position, steps::Counted,
    steps::step, stock::Stock,
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
        self.free(claim.service);
        let (index, addresses) = match pool {
            Some(name) => self.choose_in(claim, need, name)?,
            None => self.choose(claim, need).ok_or(Refusal::NoneFree)?,
        };
        let stock = self.stocks.get(index).ok_or(Refusal::NoneFree)?;
        let pool = stock.pool.name.clone();
        let pinning = stock
            .pool
            .pinning
            .as_ref()
            .filter(|_| stock.pool.auto_assign);
        let priority = pinning.map(|pinning| pinning.priority);
        for address in addresses.iter() {
            self.book(address, claim.service, claim.terms);
        }
        let held = Held {
            addresses,
            pool: pool.clone(),
        };
        self.record(claim.service, held);
        Ok(Granted {
            addresses,
            pool,
            priority,
        })
    }

    /// Adds an address of another family, from the pool the Service holds its address of.
    ///
    /// # Errors
    /// Why there is none.
    pub fn extend(&mut self, claim: &Claim<'_>, family: Family) -> Result<Held, Refusal> {
        let held = self.held(claim.service).ok_or(Refusal::NoneFree)?;
        let mut held = held.clone();
        let none = || Refusal::NoneFreeIn(held.pool.clone());
        let index = *self.by_name.get(&held.pool).ok_or_else(none)?;
        let found = self.addresses(index, &[family], claim).ok_or_else(none)?;
        for address in found.iter() {
            held.addresses.push(address);
            self.book(address, claim.service, claim.terms);
        }
        self.record(claim.service, held.clone());
        Ok(held)
    }

    /// Whether a pool's `serviceAllocation` admits the Service.
    pub(super) fn is_open_to(&self, index: usize, claim: &Claim<'_>) -> bool {
        let namespace = claim.service.namespace();
        let admits = |stock: &Stock| match &stock.pool.pinning {
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
    fn choose_in(
        &self,
        claim: &Claim<'_>,
        need: Need,
        pool: &PoolName,
    ) -> Result<(usize, Addresses), Refusal> {
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
            .find_map(|families| self.addresses(index, families, claim))
            .map(|addresses| (index, addresses))
            .ok_or_else(|| Refusal::NoneFreeIn(pool.clone()))
    }

    fn choose(&self, claim: &Claim<'_>, need: Need) -> Option<(usize, Addresses)> {
        let pinned = self.choose_among(claim, need, 0..self.pinned);
        pinned.or_else(|| self.choose_among(claim, need, self.pinned..self.automatic))
    }

    fn choose_among(
        &self,
        claim: &Claim<'_>,
        need: Need,
        group: Range<usize>,
    ) -> Option<(usize, Addresses)> {
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
    ) -> Option<(usize, Addresses)> {
        let shareable = self.shareable_pools(claim, &group);
        let mut cursor = group.start;
        loop {
            step();
            let mut candidate = cursor;
            for &family in families {
                let next = self.next_pool(family, cursor..group.end, &shareable)?;
                candidate = candidate.max(next);
            }
            if candidate > cursor {
                cursor = candidate;
                continue;
            }
            if self.is_open_to(candidate, claim)
                && let Some(found) = self.addresses(candidate, families, claim)
            {
                return Some((candidate, found));
            }
            cursor += 1;
        }
    }

    /// Pools of the group in which an address is shared under the Service's key, with the family.
    fn shareable_pools(&self, claim: &Claim<'_>, group: &Range<usize>) -> Vec<(Family, usize)> {
        let key = claim.terms.key();
        let pools = key.and_then(|key| self.shared.get(key));
        let index = |name: &PoolName| self.by_name.get(name).copied();
        let mut shareable = Vec::new();
        for (name, positions) in pools.into_iter().flatten() {
            let Some(index) = index(name).filter(|index| group.contains(index)) else {
                continue;
            };
            let ends = [positions.first(), positions.last()];
            shareable.extend(
                ends.into_iter()
                    .flatten()
                    .map(|(family, _)| (*family, index)),
            );
        }
        shareable
    }

    fn next_pool(
        &self,
        family: Family,
        range: Range<usize>,
        shareable: &[(Family, usize)],
    ) -> Option<usize> {
        let bounds = Counted(range.start)..Counted(range.end);
        let open = self.open(family).range(bounds).next().map(|index| index.0);
        let shared = shareable
            .iter()
            .filter(|(of, index)| *of == family && range.contains(index))
            .map(|(_, index)| *index)
            .min();
        open.into_iter().chain(shared).min()
    }

    /// A usable address of each of the families in a pool.
    fn addresses(&self, index: usize, families: &[Family], claim: &Claim<'_>) -> Option<Addresses> {
        let stock = self.stocks.get(index)?;
        let mut addresses = Addresses::default();
        for &family in families {
            let position = self.first_usable(stock, family, claim)?;
            addresses.push(stock.space(family).address(position)?);
        }
        Some(addresses)
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
        let pools = self.shared.get(claim.terms.key()?)?;
        let positions = pools.get(&stock.pool.name)?;
        let mut below = positions.range((family, 0)..=(family, limit));
        let (_, position) = below.find(|(_, position)| {
            step();
            let address = stock.space(family).address(*position);
            address.is_some_and(|a| self.may_join(a, claim.service, claim.terms).is_ok())
        })?;
        Some(*position)
    }
}
