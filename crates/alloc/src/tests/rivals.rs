// SPDX-License-Identifier: Apache-2.0
//! Two engines that decide about the same Services at once, as two controllers without a Lease do:
//! whatever the order of events, they come to rest and nobody shares an address.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ferrolb_api::view::{Ingress, ServiceView};
use ferrolb_types::ServiceKey;

use super::build::*;
use crate::{Engine, Kind, Options};

/// Numbers without order; xorshift64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// What keeps objects: a write on an old version is refused, and everybody sees the same history.
#[derive(Default)]
struct Server {
    versions: BTreeMap<ServiceKey, usize>,
    /// The version of an object is its place here, counted from one.
    history: Vec<ServiceView>,
}

impl Server {
    fn store(&mut self, view: ServiceView) {
        self.versions
            .insert(view.key.clone(), self.history.len() + 1);
        self.history.push(view);
    }

    fn latest(&self, key: &ServiceKey) -> Option<&ServiceView> {
        self.history.get(self.versions.get(key)? - 1)
    }

    fn doubled(&self) -> Option<String> {
        let mut seen = BTreeSet::new();
        let all = self.versions.keys().filter_map(|key| self.latest(key));
        let mut addresses = all.flat_map(|view| view.addresses().collect::<Vec<_>>());
        addresses
            .find(|address| !seen.insert(*address))
            .map(|address| address.to_string())
    }
}

/// A controller: what it saw, and what it is about to write.
struct Rival {
    engine: Engine,
    seen: usize,
    versions: BTreeMap<ServiceKey, usize>,
    /// The version each write was decided on.
    writes: BTreeMap<ServiceKey, usize>,
    overtaken: BTreeSet<ServiceKey>,
}

impl Rival {
    fn new(pools: &ferrolb_config::Config) -> Self {
        let mut engine = Engine::new(Options::default());
        engine.set_config(pools);
        engine.synced(Kind::Services);
        engine.synced(Kind::Namespaces);
        Self {
            engine,
            seen: 0,
            versions: BTreeMap::new(),
            writes: BTreeMap::new(),
            overtaken: BTreeSet::new(),
        }
    }

    fn is_idle(&self, server: &Server) -> bool {
        let behind = self.seen < server.history.len();
        !behind && self.writes.is_empty() && self.overtaken.is_empty()
    }

    /// Sees some of what happened, in one batch.
    fn look(&mut self, server: &Server, most: usize) {
        let new = server.history.iter().enumerate().skip(self.seen).take(most);
        for (index, view) in new {
            self.seen = index + 1;
            self.versions.insert(view.key.clone(), index + 1);
            self.engine.apply_service(Arc::new(view.clone()));
            if self.overtaken.remove(&view.key) {
                self.again(view.key.clone());
            }
        }
        while let Some(output) = self.engine.poll() {
            if output.outcome.changed {
                self.writes
                    .insert(output.key.clone(), self.versions[&output.key]);
            }
        }
    }

    /// One of the writes reaches the server.
    fn write(&mut self, server: &mut Server, chance: &mut Chance) {
        let Some(key) = self
            .writes
            .keys()
            .nth(chance.below(self.writes.len().max(1)))
            .cloned()
        else {
            return;
        };
        let version = self.writes.remove(&key).unwrap();
        if server.versions[&key] != version {
            match self.versions[&key] == version {
                true => drop(self.overtaken.insert(key)),
                false => self.again(key),
            }
            return;
        }
        let desired = self.engine.desired(&key).unwrap().clone();
        let mut view = server.latest(&key).unwrap().clone();
        view.ingress = desired
            .addresses
            .iter()
            .copied()
            .map(Ingress::Address)
            .collect();
        view.annotations.allocated_from_pool = desired.pool.map(|pool| pool.as_str().into());
        server.store(view);
    }

    fn again(&mut self, key: ServiceKey) {
        if !self.engine.is_confirmed(&key) {
            let version = self.versions[&key];
            self.writes.insert(key, version);
        }
    }
}

/// Lets two work on so many Services; gives the number of writes.
fn rest(seed: u64, services: usize, pools: &ferrolb_config::Config) -> usize {
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut server = Server::default();
    let mut rivals = [Rival::new(pools), Rival::new(pools)];
    let mut made = 0;
    for _ in 0..200 * services {
        let rival = &mut rivals[chance.below(2)];
        match chance.below(4) {
            0 if made < services => {
                // Their names are in no order.
                server.store(svc(&format!("s{}", (made * 7) % services)).0);
                made += 1;
            }
            0 | 1 => rival.look(&server, 1 + chance.below(5)),
            _ => rival.write(&mut server, &mut chance),
        }
        if made == services && rivals.iter().all(|rival| rival.is_idle(&server)) {
            assert_eq!(server.doubled(), None, "seed {seed}");
            let all = server.versions.keys().filter_map(|key| server.latest(key));
            let served = all.filter(|view| view.addresses().next().is_some()).count();
            assert_eq!(served, services, "seed {seed}");
            return server.history.len() - services;
        }
    }
    panic!(
        "no end of writes, seed {seed}: {} so far",
        server.history.len() - services
    );
}

#[test]
fn two_that_decide_at_once_come_to_rest() {
    let pools = config([pool("p", "10.0.0.0/24")]);
    let most = (1..=300).map(|seed| rest(seed, 20, &pools)).max();
    assert!(most < Some(200), "{most:?} writes for 20 Services");
}
