// SPDX-License-Identifier: Apache-2.0
//! Routes: every object they depend on is changed through the API, and the routers tell what came of it.

use std::net::IpAddr;

use ferrolb_lab::{
    routers::{Kind, Neighbor, Route, Router, RouterConfig, RouterView},
    topology::Host,
    wait,
};
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::{
    common::{NODE_AS, ROUTER_AS},
    lab::{Lab, PATIENCE, Rules, await_routes},
    objects::{EXCLUDE, bgp_ad, community, endpoints, local, peer, pools, served},
    seen,
    speaker::{Speaker, Start},
    statuses,
};

const WEB: [&str; 2] = ["203.0.113.1", "2001:db8:3::1"];
const V4: &[&str] = &["203.0.113.1/32"];
const V6: &[&str] = &["2001:db8:3::1/128"];

/// Two nodes; BIRD of another AS with a session of each family to both; FRR of the same AS, which shows
/// LOCAL_PREF, with one to the first. The second node ignores the label that takes nodes out.
struct Scene {
    lab: Lab,
    bird: Box<dyn Router>,
    frr: Box<dyn Router>,
    first: Speaker,
    _second: Speaker,
}

#[test]
fn routes_follow_every_object() {
    let Some(scene) = Scene::set() else { return };
    attributes(&scene);
    statuses::as_they_are(&scene.lab);
    statuses::cost_of_a_change(&scene.lab);
    attributes_change_in_place(&scene);
    traffic_policy(&scene);
    another_address(&scene);
    selectors(&scene);
    taken_out(&scene);
    goodbye(scene);
}

impl Scene {
    fn set() -> Option<Self> {
        if !ferrolb_lab::require::able(Kind::Frr.programs()).unwrap() {
            return None;
        }
        let lab = Lab::new(2, 2, &Rules::Ours)?;
        let bird = bird(&lab.net.routers[0], &lab.net.nodes);
        let frr = frr(&lab.net.routers[1], &lab.net.nodes[0]);
        objects(&lab);
        let ignoring = Start {
            flags: &["--ignore-exclude-lb"],
            ..Start::of("speaker-n2")
        };
        let (first, second) = (lab.speak("n1"), lab.start("n2", &ignoring).ready());
        Some(Self {
            lab,
            bird,
            frr,
            first,
            _second: second,
        })
    }

    fn node(&self, index: usize) -> &Host {
        &self.lab.net.nodes[index]
    }

    /// Waits until BIRD has these, and no others, over IPv4 from the first node, and from the second.
    fn await_v4(&self, first: &[&str], second: &[&str]) {
        await_routes(&*self.bird, self.node(0).v4(), first);
        await_routes(&*self.bird, self.node(1).v4(), second);
    }

    /// The same over IPv6.
    fn await_v6(&self, first: &[&str], second: &[&str]) {
        await_routes(&*self.bird, self.node(0).v6(), first);
        await_routes(&*self.bird, self.node(1).v6(), second);
    }
}

fn bird(router: &Host, nodes: &[Host]) -> Box<dyn Router> {
    let mut config = RouterConfig::new(ROUTER_AS, router.id());
    for node in nodes {
        config = config
            .with(Neighbor::new(router.v4(), node.v4(), NODE_AS))
            .with(Neighbor::new(router.v6(), node.v6(), NODE_AS));
    }
    Kind::Bird.start(router.namespace(), &config).unwrap()
}

fn frr(router: &Host, node: &Host) -> Box<dyn Router> {
    let config = RouterConfig::new(NODE_AS, router.id());
    let config = config.with(Neighbor::new(router.v4(), node.v4(), NODE_AS));
    Kind::Frr.start(router.namespace(), &config).unwrap()
}

fn objects(lab: &Lab) {
    let [r1, r2] = &lab.net.routers[..] else {
        panic!("two routers")
    };
    lab.label("n1", json!({ "rack": "a" }));
    lab.label("n2", json!({ "rack": "b" }));
    lab.create_all(pools());
    lab.create(community("blue", "64500:7"));
    let mut inside = rack("a");
    inside["peerASN"] = json!(NODE_AS);
    lab.create_all([
        peer("bird4", r1.v4(), json!({})),
        peer("bird6", r1.v6(), json!({})),
        peer("frr", r2.v4(), inside),
    ]);
    let added = json!({ "localPref": 150, "communities": ["blue", "large:64500:1:2"] });
    lab.create(bgp_ad("hosts", added));
    lab.create_all(served("web", &WEB, &["n1"]));
}

fn rack(name: &str) -> Value {
    json!({ "nodeSelectors": [{ "matchLabels": { "rack": name } }] })
}

/// The route to the Service over IPv4.
fn web(view: &RouterView, peer: IpAddr) -> Option<Route> {
    let address: IpAddr = WEB[0].parse().unwrap();
    view.path(IpNet::from(address), peer).cloned()
}

/// Each family over its own session, with what the advertisement adds.
fn attributes(scene: &Scene) {
    scene.await_v4(V4, V4);
    scene.await_v6(V6, V6);
    let node = scene.node(0).v4();
    await_routes(&*scene.frr, node, V4);
    let route = web(&scene.bird.view().unwrap(), node).unwrap();
    let communities: Vec<String> = route.communities.iter().map(ToString::to_string).collect();
    assert_eq!(communities, ["64500:7"]);
    let large = route.large_communities.iter();
    let large: Vec<_> = large
        .map(|one| (one.global, one.local1, one.local2))
        .collect();
    assert_eq!(large, [(64500, 1, 2)]);
    assert_eq!(route.next_hops, [node]);
    let route = web(&scene.frr.view().unwrap(), node).unwrap();
    assert_eq!(route.local_pref, Some(150));
}

/// Nothing is withdrawn for it.
fn attributes_change_in_place(scene: &Scene) {
    let before = seen::told(&*scene.bird);
    let other = json!({ "localPref": 250, "communities": ["64500:8"] });
    scene.lab.change("BGPAdvertisement", "hosts", other);
    let node = scene.node(0).v4();
    let changed = |view: &RouterView| web(view, node).is_some_and(|r| r.local_pref == Some(250));
    let what = "the new LOCAL_PREF";
    scene
        .frr
        .wait_for(what, PATIENCE, &mut { changed })
        .unwrap();
    let after = seen::told(&*scene.bird);
    assert_eq!(before.sessions, after.sessions);
    assert_eq!(before.withdrawals, after.withdrawals);
}

fn traffic_policy(scene: &Scene) {
    let lab = &scene.lab;
    lab.merge("Service", "default", "web", local());
    scene.await_v4(V4, &[]);
    let elsewhere = json!({ "endpoints": endpoints(&["n2"], true) });
    lab.merge("EndpointSlice", "default", "web-1", elsewhere);
    scene.await_v6(&[], V6);
    let cluster = json!({ "spec": { "externalTrafficPolicy": "Cluster" } });
    lab.merge("Service", "default", "web", cluster);
    scene.await_v4(V4, V4);
}

fn another_address(scene: &Scene) {
    let other = ["203.0.113.9/32"];
    scene.lab.assign("web", &["203.0.113.9"]);
    scene.await_v4(&other, &other);
    scene.await_v6(&[], &[]);
    scene.lab.assign("web", &WEB);
    scene.await_v4(V4, V4);
}

/// Nodes that an advertisement selects, and peers that a node selects.
fn selectors(scene: &Scene) {
    let lab = &scene.lab;
    let node = scene.node(0).v4();
    lab.change("BGPAdvertisement", "hosts", rack("b"));
    scene.await_v4(&[], V4);
    lab.label("n1", json!({ "rack": "b" }));
    scene.await_v4(V4, V4);
    let has_session = |wanted: bool| {
        let what = format!("a session with FRR: {wanted}");
        let holds = &mut |view: &RouterView| view.is_up(node) == wanted;
        scene.frr.wait_for(&what, PATIENCE, holds).unwrap();
    };
    has_session(false);
    lab.label("n1", json!({ "rack": "a" }));
    scene.await_v4(&[], V4);
    has_session(true);
    let all = json!({ "nodeSelectors": null });
    lab.change("BGPAdvertisement", "hosts", all);
    await_routes(&*scene.frr, node, V4);
}

/// The label, unless it is to be ignored, and a network that is unavailable.
fn taken_out(scene: &Scene) {
    let lab = &scene.lab;
    for node in ["n1", "n2"] {
        lab.label(node, json!({ (EXCLUDE): "" }));
    }
    scene.await_v4(&[], V4);
    lab.label("n1", json!({ (EXCLUDE): null }));
    scene.await_v4(V4, V4);
    lab.set_network("n2", "True");
    scene.await_v4(V4, &[]);
    lab.set_network("n2", "False");
    scene.await_v4(V4, V4);
}

/// A router that goes leaves the objects; a speaker that is told to end says so to its routers.
fn goodbye(scene: Scene) {
    let node = scene.node(0).v4();
    drop(scene.frr);
    statuses::await_peers(
        &scene.lab,
        "web",
        &[("n1", &["bird4", "bird6"]), ("n2", &["bird4", "bird6"])],
    );
    scene.first.end();
    let said = || {
        let view = scene.bird.view()?;
        let error = view.session(node).and_then(|one| one.last_error.clone());
        let cease = error.is_some_and(|error| error.contains("Received:"));
        Ok(cease && !view.is_up(node))
    };
    wait::until("the Cease", PATIENCE, said).unwrap_or_else(|error| {
        panic!(
            "{error:#}\n{}",
            scene.bird.cli("show protocols all").unwrap()
        )
    });
    await_routes(&*scene.bird, node, &[]);
    await_routes(&*scene.bird, scene.lab.net.nodes[1].v4(), V4);
}
