// SPDX-License-Identifier: Apache-2.0
//! The addresses of one pool and family: their order, who holds them, what is free, and where a Service
//! could join others.
//!
//! - [`order`]: address to position and back, by arithmetic;
//! - [`occupancy`]: what is taken, with the lowest free position at hand;
//! - [`pages`]: the taken positions and their holders, 64 by 64;
//! - [`intervals`]: the pages that have room.
//!
//! Knows no Service: an [`Occupant`] is kept for others to read.

mod intervals;
mod occupancy;
mod order;
mod pages;

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
};

use ferrolb_config::compiled::Pool;
use ferrolb_types::Family;

use crate::tenancy::Occupant;

use occupancy::Occupancy;
use order::Order;

pub(crate) use order::{Span, number};

/// The place of an address in the order of its pool and family.
pub(crate) type Position = u128;

/// The addresses of one pool and family.
#[derive(Debug)]
pub(crate) struct Space {
    order: Order,
    occupancy: Occupancy,
    /// The positions that are shared, by sharing key.
    shared: HashMap<Arc<str>, BTreeSet<Position>>,
}

impl Space {
    pub(crate) fn new(pool: &Pool, family: Family) -> Self {
        let order = Order::new(pool, family);
        Self {
            occupancy: Occupancy::new(order.size()),
            order,
            shared: HashMap::new(),
        }
    }

    /// The entries of the pool, in listed order.
    pub(crate) fn spans(&self) -> &[Span] {
        self.order.spans()
    }

    /// The address at a position of this space.
    pub(crate) fn address(&self, position: Position) -> Option<IpAddr> {
        self.order.address(position)
    }

    /// The lowest free position.
    pub(crate) fn first_free(&self) -> Option<Position> {
        self.occupancy.first_free()
    }

    /// Whether nothing is free.
    pub(crate) fn is_full(&self) -> bool {
        self.occupancy.is_full()
    }

    /// Who holds a position.
    pub(crate) fn occupant(&self, position: Position) -> Option<Occupant> {
        self.occupancy.occupant(position)
    }

    /// Takes a position; false if it was taken before.
    pub(crate) fn take(&mut self, position: Position, occupant: Occupant) -> bool {
        self.occupancy.take(position, occupant)
    }

    /// Gives a position back; false if it was free.
    pub(crate) fn give(&mut self, position: Position) -> bool {
        self.occupancy.give(position)
    }

    /// Every address that is taken, in order, with its occupant.
    pub(crate) fn held(&self) -> impl Iterator<Item = (IpAddr, Occupant)> + '_ {
        let held = self.occupancy.held();
        held.filter_map(|(position, occupant)| Some((self.address(position)?, occupant)))
    }

    /// Notes that a position is shared under a key.
    pub(crate) fn share(&mut self, key: &Arc<str>, position: Position) {
        let positions = self.shared.entry(Arc::clone(key)).or_default();
        positions.insert(position);
    }

    /// Forgets that a position is shared; true if none is under this key any more.
    pub(crate) fn unshare(&mut self, key: &Arc<str>, position: Position) -> bool {
        let Some(positions) = self.shared.get_mut(key) else {
            return true;
        };
        positions.remove(&position);
        let none = positions.is_empty();
        if none {
            self.shared.remove(key);
        }
        none
    }

    /// The positions that are shared under a key, if there are any.
    pub(crate) fn shared(&self, key: &Arc<str>) -> Option<&BTreeSet<Position>> {
        self.shared.get(key)
    }

    /// Every key under which a position is shared, in no order.
    pub(crate) fn sharing_keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.shared.keys()
    }

    /// How many addresses there are.
    pub(crate) fn size(&self) -> u128 {
        self.order.size()
    }

    /// How many of them are taken.
    pub(crate) fn taken(&self) -> u64 {
        self.occupancy.taken()
    }
}
