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
    topology::{LAN, Topology},
    wait,
};
use serde_json::{Value, json};

use crate::{
    common::{NODE_AS, ROUTER_AS, id},
    lab::{Lab, PATIENCE, Rules, await_routes},
    objects::{NAMESPACE, bgp_ad, endpoints, l2_ad, local, node, peer, pools, served},
    seen::{Told, told},
};

const NEAR: &str = "192.0.2.201";

/// Two nodes with sessions to BIRD, whose hold time is shorter than any fault here; routes a, b, c from
/// both; an address of the LAN at n1.
struct Scene {
    lab: Lab,
    bird: Box<dyn Router>,
}

impl Scene {
    fn set() -> Option<Self> {
        let lab = Lab::new(2, 1, &Rules::Ours)?;
        let router = &lab.net.routers[0];
        let mut config = RouterConfig::new(ROUTER_AS, id(router));
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
        for (name, address) in [
            ("a", "203.0.113.1"),
            ("b", "203.0.113.2"),
            ("c", "203.0.113.3"),
        ] {
            lab.create_all(served(name, &[address], &["n1", "n2"]));
        }
        lab.create_all(served("near", &[NEAR], &["n2"]));
        Some(Self { lab, bird })
    }

    fn await_routes(&self, expected: &[&str]) {
        for node in &self.lab.net.nodes {
            await_routes(&*self.bird, node.v4(), expected);
        }
    }

    /// Waits until everything is announced and told.
    fn await_all(&self) {
        self.await_routes(&["203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32"]);
        self.lab.await_holder(NEAR, Some("n1"));
        self.lab
            .await_list("all objects", "ServiceBGPStatus", |list| {
                list.iter()
                    .filter(|one| one["status"]["peers"] == json!(["bird"]))
                    .count()
                    == 6
            });
        self.lab.await_list(
            "its object",
            "ServiceL2Status",
            |list| matches!(list, [one] if one["status"]["node"] == "n1"),
        );
    }

    /// Holds that nothing happens to any session and route, nor to the client, while `fault` goes on.
    fn unnoticed<T>(&self, what: &str, fault: impl FnOnce() -> T) -> T {
        let before = told(&*self.bird);
        let sniffer = ferrolb_lab::sniff::Sniffer::start(self.client_end()).unwrap();
        let value = fault();
        assert_eq!(self.lab.holder(NEAR).as_deref(), Some("n1"), "{what}");
        assert_eq!(told(&*self.bird), before, "{what}");
        let claims = sniffer.claims();
        let again = claims
            .iter()
            .filter(|claim| claim.broadcast && claim.address.to_string() == NEAR);
        assert_eq!(again.count(), 0, "{what}: announced again");
        value
    }

    fn client_end(&self) -> End<'_> {
        self.lab.net.client.end(LAN)
    }

    /// The API server's plug in the switch: pulled, no speaker reaches it, and the administrator, who is
    /// in its namespace, does.
    fn plug(&self) -> End<'_> {
        End {
            namespace: &self.lab.net.switch,
            interface: "api",
        }
    }
}

fn soak() -> bool {
    std::env::var_os("FERROLB_SOAK").is_some()
}

#[test]
fn an_api_server_in_trouble_changes_nothing() {
    let Some(scene) = Scene::set() else { return };
    let lab = &scene.lab;
    let _speakers = [lab.speak("n1"), lab.speak("n2")];
    scene.await_all();
    lab.settled();

    // Killed for a while.
    let away = Duration::from_secs(if soak() { 600 } else { 8 });
    scene.unnoticed("the API server is away", || {
        lab.cluster.stop_api().unwrap();
        thread::sleep(away);
        lab.cluster.start_api().unwrap();
        thread::sleep(Duration::from_secs(3));
    });
    lab.create_all(served("d", &["203.0.113.4"], &["n1"]));
    scene.await_routes(&[
        "203.0.113.1/32",
        "203.0.113.2/32",
        "203.0.113.3/32",
        "203.0.113.4/32",
    ]);

    // Cut off, with changes meanwhile: then they are followed, and they alone.
    let before = told(&*scene.bird);
    mute(scene.plug()).unwrap();
    lab.delete("Service", "default", "a");
    lab.create_all(served("e", &["203.0.113.5"], &["n1"]));
    thread::sleep(Duration::from_secs(6));
    assert_eq!(told(&*scene.bird), before, "cut off");
    unmute(scene.plug()).unwrap();
    scene.await_routes(&[
        "203.0.113.2/32",
        "203.0.113.3/32",
        "203.0.113.4/32",
        "203.0.113.5/32",
    ]);
    followed(&before, &told(&*scene.bird), 1, 1);

    // Every resourceVersion too old: 410 on every watch, and a relist that tells the difference.
    let before = told(&*scene.bird);
    mute(scene.plug()).unwrap();
    lab.delete("Service", "default", "b");
    lab.create_all(served("f", &["203.0.113.6"], &["n1"]));
    lab.cluster.expire().unwrap();
    assert_eq!(told(&*scene.bird), before, "forgotten history");
    unmute(scene.plug()).unwrap();
    scene.await_routes(&[
        "203.0.113.3/32",
        "203.0.113.4/32",
        "203.0.113.5/32",
        "203.0.113.6/32",
    ]);
    followed(&before, &told(&*scene.bird), 1, 1);
    scene.unnoticed("what follows the relist", || {
        thread::sleep(Duration::from_secs(3))
    });
    let relisted = lab.cluster.requests_of(crate::lab::SPEAKER).unwrap();
    assert!(
        relisted
            .iter()
            .any(|one| one.code == 410 || one.verb == "list"),
        "no relist"
    );

    slow(&scene);
    lab.await_list("the objects follow", "ServiceBGPStatus", |list| {
        let of = |name: &str| {
            list.iter()
                .filter(|one| one["status"]["serviceName"] == name)
                .count()
        };
        (of("a"), of("b"), of("c"), of("d"), of("e"), of("f")) == (0, 0, 2, 2, 2, 2)
    });
}

/// So many routes came and went from each of the two nodes, and no session did.
fn followed(before: &Told, after: &Told, came: u64, went: u64) {
    assert_eq!(after.sessions, before.sessions);
    assert_eq!(after.updates - before.updates, 2 * came);
    assert_eq!(after.withdrawals - before.withdrawals, 2 * went);
}

/// A frozen API server delays no answer to a client and no keepalive: the hold time is shorter.
fn slow(scene: &Scene) {
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
}

/// How long one ARP request waits for its answer, as arping measures it.
fn round_trip(net: &Topology) -> Duration {
    let arguments = ["-b", "-f", "-c", "1", "-w", "2", "-I", LAN, NEAR];
    let client = net.client.namespace();
    let done = client
        .capture("arping", &arguments, Duration::from_secs(5))
        .unwrap();
    let took = done.stdout.lines().find_map(|line| {
        line.trim()
            .strip_suffix("ms")?
            .rsplit(' ')
            .next()?
            .parse::<f64>()
            .ok()
    });
    let took = took.unwrap_or_else(|| panic!("no answer: {}", done.stdout));
    Duration::from_secs_f64(took / 1000.0)
}

#[test]
fn restarts_deleted_nodes_and_flapping_endpoints() {
    let Some(scene) = Scene::set() else { return };
    let lab = &scene.lab;
    let one = lab.speak("n1");
    let _two = lab.speak("n2");
    scene.await_all();

    // A Node object goes, and comes back, while its speaker runs.
    let host = &lab.net.nodes[0];
    lab.settled();
    scene.unnoticed("its Node is deleted", || {
        lab.delete("Node", "", "n1");
        thread::sleep(Duration::from_secs(2));
        lab.create(node(host));
        thread::sleep(Duration::from_secs(1));
    });
    let after = lab.settled().len();

    // A restart: the routes come back, and the objects that are right stay as they are.
    one.end();
    await_routes(&*scene.bird, host.v4(), &[]);
    let _one = lab.speak("n1");
    scene.await_all();
    thread::sleep(Duration::from_secs(8));
    let writes = lab.settled();
    let others: Vec<_> = writes[after..]
        .iter()
        .filter(|one| one.resource != "events")
        .collect();
    assert!(others.is_empty(), "{others:#?}");

    flapping(&scene);

    // A new Pod for the node takes over what the old one left.
    drop(_one);
    lab.delete("Pod", NAMESPACE, "speaker-n1");
    let _one = lab
        .start("n1", &crate::speaker::Start::of("speaker-n1-later"))
        .ready();
    let uid = lab.pod_uid("speaker-n1-later");
    for kind in ["ServiceBGPStatus", "ServiceL2Status"] {
        lab.await_list("the new owner", kind, |list| {
            let mut ours = list
                .iter()
                .filter(|one| one["status"]["node"] == "n1")
                .peekable();
            ours.peek().is_some() && ours.all(|one| owners(one).contains(&uid))
        });
    }
}

fn owners(object: &Value) -> Vec<Value> {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners
        .into_iter()
        .flatten()
        .map(|owner| owner["uid"].clone())
        .collect()
}

/// Endpoints that come and go end where they end, with at most two writes a turn and node.
fn flapping(scene: &Scene) {
    const TURNS: usize = 15;
    let lab = &scene.lab;
    lab.merge("Service", "default", "a", local());
    let before = lab.settled().len();
    let turn = |ready: bool| {
        let fields = json!({ "endpoints": endpoints(&["n1", "n2"], ready) });
        lab.merge("EndpointSlice", "default", "a-1", fields);
    };
    for _ in 0..TURNS {
        turn(false);
        turn(true);
    }
    scene.await_all();
    let writes = lab.settled();
    let objects = writes[before..]
        .iter()
        .filter(|one| one.resource != "events")
        .count();
    println!("{TURNS} turns of endpoints: {objects} writes of status objects");
    assert!(objects <= TURNS * 2 * 3, "{objects}");
    turn(false);
    scene.await_routes(&["203.0.113.2/32", "203.0.113.3/32"]);
    wait::until("its objects go", PATIENCE, || {
        let list = lab.list("ServiceBGPStatus", NAMESPACE);
        Ok(!list.iter().any(|one| one["status"]["serviceName"] == "a"))
    })
    .unwrap();
    turn(true);
    scene.await_all();
}
