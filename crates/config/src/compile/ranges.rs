// SPDX-License-Identifier: Apache-2.0
//! Address ranges of pools, none of which overlaps another.

use std::{collections::BTreeMap, net::IpAddr};

use ferrolb_types::PoolName;

use crate::compiled::Entry;

/// Where a range belongs.
pub(super) struct Owner {
    pub(super) last: IpAddr,
    pub(super) pool: PoolName,
    /// The number of the entry in the pool.
    pub(super) index: usize,
}

/// Ranges by their first address.
#[derive(Default)]
pub(super) struct Ranges(BTreeMap<IpAddr, Owner>);

impl Ranges {
    /// Puts the ranges of a pool in, which overlap neither each other nor what is there.
    pub(super) fn enter(&mut self, pool: &PoolName, entries: &[Entry]) {
        for entry in entries {
            let owner = Owner {
                last: entry.range.last(),
                pool: pool.clone(),
                index: entry.index,
            };
            self.0.insert(entry.range.first(), owner);
        }
    }

    /// The ranges that share an address with `first..=last`, highest first.
    pub(super) fn overlapping(
        &self,
        first: IpAddr,
        last: IpAddr,
    ) -> impl Iterator<Item = (&IpAddr, &Owner)> {
        self.0
            .range(..=last)
            .rev()
            .take_while(move |(_, owner)| owner.last >= first)
    }

    /// The ranges that share an address with one of the entries, each with such an entry. Entries that
    /// overlap are followed once: the cost grows with the entries and the ranges, not with both.
    pub(super) fn met_by<'e>(
        &self,
        entries: &'e [Entry],
    ) -> impl Iterator<Item = (&'e Entry, &IpAddr, &Owner)> {
        let mut sorted: Vec<&Entry> = entries.iter().collect();
        sorted.sort_by_key(|entry| (entry.range.first(), entry.index));
        let mut reached: Option<IpAddr> = None;
        sorted.into_iter().flat_map(move |entry| {
            let (first, last) = (entry.range.first(), entry.range.last());
            let first = reached.map_or(first, |reached| reached.max(first));
            let is_new = reached.is_none_or(|reached| reached < last);
            reached = reached.max(Some(last));
            let met = is_new.then(|| self.overlapping(first, last));
            met.into_iter()
                .flatten()
                .map(move |(first, owner)| (entry, first, owner))
        })
    }
}
