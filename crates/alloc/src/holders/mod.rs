// SPDX-License-Identifier: Apache-2.0
//! The Services that hold addresses.
//!
//! What a Service holds stands in a hash [`table`] by its name. Names are hashed once for each operation
//! and with a secret seed, as users choose them; the table is never walked, so the seed shows nowhere.
//! An address remembers the hash of its holder: of the Services with that hash, hardly ever more than
//! one, it is the one that holds the address.

mod table;

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
};

use ferrolb_types::ServiceKey;

use crate::addresses::Addresses;

#[cfg(test)]
pub(crate) use table::Table as TestedTable;
use table::{HASH_BITS, Table};

/// The hash of a Service's name, below 2^31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameHash(pub(crate) u32);

/// A Service with the hash of its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) service: &'a ServiceKey,
    pub(crate) hash: NameHash,
}

/// What a Service holds, in the form it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Booking {
    pub(crate) addresses: Addresses,
    /// Whether it may share them.
    pub(crate) shares: bool,
}

#[derive(Debug)]
struct Entry {
    service: ServiceKey,
    booking: Booking,
}

/// All holders.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    entries: Table<Entry>,
    seed: RandomState,
}

impl Holders {
    /// How many Services hold anything.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The Service with its hash, for the other calls.
    pub(crate) fn named<'a>(&self, service: &'a ServiceKey) -> Named<'a> {
        let [.., a, b, c, d] = self.seed.hash_one(service).to_be_bytes();
        let hash = u32::from_be_bytes([a, b, c, d]) >> (u32::BITS - HASH_BITS);
        Named {
            service,
            hash: NameHash(hash),
        }
    }

    /// What a Service holds.
    pub(crate) fn booking(&self, named: Named<'_>) -> Option<Booking> {
        let is = |entry: &Entry| entry.service == *named.service;
        let entry = self.entries.find(named.hash.0, is)?;
        Some(entry.booking)
    }

    /// The same, to be changed.
    pub(crate) fn booking_mut(&mut self, named: Named<'_>) -> Option<&mut Booking> {
        let is = |entry: &Entry| entry.service == *named.service;
        let entry = self.entries.find_mut(named.hash.0, is)?;
        Some(&mut entry.booking)
    }

    /// The one Service with a name of this hash that holds the address.
    pub(crate) fn holder(&self, hash: NameHash, address: IpAddr) -> Option<&ServiceKey> {
        let holds = |entry: &Entry| entry.booking.addresses.contains(address);
        let entry = self.entries.find(hash.0, holds)?;
        Some(&entry.service)
    }

    /// Notes what a Service holds that held nothing before.
    pub(crate) fn insert(&mut self, named: Named<'_>, booking: Booking) {
        let service = named.service.clone();
        self.entries
            .insert(named.hash.0, Entry { service, booking });
    }

    /// Forgets a Service; `None` if it held nothing.
    pub(crate) fn remove(&mut self, named: Named<'_>) -> Option<Booking> {
        let is = |entry: &Entry| entry.service == *named.service;
        let entry = self.entries.remove(named.hash.0, is)?;
        Some(entry.booking)
    }
}
