// SPDX-License-Identifier: Apache-2.0
//! Faults: the API server away, cut off, forgetful or frozen, Nodes deleted, endpoints flapping, speakers
//! restarted. The routers and the client notice nothing but what the objects say in the end.
//!
//! The API server is away for ten minutes where `FERROLB_SOAK` is set.

use std::{
    thread,
    time::{Duration, Instant},
};

use ferrolb_lab::{
    faults::{mute, unmute},
    link::End,
    routers::{Kind, Neighbor, Router, RouterConfig},
    sniff::Sniffer,
    topology::{LAN, Topology},
};
use serde_json::{Value, json};

use crate::{
    common::{NODE_AS, ROUTER_AS},
    lab::{Lab, Rules, SPEAKER, await_routes},
    objects::{NAMESPACE, bgp_ad, endpoints, l2_ad, local, node, peer, pools, served},
    seen::{Told, told},
    speaker::{Speaker, Start},
};

const NEAR: &str = "192.0.2.201";

/// Two nodes with sessions to BIRD, whose hold time is shorter than any fault here; routes of the Services
/// 1, 2 and 3 from both; an address of the LAN at n1.
struct Scene {
    lab: Lab,
    bird: Box<dyn Router>,
    speakers: Vec<Speaker>,
}

#[test]
fn an_api_server_in_trouble_changes_nothing() {
    let Some(scene) = Scene::set() else { return };
    away(&scene);
    cut_off(&scene);
    forgetful(&scene);
    frozen(&scene);
}

#[test]
fn restarts_deleted_nodes_and_flapping_endpoints() {
    let Some(mut scene) = Scene::set() else {
        return;
    };
    node_deleted(&scene);
    restarted(&mut scene);
    flapping(&scene);
    new_pod_while_the_api_server_is_away(&mut scene);
}

impl Scene {
    fn set() -> Option<Self> {
        let lab = Lab::new(2, 1, &Rules::Ours)?;
        let router = &lab.net.routers[0];
        let mut config = RouterConfig::new(ROUTER_AS, router.id());
        for node in &lab.net.nodes {
            config = config.with(Neighbor::new(router.v4(), node.v4(), NODE_AS));
        }
        let bird = Kind::Bird.start(router.namespace(), &config).unwrap();
        lab.create_all(pools());
        lab.create(bgp_ad("hosts", json!({})));
        let only = json!([{ "matchLabels": { "kubernetes.io/hostname": "n1" } }]);
        lab.create(l2_ad("lan", json!({ "nodeSelectors": only })));
        let short = json!({ "holdTime": "3s", "keepaliveTime": "1s" });
        lab.create(peer("bird", router.v4(), short));
        lab.create_all(served("near", &[NEAR], &["n2"]));
        let mut scene = Self {
            lab,
            bird,
            speakers: Vec::new(),
        };
        (1..=3).for_each(|number| scene.add(number));
        scene.speakers = vec![scene.lab.speak("n1"), scene.lab.speak("n2")];
        scene.await_all();
        scene.lab.settled();
        Some(scene)
    }

    /// A Service with the address of this number.
    fn add(&self, number: u8) {
        let address = format!("203.0.113.{number}");
        self.lab
            .create_all(served(&format!("s{number}"), &[&address], &["n1", "n2"]));
    }

    fn remove(&self, number: u8) {
        self.lab.delete("Service", "default", &format!("s{number}"));
    }

    /// Waits until the router has the routes of these Services, and no others, from both nodes.
    fn await_routes(&self, numbers: &[u8]) {
        let routes: Vec<String> = numbers
            .iter()
            .map(|number| format!("203.0.113.{number}/32"))
            .collect();
        let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
        for node in &self.lab.net.nodes {
            await_routes(&*self.bird, node.v4(), &routes);
        }
    }

    /// Waits until everything is announced and told as it was in the beginning.
    fn await_all(&self) {
        self.await_routes(&[1, 2, 3]);
        self.lab.await_holder(NEAR, Some("n1"));
        self.await_objects(&[1, 2, 3]);
        self.lab.await_list(
            "its object",
            "ServiceL2Status",
            |list| matches!(list, [one] if one["status"]["node"] == "n1"),
        );
    }

    /// Waits until both nodes tell of these Services, and of no others.
    fn await_objects(&self, numbers: &[u8]) {
        let mut expected: Vec<String> = numbers.iter().map(|n| format!("s{n}")).collect();
        expected.extend(expected.clone());
        expected.sort();
        self.lab
            .await_list("all objects", "ServiceBGPStatus", |list| {
                let complete = list
                    .iter()
                    .filter(|one| one["status"]["peers"] == json!(["bird"]));
                let names = complete.filter_map(|one| one["status"]["serviceName"].as_str());
                let mut names: Vec<&str> = names.collect();
                names.sort_unstable();
                names == expected && list.len() == expected.len()
            });
    }

    /// Holds that nothing happens to any session and route, nor to the client, while `fault` goes on.
    fn unnoticed(&self, what: &str, fault: impl FnOnce()) {
        let (begun, before) = (Instant::now(), told(&*self.bird));
        let sniffer = Sniffer::start(self.lab.net.client.end(LAN)).unwrap();
        fault();
        assert_eq!(self.lab.holder(NEAR).as_deref(), Some("n1"), "{what}");
        assert_eq!(told(&*self.bird), before, "{what}");
        let address = NEAR.parse().unwrap();
        let mac = self.lab.net.nodes[0].mac().unwrap();
        assert!(
            sniffer.claimants(address).iter().all(|other| *other == mac),
            "{what}"
        );
        // Two frames a minute refresh caches; what is announced anew comes with more at once.
        let claims = sniffer.claims();
        let unasked = claims
            .iter()
            .filter(|claim| claim.broadcast && claim.address == address);
        let most = 2 * (1 + begun.elapsed().as_secs() / 60);
        assert!(
            unasked.count() as u64 <= most,
            "{what}: announced anew: {claims:?}"
        );
    }

    /// While no speaker reaches the API server, which `cut` sees to, one Service goes and another comes;
    /// the speakers follow once they can, and only in this.
    fn unseen_change(&self, cut: impl FnOnce(), goes: u8, comes: u8, then: &[u8]) {
        let before = told(&*self.bird);
        cut();
        self.remove(goes);
        self.add(comes);
        seconds(4);
        assert_eq!(told(&*self.bird), before, "cut off");
        unmute(self.plug()).unwrap();
        self.await_routes(then);
        followed(&before, &told(&*self.bird));
    }

    /// The API server's plug in the switch. The administrator is behind it.
    fn plug(&self) -> End<'_> {
        End {
            namespace: &self.lab.net.switch,
            interface: "api",
        }
    }
}

/// One route went and one came from each of the two nodes, and no session did.
fn followed(before: &Told, after: &Told) {
    assert_eq!(after.sessions, before.sessions);
    assert_eq!(after.updates - before.updates, 2);
    assert_eq!(after.withdrawals - before.withdrawals, 2);
}

fn seconds(count: u64) {
    thread::sleep(Duration::from_secs(count));
}

/// Killed for a while: nothing changes; afterwards everything is followed.
fn away(scene: &Scene) {
    let soak = std::env::var_os("FERROLB_SOAK").is_some();
    scene.unnoticed("the API server is away", || {
        scene.lab.cluster.stop_api().unwrap();
        seconds(if soak { 600 } else { 10 });
        scene.lab.cluster.start_api().unwrap();
        seconds(3);
    });
    scene.add(4);
    scene.await_routes(&[1, 2, 3, 4]);
}

/// Cut off without a word, with changes meanwhile.
fn cut_off(scene: &Scene) {
    let cut = || mute(scene.plug()).unwrap();
    scene.unseen_change(cut, 1, 5, &[2, 3, 4, 5]);
}

/// Every resourceVersion too old: 410 on every watch, and a relist that tells the difference alone.
fn forgetful(scene: &Scene) {
    let cluster = &scene.lab.cluster;
    let lists = || {
        let all = cluster.requests_of(SPEAKER).unwrap();
        let lists = all
            .iter()
            .filter(|one| one.verb == "list" && one.code == 200);
        lists.filter(|one| one.resource == "services").count()
    };
    let before = lists();
    let cut = || {
        cluster.stop_api().unwrap();
        mute(scene.plug()).unwrap();
        cluster.compact().unwrap();
        cluster.start_api().unwrap();
    };
    scene.unseen_change(cut, 2, 6, &[3, 4, 5, 6]);
    assert!(lists() >= before + 2, "both speakers list anew");
    scene.unnoticed("what follows the relist", || seconds(3));
}

/// A frozen API server delays no answer to a client and no keepalive.
fn frozen(scene: &Scene) {
    let lab = &scene.lab;
    scene.unnoticed("frozen", || {
        lab.cluster.freeze().unwrap();
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        while begun.elapsed() < Duration::from_secs(5) {
            slowest = slowest.max(round_trip(&lab.net));
            thread::sleep(Duration::from_millis(200));
        }
        lab.cluster.thaw().unwrap();
        println!("slowest ARP answer beside a frozen API server: {slowest:?}");
        assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    });
    scene.await_objects(&[3, 4, 5, 6]);
}

/// How long one ARP request waits for its answer, as arping measures it.
fn round_trip(net: &Topology) -> Duration {
    let arguments = ["-b", "-f", "-c", "1", "-w", "2", "-I", LAN, NEAR];
    let client = net.client.namespace();
    let done = client.capture("arping", &arguments, Duration::from_secs(5));
    let said = done.unwrap().stdout;
    let time = |line: &str| {
        line.trim()
            .strip_suffix("ms")?
            .rsplit(' ')
            .next()?
            .parse()
            .ok()
    };
    let took: Option<f64> = said.lines().find_map(time);
    Duration::from_secs_f64(took.unwrap_or_else(|| panic!("no answer: {said}")) / 1000.0)
}

/// A Node object goes, and comes back, while its speaker runs.
fn node_deleted(scene: &Scene) {
    scene.unnoticed("its Node is deleted", || {
        scene.lab.delete("Node", "", "n1");
        seconds(2);
        scene.lab.create(node(&scene.lab.net.nodes[0]));
        seconds(1);
    });
}

/// The routes come back, and the objects that are right stay as they are.
fn restarted(scene: &mut Scene) {
    let before = scene.lab.settled().len();
    scene.speakers.remove(0).end();
    await_routes(&*scene.bird, scene.lab.net.nodes[0].v4(), &[]);
    let again = scene.lab.speak("n1");
    scene.speakers.insert(0, again);
    scene.await_all();
    seconds(8);
    let writes = scene.lab.settled();
    let objects: Vec<_> = writes[before..]
        .iter()
        .filter(|one| one.resource != "events")
        .collect();
    assert!(objects.is_empty(), "{objects:#?}");
}

/// Endpoints that come and go end where they end, and cost no more than what came of them.
fn flapping(scene: &Scene) {
    const TURNS: usize = 15;
    let lab = &scene.lab;
    lab.merge("Service", "default", "s1", local());
    let before = lab.settled().len();
    let turn = |ready: bool| {
        let fields = json!({ "endpoints": endpoints(&["n1", "n2"], ready) });
        lab.merge("EndpointSlice", "default", "s1-1", fields);
    };
    for _ in 0..TURNS {
        turn(false);
        turn(true);
    }
    scene.await_all();
    let writes = lab.settled();
    let writes = writes[before..].iter();
    let objects = writes.filter(|one| one.resource != "events").count();
    println!("{TURNS} turns of endpoints: {objects} writes of status objects");
    // A deletion, a creation and a status for each of two nodes.
    assert!(objects <= TURNS * 2 * 3, "{objects}");
    turn(false);
    scene.await_routes(&[2, 3]);
    scene.await_objects(&[2, 3]);
    turn(true);
    scene.await_all();
}

/// A speaker that is restarted while the API server is away waits for it; in a new Pod it takes over what
/// stood in the name of the old one.
fn new_pod_while_the_api_server_is_away(scene: &mut Scene) {
    let lab = &scene.lab;
    scene.speakers.remove(0).end();
    lab.delete("Pod", NAMESPACE, "speaker-n1");
    lab.create_pod("speaker-later", &lab.net.nodes[0]);
    lab.cluster.stop_api().unwrap();
    let waiting = lab.start("n1", &Start::of("speaker-later").where_it_is());
    waiting.await_alive();
    seconds(3);
    assert!(!waiting.is_ready(), "ready without an API server");
    lab.cluster.start_api().unwrap();
    let ready = waiting.ready();
    scene.await_all();
    let uid = lab.pod_uid("speaker-later");
    for kind in ["ServiceBGPStatus", "ServiceL2Status"] {
        lab.await_list("the new owner", kind, |list| {
            let ours = list.iter().filter(|one| one["status"]["node"] == "n1");
            let mut ours = ours.peekable();
            ours.peek().is_some() && ours.all(|one| owners(one).contains(&uid))
        });
    }
    scene.speakers.push(ready);
}

fn owners(object: &Value) -> Vec<Value> {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let owners = owners.into_iter().flatten();
    owners.map(|owner| owner["uid"].clone()).collect()
}
