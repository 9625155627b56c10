// SPDX-License-Identifier: Apache-2.0
//! The Services that hold addresses, each under a small number.
//!
//! What a Service holds stands in a slab, one line of memory for each; its number there is what an
//! address remembers of its holder. By name the numbers are found through a hash [`table`]. Names are
//! hashed once for each operation and with a secret seed, as users choose them; the table is never
//! walked, so the seed shows nowhere.

mod table;

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use ferrolb_types::{PoolName, ServiceKey};
use slab::Slab;

use crate::{addresses::Addresses, allocator::Held};

use table::Table;
#[cfg(test)]
pub(crate) use table::Table as TestedTable;

/// The number of a Service while it holds anything; somebody else's later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HolderId(u32);

impl HolderId {
    /// Any number, for tests of what keeps it.
    #[cfg(test)]
    pub(crate) const ANY: Self = Self(7);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A Service with the hash of its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) service: &'a ServiceKey,
    hash: u32,
}

/// What a Service holds, in the form it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Booking {
    pub(crate) addresses: Addresses,
    /// Shared by all bookings of a pool: half as large as the name itself.
    pub(crate) pool: Arc<PoolName>,
    /// Whether it may share them.
    pub(crate) shares: bool,
}

impl Booking {
    pub(crate) fn held(&self) -> Held {
        Held {
            addresses: self.addresses,
            pool: PoolName::clone(&self.pool),
        }
    }
}

/// Just one line of memory, and never a part of two.
#[derive(Debug)]
#[repr(align(64))]
struct Entry {
    service: ServiceKey,
    booking: Booking,
}

/// All holders.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    entries: Slab<Entry>,
    by_name: Table,
    seed: RandomState,
}

impl Holders {
    /// The Service with its hash, for the other calls.
    pub(crate) fn named<'a>(&self, service: &'a ServiceKey) -> Named<'a> {
        let [a, b, c, d, ..] = self.seed.hash_one(service).to_le_bytes();
        let hash = u32::from_le_bytes([a, b, c, d]);
        Named { service, hash }
    }

    /// The number of a Service that holds something.
    pub(crate) fn find(&self, named: Named<'_>) -> Option<HolderId> {
        let found = self
            .by_name
            .find(named.hash, |id| is(&self.entries, id, named.service));
        found.map(HolderId)
    }

    /// What a Service holds.
    pub(crate) fn booking(&self, id: HolderId) -> Option<&Booking> {
        self.entries.get(id.index()).map(|entry| &entry.booking)
    }

    /// The same, to be changed.
    pub(crate) fn booking_mut(&mut self, id: HolderId) -> Option<&mut Booking> {
        let entry = self.entries.get_mut(id.index());
        entry.map(|entry| &mut entry.booking)
    }

    /// The name of a Service.
    pub(crate) fn service(&self, id: HolderId) -> Option<&ServiceKey> {
        self.entries.get(id.index()).map(|entry| &entry.service)
    }

    /// Notes what a Service holds that held nothing before.
    pub(crate) fn insert(&mut self, named: Named<'_>, booking: Booking) -> HolderId {
        let service = named.service.clone();
        let index = self.entries.insert(Entry { service, booking });
        // Memory ends long before four thousand million entries do.
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        self.by_name.insert(named.hash, number);
        HolderId(number)
    }

    /// Forgets a Service; `None` if it held nothing.
    pub(crate) fn remove(&mut self, named: Named<'_>) -> Option<(HolderId, Booking)> {
        let is = |id| is(&self.entries, id, named.service);
        let id = HolderId(self.by_name.remove(named.hash, is)?);
        let entry = self.entries.try_remove(id.index())?;
        Some((id, entry.booking))
    }
}

fn is(entries: &Slab<Entry>, id: u32, service: &ServiceKey) -> bool {
    let entry = entries.get(HolderId(id).index());
    entry.is_some_and(|entry| entry.service == *service)
}
