// SPDX-License-Identifier: Apache-2.0
//! Arbitrary histories of Services, pools, refused pools, Namespaces, restarts and foreign edits.
//!
//! After each step everything is compared with what the rules say of the present state, counted anew
//! and without any index.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ferrolb_api::view::{FamilyPolicy, Protocol::Tcp, ServiceType, ServiceView, TrafficPolicy};
use ferrolb_config::{Config, compiled::Pinning};
use ferrolb_types::{Family, ServiceKey};
use proptest::prelude::*;

use super::build::*;

#[derive(Clone, Debug)]
enum Step {
    Service(u8, Shape),
    Delete(u8),
    Forge(u8, u8),
    Config(u8),
    Namespace(bool),
    Restart,
}

#[derive(Clone, Debug)]
struct Shape {
    families: u8,
    request: u8,
    pool: u8,
    share: u8,
    port: u16,
    local: u8,
    team: bool,
    load_balancer: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let numbers = (0u8..6, 0u8..12, 0u8..10, 0u8..5, 1u16..4, 0u8..6);
    let flags = (any::<bool>(), prop::bool::weighted(0.9));
    (numbers, flags).prop_map(
        |((families, request, pool, share, port, local), (team, load_balancer))| Shape {
            families,
            request,
            pool,
            share,
            port,
            local,
            team,
            load_balancer,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0u8..12, shape()).prop_map(|(n, shape)| Step::Service(n, shape)),
        3 => (0u8..12).prop_map(Step::Delete),
        1 => (0u8..12, 0u8..6).prop_map(|(n, what)| Step::Forge(n, what)),
        3 => (0u8..7).prop_map(Step::Config),
        1 => any::<bool>().prop_map(Step::Namespace),
        1 => Just(Step::Restart),
    ]
}

fn service(n: u8, shape: &Shape) -> Svc {
    let namespace = if n.is_multiple_of(3) { "red" } else { "blue" };
    let mut svc = svc(&format!("{namespace}/s{n}")).created(i64::from(n % 5));
    svc = match shape.families {
        0..=2 => svc.cluster("4"),
        3 => svc.cluster("6"),
        4 => svc.cluster("46").prefer(),
        _ => svc.cluster("46").require(),
    };
    svc = match shape.request {
        0 => svc.ips("10.0.0.1"),
        1 => svc.ips("10.0.1.0,fd00::1:0"),
        2 => svc.ips("nonsense"),
        _ => svc,
    };
    svc = match shape.pool {
        0 => svc.from("a"),
        1 => svc.from("m"),
        _ => svc,
    };
    svc = match shape.share {
        0 | 1 => svc.share("k"),
        2 => svc.share("l"),
        _ => svc,
    };
    if shape.local < 2 {
        svc = svc.local(if shape.local == 0 { "x" } else { "y" });
    }
    if shape.team {
        svc = svc.team("t");
    }
    if !shape.load_balancer {
        svc = svc.kind(ServiceType::ClusterIp);
    }
    svc.port(Tcp, shape.port)
}

fn pools(n: u8) -> Config {
    let a = || pool("a", "10.0.0.2/31 10.0.0.0/31");
    let b = || pool("b", "10.0.1.0/31 fd00::1:0/127");
    let m = || manual(pool("m", "10.0.2.0/31"));
    let team = || pinned(pool("t", "10.0.3.0/31"), "", "t", 3);
    let mut red = pool("r", "10.0.4.0/32 fd00::4:0/128");
    red.pinning = Some(Pinning {
        namespace_selectors: vec![label("color", "red")],
        ..Pinning::default()
    });
    match n {
        0 => config([a(), b(), m(), team(), red]),
        1 => config([pool("z", "10.0.0.0/30"), b(), m(), team(), red]),
        2 => config([careful(a()), pool("b", "10.0.1.0/31"), m(), red]),
        3 => refused(config([b(), m(), team()]), "a", "10.0.0.0/30"),
        4 => config([]),
        5 => config([pool("a", "10.0.0.0/31"), pool("c", "10.0.0.2/31"), b()]),
        _ => refused(config([a(), m(), red]), "b", ""),
    }
}

struct World {
    cluster: Cluster,
    config: Config,
    red: bool,
}

impl World {
    fn new() -> Self {
        let config = pools(0);
        Self {
            cluster: Cluster::new(&config),
            config,
            red: false,
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Service(n, shape) => self.cluster.edit(service(*n, shape)),
            Step::Delete(n) => {
                let name = if n.is_multiple_of(3) { "red" } else { "blue" };
                self.cluster.delete(&format!("{name}/s{n}"));
            }
            Step::Forge(n, what) => self.forge(*n, *what),
            Step::Config(n) => {
                self.config = pools(*n);
                self.cluster.configure(&self.config);
            }
            Step::Namespace(red) => {
                self.red = *red;
                let labels: &[(&str, &str)] = if *red { &[("color", "red")] } else { &[] };
                self.cluster.namespace("red", labels);
            }
            Step::Restart => {
                self.cluster = self.cluster.restart(&self.config);
            }
        }
    }

    fn forge(&mut self, n: u8, what: u8) {
        let keys: Vec<ServiceKey> = self.cluster.services.keys().cloned().collect();
        let Some(key) = keys.get(usize::from(n)) else {
            return;
        };
        let svc = Svc(self.cluster.services[key].clone());
        self.cluster.put(match what {
            0 => svc.status("", ""),
            1 => svc.status("10.0.0.0", "a"),
            2 => svc.status("10.0.1.1 fd00::1:0", "b"),
            3 => svc.status("99.9.9.9", "a"),
            4 => svc.status("10.0.0.1 10.0.0.2", ""),
            _ => svc.status("somewhere.example", "b"),
        });
    }

    fn holdings(&self) -> BTreeMap<ServiceKey, Vec<IpAddr>> {
        let held = self.cluster.engine.held();
        held.map(|(key, held)| (key.clone(), held.addresses.iter().collect()))
            .collect()
    }

    fn tenants(&self) -> BTreeMap<IpAddr, Vec<&ServiceView>> {
        let mut tenants: BTreeMap<IpAddr, Vec<&ServiceView>> = BTreeMap::new();
        for (key, addresses) in self.holdings() {
            for address in addresses {
                let view = &self.cluster.services[&key];
                tenants.entry(address).or_default().push(view);
            }
        }
        tenants
    }

    fn admits(&self, pool: &ferrolb_config::compiled::Pool, view: &ServiceView) -> bool {
        let is_red = self.red && view.key.namespace() == "red";
        let red = is_red.then_some(("color", "red"));
        let pinning = pool.pinning.as_ref();
        pinning.is_none_or(|p| {
            p.admits(
                view.key.namespace(),
                Some(&red.into_iter().collect()),
                &view.labels,
            )
        })
    }

    /// No address has two holders that may not share, and every status says what is held.
    fn check_bookings(&self) {
        for (address, holders) in self.tenants() {
            for (n, a) in holders.iter().enumerate() {
                for b in &holders[n + 1..] {
                    assert!(may_share(a, b), "{address}: {} and {}", a.key, b.key);
                }
            }
        }
        let holdings = self.holdings();
        for (key, view) in &self.cluster.services {
            let status: Vec<IpAddr> = view.addresses().collect();
            let held = holdings.get(key).cloned().unwrap_or_default();
            assert_eq!(status, held, "{key}");
            assert!(view.is_load_balancer() || held.is_empty());
            let pool = self.cluster.engine.allocator().held(key);
            let pool = pool.map(|held| held.pool.to_string());
            let noted = view.annotations.allocated_from_pool.as_deref();
            assert_eq!(noted, pool.as_deref(), "{key}");
        }
    }

    fn check_counters(&self) {
        let tenants = self.tenants();
        let allocator = self.cluster.engine.allocator();
        assert_eq!(allocator.holding(), self.holdings().len());
        let engine = &self.cluster.engine;
        let pending = engine.waiting().filter(|key| engine.is_pending(key));
        assert_eq!(engine.pending(), pending.count());
        for address in candidates() {
            let holders: BTreeSet<_> = allocator.holders(address).collect();
            let known = tenants.get(&address).into_iter().flatten();
            assert_eq!(holders, known.map(|view| &view.key).collect());
        }
        for pool in self.config.pools.values() {
            let counters = allocator.counters(&pool.name).unwrap();
            for (count, family) in [(counters.ipv4, Family::IPv4), (counters.ipv6, Family::IPv6)] {
                let held = tenants.keys().filter(|a| pool.contains(**a));
                let held = held.filter(|a| Family::of(**a) == family).count();
                assert_eq!(
                    count.assigned,
                    i64::try_from(held).unwrap(),
                    "{}",
                    pool.name
                );
                let all = candidates().into_iter();
                let all = all.filter(|a| pool.contains(*a) && Family::of(*a) == family);
                assert_eq!(count.capacity, i64::try_from(all.count()).unwrap());
                assert_eq!(count.available, count.capacity - count.assigned);
            }
        }
    }

    /// Nobody lacks an address that it could have beside the present holders.
    fn check_nobody_waits_in_vain(&self) {
        let holdings = self.holdings();
        let tenants = self.tenants();
        let services = self.cluster.services.values();
        for view in services.filter(|view| view.is_load_balancer()) {
            let held = holdings.get(&view.key).map_or(&[][..], Vec::as_slice);
            let could_have = |addresses: &BTreeSet<IpAddr>| {
                addresses.iter().all(|address| {
                    let holders = tenants.get(address).map_or(&[][..], Vec::as_slice);
                    let mut others = holders.iter().filter(|other| other.key != view.key);
                    others.all(|other| may_share(other, view))
                })
            };
            for wish in self.wishes(view, held) {
                assert!(
                    !could_have(&wish),
                    "{} holds {held:?} and could have {wish:?}",
                    view.key
                );
            }
        }
    }

    /// The sets of addresses that a Service may have as far as the pools go, and that would give it
    /// more than it holds.
    fn wishes(&self, view: &ServiceView, held: &[IpAddr]) -> Vec<BTreeSet<IpAddr>> {
        let request = view.annotations.load_balancer_ips.as_deref();
        let request = request.map(|text| text.split(',').map(str::parse).collect());
        let request: Option<BTreeSet<IpAddr>> = request.map(Result::unwrap_or_default);
        let wanted = view.annotations.address_pool.as_deref();
        let mut wishes = Vec::new();
        for pool in self.config.pools.values() {
            let named = wanted.map_or(pool.auto_assign || request.is_some(), |name| {
                pool.name.as_str() == name
            });
            let own = held.iter().all(|address| pool.contains(*address));
            if !named || !own || !self.admits(pool, view) {
                continue;
            }
            let usable = candidates().into_iter().filter(|a| pool.contains(*a));
            let (v4, v6): (Vec<_>, Vec<_>) = usable.partition(IpAddr::is_ipv4);
            let singles = |family: &[IpAddr]| family.iter().map(|a| [*a].into()).collect();
            let pairs = v4.iter().flat_map(|a| v6.iter().map(|b| [*a, *b].into()));
            let mut sets: Vec<BTreeSet<IpAddr>> = match view.cluster_ips.as_slice() {
                [_] if service_is_v6(view) => singles(&v6),
                [_] => singles(&v4),
                _ => pairs.collect(),
            };
            let prefers = view.policy == Some(FamilyPolicy::PreferDualStack);
            if prefers && request.is_none() && held.is_empty() {
                sets.extend(singles(&v4).into_iter().chain(singles(&v6)));
            }
            sets.retain(|set| request.as_ref().is_none_or(|request| request == set));
            wishes.extend(sets);
        }
        wishes.retain(|wish| wish.len() > held.len() && held.iter().all(|a| wish.contains(a)));
        wishes
    }
}

/// Every address any of the pools can have.
fn candidates() -> BTreeSet<IpAddr> {
    let v4 = (0..5).flat_map(|b| (0..4).map(move |c| ip(&format!("10.0.{b}.{c}"))));
    let v6 = ["fd00::1:0", "fd00::1:1", "fd00::4:0"].map(ip);
    v4.chain(v6).collect()
}

fn service_is_v6(view: &ServiceView) -> bool {
    matches!(
        view.cluster_ips.first(),
        Some(ferrolb_api::view::ClusterIp::Address(IpAddr::V6(_)))
    )
}

fn may_share(a: &ServiceView, b: &ServiceView) -> bool {
    let key = |view: &ServiceView| view.annotations.allow_shared_ip.clone().unwrap_or_default();
    let local = |view: &ServiceView| {
        let local = view.traffic_policy == TrafficPolicy::Local;
        if local {
            view.selector.clone()
        } else {
            ferrolb_types::Labels::new()
        }
    };
    !key(a).is_empty()
        && key(a) == key(b)
        && local(a) == local(b)
        && !a.ports.iter().any(|port| b.ports.contains(port))
}

/// Whether a Service that keeps what it asks for may also keep what it holds.
fn may_keep(world: &World, view: &ServiceView, addresses: &[IpAddr]) -> bool {
    let wanted = view.annotations.address_pool.as_deref();
    world.config.pools.values().any(|pool| {
        addresses.iter().all(|a| pool.contains(*a))
            && wanted.is_none_or(|name| pool.name.as_str() == name)
            && world.admits(pool, view)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: std::env::var("PROPTEST_CASES").map_or(64, |n| n.parse().unwrap()),
        ..ProptestConfig::default()
    })]

    #[test]
    fn hold(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            let before = world.holdings();
            world.apply(step);
            world.check_bookings();
            world.check_counters();
            world.check_nobody_waits_in_vain();
            let after = world.holdings();
            // Who was not touched and whose pool still has its addresses keeps them.
            let untouched = |key: &ServiceKey| !matches!(step, Step::Service(n, _) | Step::Delete(n)
                if key.name() == format!("s{n}")) && !matches!(step, Step::Forge(..));
            for (key, addresses) in before.iter().filter(|(key, _)| untouched(key)) {
                let view = &world.cluster.services[key];
                if may_keep(&world, view, addresses) {
                    let now = after.get(key).cloned().unwrap_or_default();
                    prop_assert!(addresses.iter().all(|a| now.contains(a)), "{key} lost {addresses:?}");
                }
            }
        }
        let again = world.cluster.restart(&world.config);
        let mut second = World { cluster: again, config: world.config.clone(), red: world.red };
        prop_assert_eq!(second.cluster.writes(), 0);
        prop_assert_eq!(second.holdings(), world.holdings());
    }

    #[test]
    fn the_same_history_has_the_same_result(steps in prop::collection::vec(step(), 1..60)) {
        let run = || {
            let mut world = World::new();
            let mut log = Vec::new();
            for step in &steps {
                world.apply(step);
                log.push((world.cluster.events(), world.holdings()));
            }
            log
        };
        prop_assert_eq!(run(), run());
    }
}
