// SPDX-License-Identifier: Apache-2.0
//! Pools that are refused and have no good version: what Services hold of them they keep, and nothing
//! new is given from them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ferrolb_config::Config;
use ferrolb_types::{IpRange, PoolName, ServiceKey};

use crate::tenancy::Occupant;

/// The refused pools, as far as they could be read.
#[derive(Debug, Default)]
pub(super) struct Frozen {
    names: BTreeSet<PoolName>,
    ranges: Vec<(IpRange, PoolName)>,
    /// The Services that hold an address of no usable pool, with the refused pool it is kept of.
    pub(super) held: BTreeMap<ServiceKey, PoolName>,
    /// Who holds the addresses of no usable pool.
    pub(super) occupants: BTreeMap<IpAddr, Occupant>,
}

impl Frozen {
    /// The refused pools of a configuration; nothing is held yet.
    pub(super) fn of(config: &Config) -> Self {
        let mut frozen = Self::default();
        for (object, refused) in &config.refused {
            if object.kind != "IPAddressPool" || refused.last_good_in_force {
                continue;
            }
            let name = PoolName::from(object.name.as_str());
            let ranges = refused.ranges.iter().map(|range| (*range, name.clone()));
            frozen.ranges.extend(ranges);
            frozen.names.insert(name);
        }
        frozen
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn same_pools(&self, other: &Self) -> bool {
        self.names == other.names && self.ranges == other.ranges
    }

    pub(super) fn contains(&self, pool: &PoolName) -> bool {
        self.names.contains(pool)
    }

    /// The refused pool an address lies in.
    pub(super) fn pool_of(&self, address: IpAddr) -> Option<&PoolName> {
        let mut ranges = self.ranges.iter();
        let (_, name) = ranges.find(|(range, _)| range.contains(address))?;
        Some(name)
    }

    /// The refused pool that addresses of no usable pool are of: the one that was noted when they
    /// were given out, which helps where its ranges cannot be read, or the one they lie in.
    pub(super) fn owner(&self, noted: Option<&str>, outside: &[IpAddr]) -> Option<PoolName> {
        let noted = noted.and_then(|name| self.names.get(name));
        noted
            .or_else(|| outside.iter().find_map(|address| self.pool_of(*address)))
            .cloned()
    }
}
