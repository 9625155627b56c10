// SPDX-License-Identifier: Apache-2.0
//! The BGP cases of the behaviour reference, by number.

use ferrolb_types::RouteTargets;

use super::*;
use crate::reason::Protocol::Bgp;

fn routes(world: &World) -> Vec<String> {
    world
        .routes()
        .map(|(prefix, targets)| format!("{prefix} {}", words(&targets)))
        .collect()
}

fn words(targets: &RouteTargets) -> String {
    let one = |a: &ferrolb_types::RouteAttributes| {
        let communities: Vec<String> = a.communities.iter().map(ToString::to_string).collect();
        let pref = a.local_pref.map_or("-".into(), |p| p.to_string());
        format!("{pref} [{}]", communities.join(" "))
    };
    match targets {
        RouteTargets::All(attributes) => format!("all {}", one(attributes)),
        RouteTargets::Peers(list) => {
            let parts = list
                .iter()
                .map(|(name, attributes)| format!("{name} {}", one(attributes)));
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

fn ad(length: u8, pref: Option<u32>, communities: &[&str]) -> BgpAdvertisement {
    BgpAdvertisement {
        aggregation_length: length,
        aggregation_length_v6: length * 4,
        local_pref: pref,
        communities: communities.iter().map(|c| c.parse().unwrap()).collect(),
        ..bgp_ad(&[])
    }
}

fn scene(ads: Vec<BgpAdvertisement>) -> Scene {
    Scene::iris(&["iris1"], plain(vec![], ads))
}

#[test]
fn case_44_nothing_before_everything_is_in() {
    let scene = scene(vec![bgp_ad(&[])]);
    let mut world = World::new(Options {
        node: Some("iris1".into()),
        ..Options::default()
    });
    world.apply_service(&scene.services[0]);
    world.apply_endpoint_slice(&scene.slices[0]);
    for kind in [Kind::Services, Kind::EndpointSlices, Kind::Nodes] {
        world.synced(kind);
        assert!(!world.is_synced());
    }
    assert_eq!(world.poll(), None);
    assert_eq!(world.decisions_made(), 0);
    assert_eq!(
        world.decide(&key("web"), &"iris1".into()).bgp,
        Err(Reason::NotSynced)
    );
}

#[test]
fn case_45_peers_without_services() {
    let mut scene = scene(vec![bgp_ad(&[])]);
    scene.services.clear();
    let mut world = scene.world("iris1");
    let ups = drain(&mut world);
    assert_eq!(ups.len(), 2);
    assert!(ups.iter().all(|change| matches!(change, Change::PeerUp(_))));
}

#[test]
fn cases_46_to_51_endpoints_and_policy() {
    let mut here = scene(vec![bgp_ad(&[])]);
    assert_eq!(routes(&here.world("iris2")), ["10.20.30.1/32 all - []"]);
    here.services = vec![local(service("web", &["10.20.30.1"]))];
    assert_eq!(here.why("iris2", Bgp), "noLocalEndpoints");
    assert_eq!(here.why("iris1", Bgp), "");
    here.services = vec![service("web", &["10.20.30.1"])];
    here.slices = vec![slice("web", &[])];
    assert_eq!(here.why("iris1", Bgp), "noEndpoints");
    here.slices = vec![slice("web", &["iris1"])];
    here.slices[0].usable[0].has_address = false;
    assert_eq!(here.why("iris1", Bgp), "noEndpoints");
}

#[test]
fn cases_52_and_53_several_advertisements() {
    let first = ad(32, Some(100), &["0:2345", "0:1234"]);
    let second = ad(24, Some(1000), &[]);
    let both = scene(vec![first.clone(), second.clone()]);
    let want = [
        "10.20.30.0/24 all 1000 []",
        "10.20.30.1/32 all 100 [0:1234 0:2345]",
    ];
    assert_eq!(routes(&both.world("iris1")), want);
    let elsewhere = BgpAdvertisement {
        nodes: on(&["iris2"]),
        ..second
    };
    let one = scene(vec![first, elsewhere]).world("iris1");
    assert_eq!(routes(&one), ["10.20.30.1/32 all 100 [0:1234 0:2345]"]);
}

#[test]
fn cases_54_and_55_advertisements_for_some_peers() {
    let mut first = ad(32, Some(100), &[]);
    first.peers = peer_names(&["peer1"]);
    let world = scene(vec![first.clone(), ad(24, Some(1000), &[])]).world("iris1");
    let want = ["10.20.30.0/24 all 1000 []", "10.20.30.1/32 peer1 100 []"];
    assert_eq!(routes(&world), want);
    // Where all peers of the node are named, nothing is special about them.
    first.peers = peer_names(&["peer1", "peer2", "peer9"]);
    assert_eq!(
        routes(&scene(vec![first]).world("iris1")),
        ["10.20.30.1/32 all 100 []"]
    );
}

#[test]
fn case_56_a_shared_route_stays_while_anyone_yields_it() {
    let mut scene = scene(vec![ad(24, None, &[])]);
    scene.services.push(service("other", &["10.20.30.9"]));
    scene.slices.push(slice("other", &["iris2"]));
    let mut world = scene.world("iris1");
    drain(&mut world);
    world.delete_service(&key("web"));
    let changes = drain(&mut world);
    assert!(
        !changes.iter().any(|c| matches!(c, Change::Route { .. })),
        "{changes:?}"
    );
    world.delete_service(&key("other"));
    let prefix = "10.20.30.0/24".parse().unwrap();
    assert_eq!(
        drain(&mut world)[0],
        Change::Route {
            prefix,
            targets: None
        }
    );
}

#[test]
fn case_57_the_old_address_goes_first() {
    let mut world = scene(vec![bgp_ad(&[])]).world("iris1");
    drain(&mut world);
    world.apply_service(&service("web", &["10.20.30.0"]));
    let changes = drain(&mut world);
    let gone = "10.20.30.1/32".parse().unwrap();
    assert_eq!(
        changes[0],
        Change::Route {
            prefix: gone,
            targets: None
        }
    );
    let came = matches!(&changes[1], Change::Route { prefix, targets: Some(_) } if prefix.to_string() == "10.20.30.0/32");
    assert!(came, "{changes:?}");
}

#[test]
fn cases_58_and_59_the_peers_of_the_node() {
    let mut picky = peer("peer1", "192.0.2.1");
    picky.nodes = AnyOf(vec![any_of("rack", &["a"])]);
    let pools = || vec![pool("web", &["10.0.0.0/8"], vec![], vec![bgp_ad(&[])])];
    let config = |peers| Arc::new(super::config(pools(), peers));
    let mut scene = scene(vec![]);
    scene.config = config(vec![picky.clone(), peer("peer2", "192.0.2.2")]);
    let mut world = scene.world("iris1");
    assert_eq!(world.peers().count(), 1);
    drain(&mut world);
    world.apply_node(node("iris1", &[("rack", "a")]));
    let changes = drain(&mut world);
    assert!(changes.contains(&Change::PeerUp(Arc::new(picky.clone()))));
    world.apply_node(node("iris1", &[("rack", "b")]));
    assert_eq!(drain(&mut world)[0], Change::PeerDown("peer1".into()));
    let decisions = world.decisions_made();
    world.set_config(config(vec![picky]));
    assert_eq!(drain(&mut world)[0], Change::PeerDown("peer2".into()));
    assert_eq!(
        world.decisions_made(),
        decisions,
        "a peer decides nothing anew"
    );
}

#[test]
fn case_60_excluded_nodes() {
    let mut scene = scene(vec![bgp_ad(&[])]);
    scene.nodes = vec![node("iris1", &[EXCLUDE]), node("iris2", &[EXCLUDE])];
    assert_eq!(scene.why("iris1", Bgp), "nodeLabeledExcludeBalancers");
    scene.ignore_exclude_lb = true;
    assert_eq!(scene.why("iris1", Bgp), "");
    scene.nodes[0].network_unavailable = true;
    assert_eq!(scene.why("iris1", Bgp), "nodeNetworkUnavailable");
}

#[test]
fn cases_61_to_63_conflicting_advertisements() {
    let with = |pref, peers: &[&str], nodes: &[&str]| BgpAdvertisement {
        peers: peer_names(peers),
        nodes: on(nodes),
        // Of advertisements for all Services the older one counts.
        services: serving(&["web"]),
        ..ad(32, Some(pref), &[])
    };
    let none: &[&str] = &[];
    let table = [
        (none, none, none, "conflictingAdvertisements"),
        (&["peer1"], &["peer2"], none, ""),
        (none, none, &["iris2"], ""),
        (
            &["peer1"],
            &["peer1", "peer2"],
            none,
            "conflictingAdvertisements",
        ),
        (&["peer1"], none, none, "conflictingAdvertisements"),
    ];
    for (peers1, peers2, nodes2, want) in table {
        let scene = scene(vec![with(100, peers1, &[]), with(200, peers2, nodes2)]);
        assert_eq!(
            scene.why("iris1", Bgp),
            want,
            "{peers1:?} {peers2:?} {nodes2:?}"
        );
    }
}

#[test]
fn case_64_one_protocol_stops_alone() {
    let scene = Scene::iris(&["iris1"], plain(vec![l2(&[])], vec![bgp_ad(&[])]));
    let mut world = scene.world("iris2");
    drain(&mut world);
    let one = plain(vec![l2(&["iris1"])], vec![bgp_ad(&[])]);
    world.set_config(Arc::new(one));
    let changes = drain(&mut world);
    let address = "10.20.30.1".parse().unwrap();
    assert_eq!(
        changes[0],
        Change::Layer2 {
            address,
            announce: None
        }
    );
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(world.announced(&key("web")).bgp.is_some());
}

#[test]
fn case_65_who_is_told() {
    let told = |world: &World| {
        let bgp = world.announced(&key("web")).bgp;
        bgp.map(|b| b.peers().map(ToString::to_string).collect::<Vec<_>>())
    };
    let mut world = scene(vec![bgp_ad(&[])]).world("iris1");
    assert_eq!(told(&world), Some(vec!["peer1".into(), "peer2".into()]));
    let mut limited = bgp_ad(&[]);
    limited.peers = peer_names(&["peer1"]);
    world.set_config(Arc::new(plain(vec![], vec![limited])));
    assert_eq!(told(&world), Some(vec!["peer1".into()]));
    world.set_config(Arc::new(plain(vec![], vec![bgp_ad(&[])])));
    drain(&mut world);
    let mut config = plain(vec![], vec![bgp_ad(&[])]);
    config.peers.remove("peer1");
    world.set_config(Arc::new(config));
    let changes = drain(&mut world);
    assert!(
        changes
            .iter()
            .any(|c| matches!(c, Change::Service { key, .. } if key.name() == "web"))
    );
    assert_eq!(told(&world), Some(vec!["peer2".into()]));
    world.delete_service(&key("web"));
    assert_eq!(told(&world), None);
}

#[test]
fn an_address_that_changes_behind_an_aggregate_is_told() {
    let mut world = scene(vec![ad(24, None, &[])]).world("iris1");
    drain(&mut world);
    let before = world.announced(&key("web"));
    world.apply_service(&service("web", &["10.20.30.77"]));
    let now = world.announced(&key("web"));
    assert_ne!(before, now);
    let key = key("web");
    let told = Change::Service {
        key,
        before,
        announced: now,
    };
    assert_eq!(drain(&mut world), [told]);
}

#[test]
fn cases_92_and_93_families_of_the_peers() {
    let mut scene = scene(vec![bgp_ad(&[])]);
    scene.services = vec![service("web", &["10.20.30.1", "2001:db8::1"])];
    let mut six = peer("peer6", "2001:db8:f::1");
    let pools = || {
        vec![pool(
            "web",
            &["10.0.0.0/8", "2001:db8::/64"],
            vec![],
            vec![bgp_ad(&[])],
        )]
    };
    let told = |scene: &Scene, name: &str| -> Vec<String> {
        let lines = scene.world("iris1").explain(&key("web")).nodes[0]
            .bgp
            .clone()
            .unwrap();
        let theirs = lines
            .iter()
            .filter(|l| l.peer.as_str() == name && l.told.is_ok());
        theirs.map(|line| line.prefix.to_string()).collect()
    };
    scene.config = Arc::new(config(
        pools(),
        vec![peer("peer4", "192.0.2.1"), six.clone()],
    ));
    assert_eq!(told(&scene, "peer4"), ["10.20.30.1/32"]);
    assert_eq!(told(&scene, "peer6"), ["2001:db8::1/128"]);
    six.dual_stack = true;
    scene.config = Arc::new(config(pools(), vec![six]));
    assert_eq!(told(&scene, "peer6"), ["10.20.30.1/32", "2001:db8::1/128"]);
}

#[test]
fn cases_94_and_95_communities_are_united() {
    let mut selected = ad(32, None, &["1:2"]);
    selected.services = serving(&["web"]);
    let mut scene = scene(vec![ad(32, None, &["1:1"]), selected]);
    scene.services.push(service("other", &["10.20.30.2"]));
    scene.slices.push(slice("other", &["iris1"]));
    let want = ["10.20.30.1/32 all - [1:1 1:2]", "10.20.30.2/32 all - [1:1]"];
    assert_eq!(routes(&scene.world("iris1")), want);
}

#[test]
fn case_96_aggregates_beside_selected_hosts() {
    let mut selected = ad(32, None, &[]);
    selected.services = serving(&["web"]);
    let mut scene = scene(vec![selected, ad(24, None, &[])]);
    scene.services.push(service("other", &["10.20.30.2"]));
    scene.slices.push(slice("other", &["iris1"]));
    let want = ["10.20.30.0/24 all - []", "10.20.30.1/32 all - []"];
    assert_eq!(routes(&scene.world("iris1")), want);
}

#[test]
fn of_different_local_prefs_over_services_the_highest_wins() {
    let per = |name: &str, pref| BgpAdvertisement {
        services: serving(&[name]),
        ..ad(24, pref, &[])
    };
    let mut scene = scene(vec![per("web", Some(50)), per("other", None)]);
    scene.services.push(service("other", &["10.20.30.2"]));
    scene.slices.push(slice("other", &["iris1"]));
    assert_eq!(routes(&scene.world("iris1")), ["10.20.30.0/24 all - []"]);
}

#[test]
fn reasons_before_any_protocol() {
    let table: &[(&[&str], &str)] = &[
        (&[], "noIPAllocated"),
        (&["10.20.30.1", "lb.example.com"], "invalidIP"),
        (&["172.16.0.1"], "ipNotAllowed"),
        (&["10.20.30.1", "172.16.0.1"], "ipNotAllowed"),
    ];
    for (addresses, want) in table {
        let mut scene = scene(vec![bgp_ad(&[])]);
        scene.services = vec![service("web", addresses)];
        assert_eq!(scene.why("iris1", Bgp), *want, "{addresses:?}");
    }
    let mut scene = scene(vec![bgp_ad(&[])]);
    scene.services[0].class = Some("other".into());
    assert_eq!(scene.why("iris1", Bgp), "none");
}
