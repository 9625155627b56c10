// SPDX-License-Identifier: Apache-2.0
//! Taking over a new configuration: what did not change is not touched, bookings in pools that did
//! change move to wherever their addresses lie now.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ferrolb_config::{Config, compiled::Pool};
use ferrolb_types::{Family, PoolName, ServiceKey};

use super::{Allocator, Held, atlas::Atlas, frozen::Frozen};
use crate::{bits::Bits, stock::Stock, tenancy::Terms};

/// What a new configuration means for Services.
#[derive(Debug, Default)]
pub struct Reload {
    /// The Services whose pool changed, or whose booking moved or was dropped, in order.
    pub affected: BTreeSet<ServiceKey>,
    /// Whether anything that allocation depends on changed: who is without an address may try again.
    pub changed: bool,
}

/// A booking taken out of a pool that changes.
type Lifted = (ServiceKey, Held, Terms);

impl Allocator {
    /// Takes over the pools of a configuration. Bookings whose addresses lie in no pool any more, or
    /// not in one alone, are dropped.
    pub fn set_config(&mut self, config: &Config) -> Reload {
        let frozen = Frozen::of(config);
        let (moved, mut reload) = self.compare(config, &frozen);
        if !reload.changed {
            self.refresh(config);
            return reload;
        }
        let lifted: Vec<Lifted> = moved.iter().filter_map(|key| self.lift(key)).collect();
        self.frozen = frozen;
        self.rebuild(config);
        for lifted in &lifted {
            self.settle(lifted);
        }
        self.freed.clear();
        reload.affected.extend(moved);
        reload
    }

    /// Who has to be moved, who only looked at again, and whether anything changed at all.
    fn compare(&self, config: &Config, frozen: &Frozen) -> (BTreeSet<ServiceKey>, Reload) {
        let mut moved = BTreeSet::new();
        let mut reload = Reload {
            changed: !self.frozen.same_pools(frozen) || config.pools.len() != self.stocks.len(),
            ..Reload::default()
        };
        for stock in &self.stocks {
            match config.pools.get(stock.name()) {
                Some(new) if Arc::ptr_eq(new, stock.pool()) || same(new, stock.pool()) => continue,
                Some(new) if same_space(new, stock.pool()) => {
                    if new.pinning.as_ref() != stock.pinning() {
                        reload.affected.extend(self.holders_in(stock));
                    }
                }
                _ => moved.extend(self.holders_in(stock)),
            }
            reload.changed = true;
        }
        if reload.changed {
            moved.extend(self.frozen.held.keys().cloned());
        }
        (moved, reload)
    }

    fn holders_in<'a>(&'a self, stock: &'a Stock) -> impl Iterator<Item = ServiceKey> + 'a {
        stock
            .held()
            .flat_map(|tenancy| self.tenants.services(tenancy).cloned())
    }

    /// Keeps the new objects where only announcement differs.
    fn refresh(&mut self, config: &Config) {
        for stock in &mut self.stocks {
            if let Some(new) = config.pools.get(stock.name()) {
                stock.renew(new);
            }
        }
    }

    fn lift(&mut self, service: &ServiceKey) -> Option<Lifted> {
        let named = self.tenants.holders.named(service);
        let held = self.held_by(named)?;
        let first = self.occupant(held.addresses.iter().next()?)?;
        let terms = self.tenants.terms(first, service);
        self.release(named);
        Some((service.clone(), held, terms))
    }

    fn rebuild(&mut self, config: &Config) {
        let old = std::mem::take(&mut self.stocks);
        let mut old: BTreeMap<PoolName, Stock> = old
            .into_iter()
            .map(|stock| (stock.name().clone(), stock))
            .collect();
        let stocks = config
            .pools
            .values()
            .map(|pool| match old.remove(&pool.name) {
                Some(mut stock) if same_space(stock.pool(), pool) => {
                    stock.renew(pool);
                    stock
                }
                _ => Stock::new(Arc::clone(pool)),
            });
        self.stocks = stocks.collect();
        self.stocks
            .sort_by(|a, b| order(a.pool()).cmp(&order(b.pool())));
        self.index();
    }

    fn index(&mut self) {
        let below = |group| {
            self.stocks
                .partition_point(|stock| order(stock.pool()).0 < group)
        };
        (self.pinned, self.automatic) = (below(1), below(2));
        self.by_name.clear();
        self.open_v4 = Bits::default();
        self.open_v6 = Bits::default();
        self.shareable.clear();
        self.atlas = Atlas::of(&self.stocks);
        for (index, stock) in self.stocks.iter().enumerate() {
            self.by_name.insert(stock.name().clone(), index);
        }
        for index in 0..self.stocks.len() {
            self.index_family(index, Family::IPv4);
            self.index_family(index, Family::IPv6);
        }
    }

    /// Notes where the free and the shareable addresses of a stock count.
    fn index_family(&mut self, index: usize, family: Family) {
        let Some(stock) = self.stocks.get(index) else {
            return;
        };
        let space = stock.space(family);
        for key in space.sharing_keys() {
            let stocks = self.shareable.entry(Arc::clone(key)).or_default();
            stocks.insert((family, index));
        }
        if index < self.automatic && !space.is_full() {
            self.open_mut(family).insert(index);
        }
    }

    fn settle(&mut self, (service, held, terms): &Lifted) {
        if let Some(pool) = self.home(held) {
            let named = self.tenants.holders.named(service);
            self.enter(named, held.addresses, &pool, terms);
        }
    }

    /// The one pool the addresses are of now.
    fn home(&self, held: &Held) -> Option<PoolName> {
        let outside = self.outside(held.addresses);
        if !outside.is_empty() {
            return self.frozen.owner(Some(held.pool.as_str()), &outside);
        }
        let places = held.addresses.iter().filter_map(|a| self.locate(a));
        let places: BTreeSet<usize> = places.map(|place| place.stock).collect();
        let index = places.first().filter(|_| places.len() == 1)?;
        self.stocks.get(*index).map(|stock| stock.name().clone())
    }
}

/// Pinned pools by rank, then the other automatic ones, then the rest; each by name.
fn order(pool: &Pool) -> (u8, i64, &PoolName) {
    match (pool.auto_assign, &pool.pinning) {
        (true, Some(pinning)) => (0, pinning.rank(), &pool.name),
        (true, None) => (1, 0, &pool.name),
        (false, _) => (2, 0, &pool.name),
    }
}

fn same_space(a: &Pool, b: &Pool) -> bool {
    a.avoid_buggy_ips == b.avoid_buggy_ips && a.entries == b.entries
}

fn same(a: &Pool, b: &Pool) -> bool {
    same_space(a, b) && a.auto_assign == b.auto_assign && a.pinning == b.pinning
}
