// SPDX-License-Identifier: Apache-2.0
//! Layer 2: who answers a client, as objects change and speakers die, and what is told of it.

use std::time::Duration;

use ferrolb_lab::{sniff::Sniffer, topology::LAN, wait};
use serde_json::{Value, json};

use crate::{
    lab::{Lab, PATIENCE, Rules},
    objects::{EXCLUDE, NAMESPACE, endpoints, l2_ad, local, pools, served, service, slice},
    speaker::{self, Speaker, Start},
};

const WEB: [&str; 2] = ["192.0.2.201", "2001:db8:1::201"];
const NODES: [&str; 3] = ["n1", "n2", "n3"];

/// Three nodes that may all answer for the Service `web`.
struct Scene {
    lab: Lab,
    speakers: Vec<Speaker>,
    /// The node that is elected among the three.
    first: String,
}

#[test]
fn one_node_answers_and_the_right_one() {
    let Some(mut scene) = Scene::set() else {
        return;
    };
    told_as_it_is(&scene);
    endpoints_of_a_local_service(&scene.lab);
    taken_out(&scene);
    interfaces(&scene);
    doubled(&scene);
    quiet_restart(&mut scene);
    death(&mut scene);
    label_ignored(&mut scene);
}

impl Scene {
    fn set() -> Option<Self> {
        let lab = Lab::new(3, 0, &Rules::Ours)?;
        lab.create_all(pools());
        lab.create(l2_ad("lan", json!({})));
        lab.create_all(served("web", &WEB, &["n1"]));
        let speakers = speakers(&lab, &[]);
        // Each may have had it until the next came.
        for one in &speakers {
            one.await_alive_count(NODES.len());
        }
        let first = lab.await_some_holder(WEB[0]);
        lab.await_holder(WEB[0], Some(&first));
        lab.await_holder(WEB[1], Some(&first));
        Some(Self {
            lab,
            speakers,
            first,
        })
    }

    /// Waits until the elected node answers, and says so.
    fn await_first(&self) {
        self.lab.await_holder(WEB[0], Some(&self.first));
        await_told(&self.lab, "web", &self.first);
    }

    fn await_another(&self) -> String {
        let seen = || Ok(self.lab.holder(WEB[0]).filter(|node| *node != self.first));
        let (node, took) = wait::arrival("another answers", PATIENCE, seen).unwrap();
        println!("from {} to {node} within {took:?}", self.first);
        node
    }
}

fn speakers(lab: &Lab, flags: &[&str]) -> Vec<Speaker> {
    let start = |node: &&str| {
        let pod = format!("speaker-{node}");
        let start = Start {
            flags,
            ..Start::of(&pod)
        };
        lab.start(node, &start)
    };
    let started: Vec<_> = NODES.iter().map(start).collect();
    started.into_iter().map(Speaker::ready).collect()
}

/// The nodes and interfaces that the status objects of a Service name.
fn told(list: &[Value], service: &str) -> Vec<(String, Value)> {
    let ours = list
        .iter()
        .filter(|one| one["status"]["serviceName"] == service);
    ours.map(|one| {
        let node = one["status"]["node"].as_str().unwrap_or_default();
        (node.to_owned(), one["status"]["interfaces"].clone())
    })
    .collect()
}

/// Waits until exactly one object tells of a Service: this node's.
fn await_told(lab: &Lab, service: &str, node: &str) -> Value {
    let what = format!("{service} by {node}");
    let list = lab.await_list(
        &what,
        "ServiceL2Status",
        |list| matches!(&told(list, service)[..], [(only, _)] if only == node),
    );
    let found = list
        .into_iter()
        .find(|one| one["status"]["serviceName"] == service);
    found.unwrap()
}

/// An object says who answers, with labels to find it by, and goes with the speaker's Pod; an Event
/// says it too.
fn told_as_it_is(scene: &Scene) {
    let (lab, node) = (&scene.lab, scene.first.as_str());
    let object = await_told(lab, "web", node);
    let meta = &object["metadata"];
    let labels = json!({
        "metallb.io/node": node, "metallb.io/service-name": "web",
        "metallb.io/service-namespace": "default",
    });
    assert_eq!(meta["labels"], labels);
    assert!(meta["name"].as_str().unwrap().starts_with("l2-"), "{meta}");
    let uid = lab.pod_uid(&format!("speaker-{node}"));
    let owner = &meta["ownerReferences"][0];
    assert_eq!((&owner["kind"], &owner["uid"]), (&json!("Pod"), &uid));
    let status = json!({ "node": node, "serviceName": "web", "serviceNamespace": "default" });
    let mut said = object["status"].clone();
    let interfaces = said.as_object_mut().unwrap().remove("interfaces");
    assert!(interfaces.is_none_or(|list| list == json!([])), "{object}");
    assert_eq!(said, status);

    let text = format!("announcing from node \"{node}\" with protocol \"layer2\"");
    let is_ours = |(kind, host, message, _): &(String, String, String, u64)| {
        kind == "Normal nodeAssigned" && host == node && *message == text
    };
    let seen = || Ok(lab.events("web").iter().any(is_ours));
    wait::until("its Event", PATIENCE, seen)
        .unwrap_or_else(|error| panic!("{error:#}: {:?}", lab.events("web")));
}

/// `Local`: only where an endpoint is; without one: nobody.
fn endpoints_of_a_local_service(lab: &Lab) {
    let set = |nodes: &[&str], ready: bool| {
        let fields = json!({ "endpoints": endpoints(nodes, ready) });
        lab.merge("EndpointSlice", "default", "web-1", fields);
    };
    lab.merge("Service", "default", "web", local());
    for node in ["n2", "n3"] {
        set(&[node], true);
        lab.await_holder(WEB[0], Some(node));
        lab.await_holder(WEB[1], Some(node));
        await_told(lab, "web", node);
    }
    // A Pod that ends: it is not ready, and still serves.
    let mut ending = endpoints(&["n2"], false);
    ending[0]["conditions"] = json!({ "ready": false, "serving": true, "terminating": true });
    lab.merge(
        "EndpointSlice",
        "default",
        "web-1",
        json!({ "endpoints": ending }),
    );
    lab.await_holder(WEB[0], Some("n2"));
    lab.await_holder(WEB[1], Some("n2"));
    set(&["n2"], false);
    lab.await_holder(WEB[0], None);
    lab.await_list("nobody", "ServiceL2Status", <[Value]>::is_empty);
    set(&["n1"], true);
    let cluster = json!({ "spec": { "externalTrafficPolicy": "Cluster" } });
    lab.merge("Service", "default", "web", cluster);
}

/// The label, and a network that is unavailable, take a node out.
fn taken_out(scene: &Scene) {
    let (lab, first) = (&scene.lab, &scene.first);
    scene.await_first();
    lab.label(first, json!({ (EXCLUDE): "" }));
    let next = scene.await_another();
    await_told(lab, "web", &next);
    lab.label(first, json!({ (EXCLUDE): null }));
    scene.await_first();
    lab.set_network(first, "True");
    scene.await_another();
    lab.set_network(first, "False");
    scene.await_first();
}

/// An advertisement that names interfaces: one that is there is told, one that is nowhere is told too.
fn interfaces(scene: &Scene) {
    let (lab, first) = (&scene.lab, scene.first.as_str());
    lab.change("L2Advertisement", "lan", json!({ "interfaces": ["eth0"] }));
    lab.await_list("the interface", "ServiceL2Status", |list| {
        told(list, "web") == [(first.to_owned(), json!([{ "name": "eth0" }]))]
    });
    let nowhere = json!({ "interfaces": ["none0", "none1"] });
    lab.change("L2Advertisement", "lan", nowhere);
    lab.await_holder(WEB[0], None);
    lab.await_list("nobody", "ServiceL2Status", <[Value]>::is_empty);
    let failed = || -> Vec<_> {
        let events = lab.events("web").into_iter();
        events
            .filter(|event| event.0 == "Warning announceFailed")
            .collect()
    };
    wait::until("the Event", PATIENCE, || Ok(failed().len() == 1))
        .unwrap_or_else(|error| panic!("{error:#}: {:?}", lab.events("web")));
    lab.settled();
    let [(_, node, message, count)] = &failed()[..] else {
        panic!("{:?}", failed())
    };
    assert_eq!((node.as_str(), *count), (first, 1), "one node, once");
    for word in [WEB[0], WEB[1], first, "layer2"] {
        assert!(message.contains(word), "{message}");
    }
    lab.change("L2Advertisement", "lan", json!({ "interfaces": null }));
    scene.await_first();
}

/// Two Services with one address: the older is announced, alone, and the younger says why not.
fn doubled(scene: &Scene) {
    let lab = &scene.lab;
    // The API server's stamps have seconds.
    std::thread::sleep(Duration::from_millis(1100));
    let thief = service("thief", &[WEB[0]], json!({}));
    lab.create_all([thief, slice("thief", &["n1"])]);
    for one in &scene.speakers {
        let said = |status: &Value, name: &str| {
            let line = speaker::service(status, name);
            line["layer2"].as_str().unwrap_or_default().to_owned()
        };
        let status = one.await_status("the reason", |status| {
            said(status, "thief").contains("FLB-N006")
        });
        let web = said(&status, "web");
        assert!(web.starts_with("yes") || web.contains("FLB-N019"), "{web}");
    }
    lab.settled();
    assert!(lab.events("thief").is_empty());
    assert!(told(&lab.list("ServiceL2Status", NAMESPACE), "thief").is_empty());
    the_younger_inherits(lab);
}

fn the_younger_inherits(lab: &Lab) {
    lab.delete("Service", "default", "web");
    let next = lab.await_some_holder(WEB[0]);
    await_told(lab, "thief", &next);
    lab.delete("Service", "default", "thief");
    lab.await_holder(WEB[0], None);
    lab.await_list("all objects go", "ServiceL2Status", <[Value]>::is_empty);
    lab.create(service("web", &WEB, json!({})));
}

/// A speaker that starts waits until the others had time to speak: it does not answer for what is theirs.
fn quiet_restart(scene: &mut Scene) {
    scene.await_first();
    let lab = &scene.lab;
    let sniffer = Sniffer::start(lab.net.client.end(LAN)).unwrap();
    let others = || NODES.into_iter().filter(|node| *node != scene.first);
    for node in others() {
        let at = scene.speakers.iter().position(|one| one.node() == node);
        scene.speakers.remove(at.unwrap()).end();
        let again = lab.speak(node);
        again.await_alive_count(NODES.len());
        scene.speakers.push(again);
    }
    std::thread::sleep(Duration::from_secs(1));
    let macs = WEB.map(|address| sniffer.claimants(address.parse().unwrap()));
    let first = lab.net.node(&scene.first).unwrap().mac().unwrap();
    assert!(macs.iter().flatten().all(|mac| *mac == first), "{macs:?}");
}

/// A speaker dies without a word while the API server is away: another takes over all the same, and removes
/// what the dead one said as soon as it can.
fn death(scene: &mut Scene) {
    scene.await_first();
    let cluster = &scene.lab.cluster;
    cluster.stop_api().unwrap();
    let at = scene
        .speakers
        .iter()
        .position(|one| one.node() == scene.first);
    scene.speakers.remove(at.unwrap()).kill();
    let next = scene.await_another();
    cluster.start_api().unwrap();
    await_told(&scene.lab, "web", &next);
    let back = scene.lab.speak(&scene.first);
    scene.speakers.push(back);
    scene.await_first();
}

/// The label counts for nothing where it is to be ignored.
fn label_ignored(scene: &mut Scene) {
    for speaker in scene.speakers.drain(..) {
        speaker.end();
    }
    scene.lab.label(&scene.first, json!({ (EXCLUDE): "" }));
    scene.speakers = speakers(&scene.lab, &["--ignore-exclude-lb"]);
    scene.await_first();
}
