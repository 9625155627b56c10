// SPDX-License-Identifier: Apache-2.0
//! Which pool an address belongs to, by binary search.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use ferrolb_types::PoolName;

use super::{Pool, pool::is_buggy};

/// The ranges of all pools in order. Derived from the pools when it is first asked, or ahead of that; it
/// is no part of what a configuration says, so any two are equal.
#[derive(Clone, Debug, Default)]
pub struct AddressIndex(OnceLock<Vec<Range>>);

#[derive(Clone, Debug)]
struct Range {
    first: IpAddr,
    last: IpAddr,
    pool: Arc<Pool>,
}

impl AddressIndex {
    pub(super) fn find(
        &self,
        pools: &BTreeMap<PoolName, Arc<Pool>>,
        address: IpAddr,
    ) -> Option<&Arc<Pool>> {
        let ranges = self.0.get_or_init(|| build(pools));
        let after = ranges.partition_point(|range| range.first <= address);
        let range = ranges.get(after.checked_sub(1)?)?;
        let left_out = range.pool.avoid_buggy_ips && is_buggy(address);
        (address <= range.last && !left_out).then_some(&range.pool)
    }

    pub(super) fn build(&self, pools: &BTreeMap<PoolName, Arc<Pool>>) {
        self.0.get_or_init(|| build(pools));
    }
}

impl PartialEq for AddressIndex {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

fn build(pools: &BTreeMap<PoolName, Arc<Pool>>) -> Vec<Range> {
    let ranges = pools.values().flat_map(|pool| {
        pool.entries.iter().map(|entry| Range {
            first: entry.range.first(),
            last: entry.range.last(),
            pool: pool.clone(),
        })
    });
    let mut ranges: Vec<Range> = ranges.collect();
    ranges.sort_by_key(|range| range.first);
    ranges
}
