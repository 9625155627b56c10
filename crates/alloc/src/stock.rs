// SPDX-License-Identifier: Apache-2.0
//! One pool with its addresses of both families, and its counters.

use std::{net::IpAddr, sync::Arc};

use ferrolb_config::compiled::{Pinning, Pool};
use ferrolb_types::{Family, PoolName};

use crate::{space::Space, tenancy::Occupant};

/// Ranges with this many addresses or more count as the largest number there is.
const UNCOUNTED: u128 = 1 << 62;

/// Addresses of one family in a pool. Numbers saturate at 2^63 - 1, as the status of a pool holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many there are; 2^63 - 1 stands for 2^62 or more.
    pub capacity: i64,
    /// How many are in use, each once however many Services share it.
    pub assigned: i64,
    /// How many are left.
    pub available: i64,
}

/// The counters of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// IPv4.
    pub ipv4: Count,
    /// IPv6.
    pub ipv6: Count,
}

impl Counters {
    /// Both families together, saturating.
    #[must_use]
    pub fn total(&self) -> Count {
        let capacity = self.ipv4.capacity.saturating_add(self.ipv6.capacity);
        let assigned = self.ipv4.assigned.saturating_add(self.ipv6.assigned);
        Count {
            capacity,
            assigned,
            available: capacity.saturating_sub(assigned),
        }
    }
}

/// A pool and what of it is free.
#[derive(Debug)]
pub(crate) struct Stock {
    pool: Arc<Pool>,
    /// The name and the pinning of the pool, at hand for every allocation.
    name: PoolName,
    is_pinned: bool,
    v4: Space,
    v6: Space,
}

impl Stock {
    pub(crate) fn new(pool: Arc<Pool>) -> Self {
        Self {
            v4: Space::new(&pool, Family::IPv4),
            v6: Space::new(&pool, Family::IPv6),
            name: pool.name.clone(),
            is_pinned: pool.pinning.is_some(),
            pool,
        }
    }

    pub(crate) fn name(&self) -> &PoolName {
        &self.name
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Takes over a new version of the pool with the same addresses.
    pub(crate) fn renew(&mut self, pool: &Arc<Pool>) {
        self.is_pinned = pool.pinning.is_some();
        self.pool = Arc::clone(pool);
    }

    /// Which Services the pool is for, if not for all.
    pub(crate) fn pinning(&self) -> Option<&Pinning> {
        let pool = self.is_pinned.then_some(&self.pool)?;
        pool.pinning.as_ref()
    }

    pub(crate) fn space(&self, family: Family) -> &Space {
        match family {
            Family::IPv4 => &self.v4,
            Family::IPv6 => &self.v6,
        }
    }

    pub(crate) fn space_mut(&mut self, family: Family) -> &mut Space {
        match family {
            Family::IPv4 => &mut self.v4,
            Family::IPv6 => &mut self.v6,
        }
    }

    pub(crate) fn held(&self) -> impl Iterator<Item = (IpAddr, Occupant)> + '_ {
        self.v4.held().chain(self.v6.held())
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            ipv4: count(&self.v4),
            ipv6: count(&self.v6),
        }
    }
}

fn count(space: &Space) -> Count {
    let size = space.size();
    let capacity = if size >= UNCOUNTED {
        i64::MAX
    } else {
        i64::try_from(size).unwrap_or(i64::MAX)
    };
    let assigned = i64::try_from(space.taken()).unwrap_or(i64::MAX);
    Count {
        capacity,
        assigned,
        available: capacity.saturating_sub(assigned),
    }
}
