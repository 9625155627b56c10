// SPDX-License-Identifier: Apache-2.0
//! Arbitrary histories: a world kept up to date is one built at once, and an address has one owner.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const NODES: [&str; 4] = ["n0", "n1", "n2", "n3"];
const SERVICES: [&str; 4] = ["s0", "s1", "s2", "s3"];

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Service(usize, Vec<usize>, u8),
    NoService(usize),
    Slice(usize, Vec<usize>),
    NoSlice(usize),
    Node(usize, u8),
    NoNode(usize),
    Facts(usize, bool),
    NoFacts(usize),
    Alive(Option<Vec<usize>>),
    Config(u8),
    Poll,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = || 0..4_usize;
    let some = || proptest::collection::vec(0..4_usize, 0..3);
    let step = prop_oneof![
        4 => (index(), some(), any::<u8>()).prop_map(|(s, a, f)| Step::Service(s, a, f)),
        1 => index().prop_map(Step::NoService),
        3 => (index(), some()).prop_map(|(s, n)| Step::Slice(s, n)),
        1 => index().prop_map(Step::NoSlice),
        3 => (index(), any::<u8>()).prop_map(|(n, f)| Step::Node(n, f)),
        1 => index().prop_map(Step::NoNode),
        2 => (index(), any::<bool>()).prop_map(|(n, has)| Step::Facts(n, has)),
        1 => index().prop_map(Step::NoFacts),
        2 => proptest::option::of(some()).prop_map(Step::Alive),
        2 => any::<u8>().prop_map(Step::Config),
        2 => Just(Step::Poll),
    ];
    proptest::collection::vec(step, 0..40)
}

const ADDRESSES: [&str; 4] = ["10.0.0.1", "10.0.0.2", "2001:db8::1", "10.1.0.1"];

fn make_service(n: usize, addresses: &[usize], flags: u8) -> ServiceView {
    let mut distinct: Vec<&str> = Vec::new();
    for address in addresses.iter().map(|a| ADDRESSES[*a]) {
        if !distinct.contains(&address) {
            distinct.push(address);
        }
    }
    let mut view = service(SERVICES[n], &distinct);
    if flags & 1 != 0 {
        view = sharing(view, 80 + u16::from(flags & 2));
    }
    if flags & 4 != 0 {
        view = local(view);
    }
    view.created = (flags & 8 != 0).then_some(i64::from(flags >> 6));
    view
}

fn make_node(n: usize, flags: u8) -> NodeView {
    let rack = if flags & 1 == 0 { "a" } else { "b" };
    let labels = [("rack", rack), EXCLUDE];
    let mut view = node(NODES[n], &labels[..if flags & 6 == 6 { 2 } else { 1 }]);
    view.network_unavailable = flags & 24 == 24;
    view
}

fn make_config(flags: u8) -> Config {
    let mut first = preferring(l2(&[]), &[("n1", u32::from(flags & 1) * 10)]);
    let mut second = l2(&["n0", "n2"]);
    if flags & 2 != 0 {
        first.interfaces = ["eth0".into()].into();
        second.interfaces = ["eth0".into()].into();
    }
    if flags & 4 != 0 {
        first.services = serving(&["s0", "s1"]);
    }
    let mut narrow = bgp_ad(&[]);
    narrow.nodes = AnyOf(vec![any_of("rack", &["a"])]);
    narrow.peers = if flags & 8 != 0 {
        peer_names(&["peer1"])
    } else {
        BTreeSet::new()
    };
    let wide = BgpAdvertisement {
        aggregation_length: 24,
        local_pref: (flags & 16 != 0).then_some(50),
        ..bgp_ad(&[])
    };
    let mut picky = peer("peer2", "192.0.2.2");
    picky.nodes = AnyOf(vec![any_of("rack", &["a"])]);
    let mut pools = vec![pool(
        "web",
        &["10.0.0.0/16", "2001:db8::/64"],
        vec![first, second],
        vec![narrow, wide],
    )];
    if flags & 32 != 0 {
        pools.push(pool("more", &["10.1.0.0/16"], vec![l2(&[])], vec![]));
    }
    config(pools, vec![peer("peer1", "192.0.2.1"), picky])
}

/// The objects a history leaves, for building a world at once.
#[derive(Clone)]
struct Left {
    services: BTreeMap<usize, ServiceView>,
    slices: BTreeMap<usize, EndpointSliceView>,
    nodes: BTreeMap<usize, NodeView>,
    facts: BTreeMap<usize, NodeFacts>,
    alive: Liveness,
    config: Arc<Config>,
}

impl Default for Left {
    fn default() -> Self {
        Self {
            services: BTreeMap::new(),
            slices: BTreeMap::new(),
            nodes: BTreeMap::new(),
            facts: BTreeMap::new(),
            alive: Liveness::AllNodes,
            config: Arc::new(make_config(0)),
        }
    }
}

impl Left {
    fn apply(&mut self, world: &mut World, step: &Step) {
        match step.clone() {
            Step::Service(n, addresses, flags) => {
                let view = make_service(n, &addresses, flags);
                world.apply_service(&view);
                self.services.insert(n, view);
            }
            Step::NoService(n) => {
                world.delete_service(&key(SERVICES[n]));
                self.services.remove(&n);
            }
            Step::Slice(n, nodes) => {
                let nodes: Vec<&str> = nodes.iter().map(|n| NODES[*n]).collect();
                let view = slice(SERVICES[n], &nodes);
                world.apply_endpoint_slice(&view);
                self.slices.insert(n, view);
            }
            Step::NoSlice(n) => {
                world.delete_endpoint_slice(&slice(SERVICES[n], &[]).key);
                self.slices.remove(&n);
            }
            Step::Node(n, flags) => {
                world.apply_node(make_node(n, flags));
                self.nodes.insert(n, make_node(n, flags));
            }
            Step::NoNode(n) => {
                world.delete_node(&NODES[n].into());
                self.nodes.remove(&n);
            }
            other => self.apply_rest(world, other),
        }
    }

    fn apply_rest(&mut self, world: &mut World, step: Step) {
        match step {
            Step::Facts(n, has) => {
                let told = facts(NODES[n], if has { &["eth0"] } else { &["eth1"] });
                world.apply_facts(told.clone());
                self.facts.insert(n, told);
            }
            Step::NoFacts(n) => {
                world.delete_facts(&NODES[n].into());
                self.facts.remove(&n);
            }
            Step::Alive(nodes) => {
                let names = |list: Vec<usize>| list.iter().map(|n| NODES[*n].into()).collect();
                self.alive = nodes.map_or(Liveness::AllNodes, |list| Liveness::Nodes(names(list)));
                world.set_alive(&self.alive);
            }
            Step::Config(flags) => {
                self.config = Arc::new(make_config(flags));
                world.set_config(Arc::clone(&self.config));
            }
            _ => {}
        }
    }

    fn scene(&self) -> Scene {
        Scene {
            nodes: self.nodes.values().cloned().collect(),
            services: self.services.values().cloned().collect(),
            slices: self.slices.values().cloned().collect(),
            config: Arc::clone(&self.config),
            alive: self.alive.clone(),
            facts: self.facts.values().cloned().collect(),
            ignore_exclude_lb: false,
        }
    }
}

/// What the drivers know after carrying out every change; a change that changes nothing fails.
#[derive(Debug, Default, PartialEq)]
struct Carried {
    addresses: BTreeMap<String, Interfaces>,
    routes: BTreeMap<String, ferrolb_types::RouteTargets>,
    peers: BTreeMap<String, Arc<Peer>>,
    services: BTreeMap<ServiceKey, Announced>,
}

fn put<K: Ord, V: PartialEq + Clone>(map: &mut BTreeMap<K, V>, key: K, value: Option<&V>) {
    let before = match value {
        Some(value) => map.insert(key, value.clone()),
        None => map.remove(&key),
    };
    assert!(before.as_ref() != value, "told again what was told before");
}

impl Carried {
    fn carry_out(&mut self, world: &mut World) {
        for change in drain(world) {
            match change {
                Change::Layer2 { address, announce } => {
                    put(&mut self.addresses, address.to_string(), announce.as_ref());
                }
                Change::Route { prefix, targets } => {
                    put(&mut self.routes, prefix.to_string(), targets.as_ref());
                }
                Change::PeerUp(peer) => {
                    put(&mut self.peers, peer.name.to_string(), Some(&peer));
                }
                Change::PeerDown(name) => put(&mut self.peers, name.to_string(), None),
                Change::Service {
                    key,
                    before,
                    announced,
                } => {
                    let told_before = self.services.get(&key).cloned().unwrap_or_default();
                    assert_eq!(before, told_before);
                    let told = (!announced.is_nothing()).then_some(announced);
                    put(&mut self.services, key, told.as_ref());
                }
            }
        }
    }
}

fn empty(own: &str) -> World {
    Scene {
        config: Arc::new(make_config(0)),
        ..Scene::default()
    }
    .world(own)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_world_kept_up_to_date_is_one_built_at_once(history in steps()) {
        let mut world = empty("n0");
        let mut left = Left::default();
        let mut carried = Carried::default();
        for step in &history {
            left.apply(&mut world, step);
            if matches!(step, Step::Poll) {
                carried.carry_out(&mut world);
            }
            assert_consistent(&world, "n0");
        }
        carried.carry_out(&mut world);
        let mut at_once = Carried::default();
        let mut fresh = left.scene().world("n0");
        at_once.carry_out(&mut fresh);
        prop_assert_eq!(carried, at_once);
        for key in fresh.services() {
            prop_assert_eq!(world.refusals(key), fresh.refusals(key));
            prop_assert_eq!(world.explain(key), fresh.explain(key));
        }
    }

    #[test]
    fn an_address_has_at_most_one_owner(history in steps(), all_ours: bool) {
        let mut left = Left::default();
        let mut world = empty("n0");
        for step in &history {
            left.apply(&mut world, step);
        }
        if all_ours {
            for (n, name) in NODES.iter().enumerate() {
                left.facts.entry(n).or_insert_with(|| facts(name, &["eth0"]));
            }
        }
        let scene = left.scene();
        let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for own in NODES {
            for (address, _) in scene.world(own).addresses() {
                owners.entry(address.to_string()).or_default().insert(own);
            }
        }
        // With MetalLB speakers about, Services that share a second address elect as MetalLB does.
        let tied = scene.services.iter().any(|s| s.ingress.len() > 1);
        if all_ours || !tied {
            for (address, nodes) in owners {
                prop_assert!(nodes.len() <= 1, "{address}: {nodes:?}");
            }
        }
    }
}
