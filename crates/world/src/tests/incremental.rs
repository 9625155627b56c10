// SPDX-License-Identifier: Apache-2.0
//! How much is decided anew: counted, never timed.

use super::*;

const NODES: usize = 20;
const SERVICES: usize = 200;

fn name(n: usize) -> String {
    format!("web-{n}")
}

/// Many Services on many nodes, in two pools.
fn crowd() -> Scene {
    let pools = || {
        vec![
            pool("even", &["10.0.0.0/16"], vec![l2(&[])], vec![bgp_ad(&[])]),
            pool("odd", &["10.1.0.0/16"], vec![l2(&[])], vec![bgp_ad(&[])]),
        ]
    };
    let nodes: Vec<String> = (0..NODES).map(|n| format!("node-{n}")).collect();
    let address = |n: usize| format!("10.{}.{}.{}", n % 2, n / 250, n % 250);
    Scene {
        nodes: nodes.iter().map(|n| node(n, &[])).collect(),
        services: (0..SERVICES)
            .map(|n| service(&name(n), &[&address(n)]))
            .collect(),
        slices: (0..SERVICES)
            .map(|n| slice(&name(n), &[&nodes[n % NODES]]))
            .collect(),
        config: Arc::new(config(pools(), vec![peer("peer1", "192.0.2.1")])),
        ..Scene::default()
    }
}

/// What an act costs in decisions, and the world after it.
fn cost(world: &mut World, act: impl FnOnce(&mut World)) -> u64 {
    drain(world);
    let before = world.decisions_made();
    act(world);
    assert_consistent(world, "node-0");
    world.decisions_made() - before
}

#[test]
fn each_service_is_decided_once_at_the_start() {
    let world = crowd().world("node-0");
    assert_eq!(world.decisions_made(), SERVICES as u64);
}

#[test]
fn a_service_or_its_endpoints_concern_it_alone() {
    let scene = crowd();
    let mut world = scene.world("node-0");
    let moved = service(&name(7), &["10.1.200.200"]);
    assert_eq!(cost(&mut world, |w| w.apply_service(&moved)), 1);
    assert_eq!(
        cost(&mut world, |w| w.apply_service(&moved)),
        0,
        "nothing changed"
    );
    let fewer = slice(&name(7), &[]);
    assert_eq!(cost(&mut world, |w| w.apply_endpoint_slice(&fewer)), 1);
    assert_eq!(
        cost(&mut world, |w| w.apply_endpoint_slice(&fewer)),
        0,
        "nothing changed"
    );
    assert_eq!(cost(&mut world, |w| w.delete_endpoint_slice(&fewer.key)), 1);
    assert_eq!(cost(&mut world, |w| w.delete_service(&key(&name(7)))), 1);
}

#[test]
fn a_lost_node_concerns_what_was_lost_to_it() {
    let mut world = crowd().world("node-0");
    let rest = |lost: usize| {
        let names = (0..NODES)
            .filter(|n| *n != lost)
            .map(|n| format!("node-{n}").as_str().into());
        Liveness::Nodes(names.collect())
    };
    let mut sum = 0;
    for lost in 1..NODES {
        sum += cost(&mut world, |w| w.set_alive(&rest(lost)));
        let owned = world.addresses().count() as u64;
        let back = cost(&mut world, |w| w.set_alive(&Liveness::AllNodes));
        assert!(
            back <= owned,
            "only what the returned node takes from this one"
        );
    }
    // Each Service stands behind one rival: losing all of them in turn concerns each about once.
    assert!(sum <= 2 * SERVICES as u64, "{sum}");
    assert!(sum > 0);
}

#[test]
fn node_changes_that_mean_nothing_decide_nothing() {
    let mut world = crowd().world("node-0");
    let mut same = node("node-3", &[]);
    same.internal_ips = vec!["192.0.2.3".parse().unwrap()];
    assert_eq!(cost(&mut world, |w| w.apply_node(same)), 0);
    let told = facts("node-3", &["eth0"]);
    let first = cost(&mut world, |w| w.apply_facts(told.clone()));
    assert!(first < SERVICES as u64 / 4, "{first}");
    assert_eq!(cost(&mut world, |w| w.apply_facts(told)), 0);
}

#[test]
fn a_node_that_lacked_the_interface_costs_no_more_once_it_has_it() {
    let mut scene = crowd();
    let ad = L2Advertisement {
        interfaces: ["eth0".into()].into(),
        ..l2(&[])
    };
    let even = pool("even", &["10.0.0.0/16"], vec![ad], vec![]);
    scene.config = Arc::new(config(vec![even], vec![]));
    let mut world = scene.world("node-0");
    let all = SERVICES as u64 / 2;
    let flap = |world: &mut World| {
        let mut away = node("node-4", &[]);
        away.network_unavailable = true;
        cost(world, |w| w.apply_node(away)) + cost(world, |w| w.apply_node(node("node-4", &[])))
    };
    let before = flap(&mut world);
    assert!(before < all / 2, "{before}");
    // While some lack it and others cannot know, every election depends on the order of all.
    world.apply_facts(facts("node-3", &["eth9"]));
    assert_eq!(flap(&mut world), 2 * all);
    world.apply_facts(facts("node-3", &["eth0"]));
    assert_eq!(flap(&mut world), before);
}

#[test]
fn a_changed_pool_concerns_its_services() {
    let scene = crowd();
    let mut world = scene.world("node-0");
    let rebuilt = Config {
        pools: scene.config.pools.clone(),
        peers: scene.config.peers.clone(),
        ..Config::default()
    };
    assert_eq!(cost(&mut world, |w| w.set_config(Arc::new(rebuilt))), 0);
    let odd = pool("odd", &["10.1.0.0/16"], vec![l2(&["node-1"])], vec![]);
    let mut pools = scene.config.pools.clone();
    pools.insert("odd".into(), Arc::new(odd));
    let changed = Config {
        pools,
        peers: scene.config.peers.clone(),
        ..Config::default()
    };
    let spent = cost(&mut world, |w| w.set_config(Arc::new(changed)));
    assert_eq!(spent, SERVICES as u64 / 2);
}

#[test]
fn a_port_of_a_sharer_concerns_nobody_else() {
    let mut scene = crowd();
    let sharers = 50;
    for n in 0..sharers {
        scene.services[n] = sharing(service(&name(n), &["10.0.9.9"]), 1000 + n as u16);
    }
    let mut world = scene.world("node-0");
    let other_port = sharing(service(&name(3), &["10.0.9.9"]), 7);
    assert_eq!(cost(&mut world, |w| w.apply_service(&other_port)), 1);
    let clashing = sharing(service(&name(3), &["10.0.9.9"]), 1004);
    assert_eq!(cost(&mut world, |w| w.apply_service(&clashing)), 2);
}
