// SPDX-License-Identifier: Apache-2.0
//! Taking and giving back: every change of who holds what goes through here, and each is told in the
//! queue of freed addresses where it could help somebody who waits.

use std::{net::IpAddr, sync::Arc};

use ferrolb_types::{Family, ServiceKey};

use super::{Allocator, Place};
use crate::{
    holders::Named,
    tenancy::{Left, Terms},
};

impl Allocator {
    /// Gives back all that a Service holds; false if that was nothing.
    pub(super) fn release(&mut self, named: Named<'_>) -> bool {
        let Some(booking) = self.tenants.holders.remove(named) else {
            return false;
        };
        self.frozen.held.remove(named.service);
        for address in booking.addresses.iter() {
            self.freed.push_back(address);
            let place = self.locate(address);
            if booking.shares {
                self.leave(address, place, named.service);
            } else {
                self.vacate(address, place);
            }
        }
        true
    }

    /// Books an address whose holders were asked before. `place` is where it stands, if in a pool.
    pub(super) fn book(
        &mut self,
        (address, place): (IpAddr, Option<Place>),
        holder: Named<'_>,
        terms: &Terms,
    ) {
        // Who does not share has it alone.
        let shares = terms.key();
        match shares.and_then(|_| self.occupant_at(address, place)) {
            Some(occupant) => self.tenants.join(occupant, holder.service, terms),
            None => self.occupy(address, place, holder, terms),
        }
        if let Some(key) = shares {
            if let Some(place) = place {
                self.index_shared(key, place, Family::of(address));
            }
            self.freed.push_back(address);
        }
    }

    fn occupy(&mut self, address: IpAddr, place: Option<Place>, holder: Named<'_>, terms: &Terms) {
        let occupant = self.tenants.begin(holder, terms);
        let Some(place) = place else {
            self.frozen.occupants.entry(address).or_insert(occupant);
            return;
        };
        let family = Family::of(address);
        let Some(stock) = self.stocks.get_mut(place.stock) else {
            return;
        };
        let space = stock.space_mut(family);
        space.take(place.position, occupant);
        if space.is_full() {
            self.open_mut(family).remove(place.stock);
        }
    }

    /// Takes a holder out of those of an address; the last one leaves it free.
    fn leave(&mut self, address: IpAddr, place: Option<Place>, service: &ServiceKey) {
        let Some(occupant) = self.occupant_at(address, place) else {
            return;
        };
        let Left::Nobody(key) = self.tenants.leave(occupant, service) else {
            return;
        };
        if let (Some(key), Some(place)) = (key, place) {
            self.forget_shared(&key, place, Family::of(address));
        }
        self.vacate(address, place);
    }

    fn vacate(&mut self, address: IpAddr, place: Option<Place>) {
        let Some(place) = place else {
            self.frozen.occupants.remove(&address);
            return;
        };
        let family = Family::of(address);
        let Some(stock) = self.stocks.get_mut(place.stock) else {
            return;
        };
        let space = stock.space_mut(family);
        let was_full = space.is_full();
        space.give(place.position);
        if was_full && place.stock < self.automatic {
            self.open_mut(family).insert(place.stock);
        }
    }

    fn index_shared(&mut self, key: &Arc<str>, place: Place, family: Family) {
        if let Some(stock) = self.stocks.get_mut(place.stock) {
            stock.space_mut(family).share(key, place.position);
            let stocks = self.shareable.entry(Arc::clone(key)).or_default();
            stocks.insert((family, place.stock));
        }
    }

    fn forget_shared(&mut self, key: &Arc<str>, place: Place, family: Family) {
        let stock = self.stocks.get_mut(place.stock);
        if stock.is_some_and(|stock| !stock.space_mut(family).unshare(key, place.position)) {
            return;
        }
        let Some(stocks) = self.shareable.get_mut(key) else {
            return;
        };
        stocks.remove(&(family, place.stock));
        if stocks.is_empty() {
            self.shareable.remove(key);
        }
    }
}
