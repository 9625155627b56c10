// SPDX-License-Identifier: Apache-2.0
//! The layer 2 cases of the behaviour reference, by number.

use super::*;
use crate::reason::Protocol::Layer2;

fn both() -> Config {
    plain(vec![l2(&[])], vec![])
}

fn excluded(mut scene: Scene, names: &[&str]) -> Scene {
    for n in &mut scene.nodes {
        if names.contains(&n.name.as_str()) {
            *n = node(n.name.as_str(), &[EXCLUDE]);
        }
    }
    scene
}

fn made_local(mut scene: Scene) -> Scene {
    scene.services = scene.services.into_iter().map(local).collect();
    scene
}

/// Case, scene, and what `iris1` and `iris2` say: empty means announced.
fn table() -> Vec<(u32, Scene, &'static str, &'static str)> {
    let iris = Scene::iris;
    let per_node = || plain(vec![l2(&["iris1"]), l2(&["iris2"])], vec![]);
    let no_match = "noMatchingAdvertisement";
    let mut unusable = iris(&[], both());
    unusable.slices.clear();
    let mut ignoring = excluded(made_local(iris(&["iris1"], both())), &["iris1", "iris2"]);
    ignoring.ignore_exclude_lb = true;
    vec![
        (
            1,
            iris(&["iris1"], plain(vec![l2(&["iris1"])], vec![])),
            "",
            no_match,
        ),
        (2, made_local(iris(&["iris1"], per_node())), "", "notOwner"),
        (3, iris(&["iris1"], both()), "notOwner", ""),
        (
            4,
            made_local(iris(&["iris1"], plain(vec![l2(&["iris2"])], vec![]))),
            no_match,
            "notOwner",
        ),
        (
            5,
            excluded(iris(&["iris1"], both()), &["iris2"]),
            "",
            "notOwner",
        ),
        (
            6,
            excluded(iris(&["iris1"], both()), &["iris1"]),
            "notOwner",
            "",
        ),
        (
            7,
            excluded(iris(&["iris1"], both()), &["iris1", "iris2"]),
            "notOwner",
            "notOwner",
        ),
        (8, ignoring, "", "notOwner"),
        (9, iris(&[], both()), "notOwner", "notOwner"),
        (9, unusable, "notOwner", "notOwner"),
        (
            10,
            made_local(iris(&["iris1", "iris2"], both())),
            "notOwner",
            "",
        ),
        (11, made_local(iris(&["iris1"], both())), "", "notOwner"),
        (
            12,
            made_local(iris(&["iris1", "iris1", "iris2"], both())),
            "notOwner",
            "",
        ),
        (35, iris(&["iris1"], both()), "notOwner", ""),
    ]
}

#[test]
fn cases_1_to_12_and_35() {
    for (case, scene, iris1, iris2) in table() {
        assert_eq!(scene.why("iris1", Layer2), iris1, "case {case}, iris1");
        assert_eq!(scene.why("iris2", Layer2), iris2, "case {case}, iris2");
    }
}

fn four(ads: Vec<L2Advertisement>) -> Scene {
    let mut scene = Scene::iris(&["edge-a", "worker-a"], plain(ads, vec![]));
    scene.nodes = ["edge-a", "edge-b", "worker-a", "worker-b"]
        .map(|n| node(n, &[]))
        .into();
    scene
}

fn order(scene: &Scene) -> Vec<(String, u32)> {
    let explanation = scene.world("edge-a").explain(&key("web"));
    let candidates = explanation.election.unwrap().candidates;
    candidates
        .into_iter()
        .map(|c| (c.node.to_string(), c.score))
        .collect()
}

#[test]
fn case_16_preferred_first_then_by_hash() {
    let scene = four(vec![preferring(l2(&[]), &[("edge-a", 100)])]);
    let names: Vec<String> = order(&scene).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["edge-a", "edge-b", "worker-a", "worker-b"]);
    assert_eq!(scene.owners("web"), ["edge-a"]);
}

#[test]
fn case_17_equal_scores_fall_back_to_the_hash() {
    let scene = four(vec![preferring(
        l2(&[]),
        &[("edge-a", 100), ("edge-b", 100)],
    )]);
    assert_eq!(scene.owners("web"), ["edge-b"]);
}

#[test]
fn case_18_scores_of_several_advertisements_add_up() {
    let ads = vec![
        preferring(l2(&[]), &[("edge-a", 70)]),
        preferring(l2(&[]), &[("edge-a", 30), ("edge-b", 50)]),
    ];
    let scores = order(&four(ads));
    assert_eq!(scores[..2], [("edge-a".into(), 100), ("edge-b".into(), 50)]);
}

#[test]
fn case_19_every_speaker_counts_the_same_advertisements() {
    let x = preferring(l2(&["edge-a", "edge-b"]), &[("edge-a", 100)]);
    let mut z = preferring(l2(&[]), &[("worker-a", 1000)]);
    z.services = serving(&["other"]);
    assert_eq!(four(vec![x, l2(&[]), z]).owners("web"), ["edge-a"]);
}

#[test]
fn case_20_local_filters_before_preference() {
    let mut scene = four(vec![preferring(l2(&[]), &[("edge-b", 100)])]);
    scene.services = vec![local(service("web", &["10.20.30.1"]))];
    assert_eq!(scene.owners("web"), ["worker-a"]);
}

#[test]
fn case_21_without_the_preferred_the_hash_decides() {
    let mut scene = four(vec![preferring(l2(&[]), &[("edge-a", 9), ("edge-b", 9)])]);
    let alive = ["worker-a", "worker-b"].map(NodeName::from).into();
    scene.alive = Liveness::Nodes(alive);
    assert_eq!(scene.owners("web"), ["worker-a"]);
}

#[test]
fn case_22_no_score_outside_the_advertisements_nodes() {
    let ads = vec![preferring(l2(&["worker-a"]), &[("edge-a", 100)]), l2(&[])];
    let scores = order(&four(ads));
    assert!(scores.iter().all(|(_, score)| *score == 0));
}

#[test]
fn case_23_matching_entries_add_up() {
    let weights = [
        ("edge-a", 60),
        ("edge-a", 50),
        ("edge-b", 50),
        ("worker-a", 60),
    ];
    let mut scores = order(&four(vec![preferring(l2(&[]), &weights)]));
    scores.sort();
    let scores: Vec<u32> = scores.into_iter().map(|(_, score)| score).collect();
    assert_eq!(scores, [110, 50, 60, 0]);
}

fn with_interfaces(nodes: &[&str], interfaces: &[&str]) -> L2Advertisement {
    L2Advertisement {
        interfaces: interfaces.iter().map(|i| (*i).into()).collect(),
        ..l2(nodes)
    }
}

#[test]
fn case_25_each_node_by_its_own_interface() {
    let ads = vec![
        with_interfaces(&["iris1"], &["eth0"]),
        with_interfaces(&["iris2"], &["eth1"]),
    ];
    let scene = Scene::iris(&["iris1"], plain(ads, vec![]));
    assert_eq!(scene.owners("web"), ["iris2"]);
    let layer2 = scene.world("iris2").announced(&key("web")).layer2.unwrap();
    assert_eq!(layer2.interfaces.to_string(), "eth1");
}

#[test]
fn case_26_service_and_node_must_match_in_one_advertisement() {
    let mut other = l2(&[]);
    other.services = serving(&["other"]);
    let mut unknown = l2(&["nowhere"]);
    unknown.services = serving(&["web"]);
    let scene = Scene::iris(&["iris1"], plain(vec![other, unknown], vec![]));
    for own in ["iris1", "iris2"] {
        assert_eq!(scene.why(own, Layer2), "noMatchingAdvertisement");
    }
}

#[test]
fn case_27_services_are_led_to_their_nodes() {
    let ads = [("foo", "iris1"), ("bar", "iris2")].map(|(name, node)| L2Advertisement {
        services: serving(&[name]),
        ..l2(&[node])
    });
    let mut scene = Scene::iris(&[], plain(ads.into(), vec![]));
    scene.services = vec![service("foo", &["10.0.0.1"]), service("bar", &["10.0.0.2"])];
    scene.slices = vec![slice("foo", &["iris1"]), slice("bar", &["iris1"])];
    assert_eq!(scene.owners("foo"), ["iris1"]);
    assert_eq!(scene.owners("bar"), ["iris2"]);
}

#[test]
fn cases_28_to_30_sharing_and_service_selectors() {
    let mut selecting = l2(&[]);
    selecting.services = serving(&["web"]);
    for ads in [vec![selecting.clone()], vec![l2(&[]), selecting]] {
        let mut scene = Scene::iris(&["iris1"], plain(ads, vec![]));
        scene.services = vec![sharing(service("web", &["10.20.30.1"]), 80)];
        assert_eq!(scene.why("iris2", Layer2), "sharedIPWithServiceSelector");
        // The mere presence of the annotation counts.
        scene.services[0].annotations.allow_shared_ip = Some("".into());
        assert_eq!(scene.why("iris2", Layer2), "sharedIPWithServiceSelector");
    }
}

#[test]
fn cases_31_and_32_union_of_interfaces() {
    let table = [(&["eth1"][..], "eth0, eth1"), (&[][..], "all interfaces")];
    for (second, want) in table {
        let ads = vec![
            with_interfaces(&[], &["eth0"]),
            with_interfaces(&[], second),
        ];
        let world = Scene::iris(&["iris1"], plain(ads, vec![])).world("iris2");
        let layer2 = world.announced(&key("web")).layer2.unwrap();
        assert_eq!(layer2.interfaces.to_string(), want);
    }
}

#[test]
fn case_33_mended_a_node_without_the_interface_gives_way() {
    let ads = vec![with_interfaces(&[], &["eth0"])];
    let mut scene = Scene::iris(&["iris1"], plain(ads, vec![]));
    scene.facts = vec![facts("iris1", &["eth0"]), facts("iris2", &["eth9"])];
    assert_eq!(scene.owners("web"), ["iris1"]);
    let (layer2, _) = scene.world("iris2").refusals(&key("web"));
    assert_eq!(layer2, Some(Reason::NoInterface));
    // One that cannot know leaves the address to the first, as MetalLB would.
    scene.facts.remove(0);
    assert!(scene.owners("web").is_empty());
}

#[test]
fn a_node_that_refuses_the_pool_gives_way() {
    let mut scene = Scene::iris(&["iris1"], both());
    scene.facts = vec![facts("iris1", &["eth0"]), facts("iris2", &["eth0"])];
    let pools: Vec<ferrolb_types::PoolName> = scene.config.pools.keys().cloned().collect();
    scene.facts[1].refuses = [pool_mark(&"elsewhere".into())].into();
    assert_eq!(scene.owners("web"), ["iris2"]);
    scene.facts[1].refuses = pools.iter().map(pool_mark).collect();
    assert_eq!(scene.owners("web"), ["iris1"]);
    let (layer2, _) = scene.world("iris2").refusals(&key("web"));
    assert_eq!(layer2, Some(Reason::RefusesPool(pools[0].clone())));
    let said = scene.world("iris1").explain(&key("web")).render();
    assert!(said.contains(", refuses the pool"), "{said}");
}

#[test]
fn a_node_with_too_many_interfaces_to_name_says_which_it_lacks() {
    let ads = vec![with_interfaces(&[], &["eth0", "eth1"])];
    let mut scene = Scene::iris(&["iris1"], plain(ads, vec![]));
    scene.facts = vec![facts("iris1", &["eth0"]), facts("iris2", &[])];
    scene.facts[1].interfaces = None;
    for (lacks, owner) in [
        (&[][..], "iris2"),
        (&["eth0"], "iris2"),
        (&["eth0", "eth1"], "iris1"),
    ] {
        scene.facts[1].lacks = lacks.iter().map(|name| (*name).into()).collect();
        assert_eq!(scene.owners("web"), [owner], "{lacks:?}");
    }
}

#[test]
fn a_node_without_any_interface_gives_way_under_every_advertisement() {
    for ads in [vec![l2(&[])], vec![with_interfaces(&[], &["eth0"])]] {
        let mut scene = Scene::iris(&["iris1"], plain(ads, vec![]));
        scene.facts = vec![facts("iris1", &["eth0"]), facts("iris2", &[])];
        assert_eq!(scene.owners("web"), ["iris1"]);
        let world = scene.world("iris2");
        let (layer2, _) = world.refusals(&key("web"));
        assert_eq!(layer2, Some(Reason::NoInterface));
        assert!(scene.facts[1].has_no_interface());
        assert!(!scene.facts[0].has_no_interface());
        // Where the only other one has none either, the first of them says so.
        scene.facts = vec![facts("iris1", &[]), facts("iris2", &[])];
        assert!(scene.owners("web").is_empty());
        assert!(scene.world("iris2").unanswered(&key("web")).is_some());
        assert!(scene.world("iris1").unanswered(&key("web")).is_none());
    }
}

#[test]
fn case_36_to_38_the_winner_leaves_and_returns() {
    let scene = Scene::iris(&["iris1"], both());
    let mut world = scene.world("iris1");
    let owns = |world: &World| world.announced(&key("web")).layer2.is_some();
    let mut unavailable = node("iris2", &[]);
    unavailable.network_unavailable = true;
    world.apply_node(unavailable);
    assert!(owns(&world));
    world.apply_node(node("iris2", &[]));
    assert!(!owns(&world));
    world.set_alive(&Liveness::Nodes(["iris1".into()].into()));
    assert!(owns(&world));
    world.set_alive(&Liveness::AllNodes);
    assert!(!owns(&world));
    world.apply_node(node("iris2", &[EXCLUDE]));
    assert!(owns(&world));
    world.delete_node(&"iris2".into());
    assert!(owns(&world));
    world.apply_node(node("iris2", &[]));
    assert!(!owns(&world));
    assert_consistent(&world, "iris1");
}
