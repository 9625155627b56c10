// SPDX-License-Identifier: Apache-2.0
//! Booking addresses that are given: those a Service requests, and those its status holds.

use std::net::IpAddr;

use ferrolb_types::PoolName;

use super::{Allocator, Claim, Place};
use crate::{
    addresses::Addresses,
    holders::{Booking, Named},
    refusal::Refusal,
    tenancy::Terms,
};

impl Allocator {
    /// Books exactly the addresses that a Service's status holds, or changes the terms on which it
    /// holds them. `noted` is the pool its annotation names. On failure nothing changes.
    ///
    /// # Errors
    /// Why the Service cannot keep them.
    pub fn adopt(
        &mut self,
        claim: &Claim<'_>,
        addresses: Addresses,
        noted: Option<&str>,
    ) -> Result<PoolName, Refusal> {
        let pool = self.keepable(claim, addresses, noted)?;
        self.book_exactly(claim, addresses, &pool)?;
        Ok(pool)
    }

    /// Books exactly the addresses that a Service requests, of `pool` if that is given. On failure
    /// nothing changes.
    ///
    /// # Errors
    /// Why it cannot have them.
    pub fn assign(
        &mut self,
        claim: &Claim<'_>,
        addresses: Addresses,
        pool: Option<&PoolName>,
    ) -> Result<PoolName, Refusal> {
        let mut places = Vec::with_capacity(2);
        for address in addresses.iter() {
            places.push(self.place_of_request(address)?.stock);
        }
        let actual = self.common_pool(claim, &places)?;
        if let (Some(requested), Some(address)) = (pool, addresses.iter().next())
            && *requested != actual
        {
            return Err(Refusal::OtherPool {
                address,
                actual,
                requested: requested.clone(),
            });
        }
        self.book_exactly(claim, addresses, &actual)?;
        Ok(actual)
    }

    fn place_of_request(&self, address: IpAddr) -> Result<Place, Refusal> {
        let refused = || self.frozen.pool_of(address);
        self.locate(address).ok_or_else(|| match refused() {
            Some(pool) => Refusal::PoolRefused(pool.clone()),
            None => Refusal::NotInAnyPool(address),
        })
    }

    /// The pool that addresses of the status belong to, usable or refused.
    fn keepable(
        &self,
        claim: &Claim<'_>,
        addresses: Addresses,
        noted: Option<&str>,
    ) -> Result<PoolName, Refusal> {
        let places = addresses.iter().filter_map(|a| self.locate(a));
        let places: Vec<usize> = places.map(|place| place.stock).collect();
        let outside = self.outside(addresses);
        match outside.first() {
            None => self.common_pool(claim, &places),
            Some(&address) => self
                .frozen
                .owner(noted, &outside)
                .ok_or(Refusal::NotInAnyPool(address)),
        }
    }

    /// Those of the addresses that lie in no usable pool.
    pub(super) fn outside(&self, addresses: Addresses) -> Vec<IpAddr> {
        let outside = addresses.iter().filter(|a| self.locate(*a).is_none());
        outside.collect()
    }

    fn common_pool(&self, claim: &Claim<'_>, places: &[usize]) -> Result<PoolName, Refusal> {
        let name = |index: &usize| self.stocks.get(*index).map(|s| s.name().clone());
        let mut names = places.iter().filter_map(name);
        let first = names.next().ok_or(Refusal::StatusFamilies)?;
        if let Some(other) = names.find(|other| *other != first) {
            return Err(Refusal::SeveralPools(first, other));
        }
        let open = places.first().is_some_and(|i| self.is_open_to(*i, claim));
        open.then(|| first.clone())
            .ok_or(Refusal::Incompatible(first))
    }

    /// Books the addresses if the present holders let the Service have every one of them.
    fn book_exactly(
        &mut self,
        claim: &Claim<'_>,
        addresses: Addresses,
        pool: &PoolName,
    ) -> Result<(), Refusal> {
        self.admitted(claim, addresses)?;
        let named = self.tenants.holders.named(claim.service);
        let held = self.held_by(named);
        let same = held.is_some_and(|held| held.addresses == addresses && held.pool == *pool);
        if !same || !self.on_same_terms(claim, addresses) {
            self.release(named);
            self.enter(named, addresses, pool, claim.terms);
        }
        Ok(())
    }

    fn admitted(&self, claim: &Claim<'_>, addresses: Addresses) -> Result<(), Refusal> {
        let mut all = addresses.iter();
        all.try_for_each(|address| self.may_join(address, claim.service, claim.terms))
    }

    fn on_same_terms(&self, claim: &Claim<'_>, addresses: Addresses) -> bool {
        let occupants = addresses.iter().filter_map(|a| self.occupant(a));
        occupants
            .map(|occupant| self.tenants.terms(occupant, claim.service))
            .all(|terms| match (terms.key(), claim.terms.key()) {
                (None, None) => true,
                _ => terms == *claim.terms,
            })
    }

    /// Books addresses for a Service that holds nothing, wherever they lie.
    pub(super) fn enter(
        &mut self,
        named: Named<'_>,
        addresses: Addresses,
        pool: &PoolName,
        terms: &Terms,
    ) {
        if !self.outside(addresses).is_empty() {
            let held = &mut self.frozen.held;
            held.insert(named.service.clone(), pool.clone());
        }
        let shares = terms.key().is_some();
        let booking = Booking { addresses, shares };
        self.tenants.holders.insert(named, booking);
        for address in addresses.iter() {
            self.book((address, self.locate(address)), named, terms);
        }
    }
}
