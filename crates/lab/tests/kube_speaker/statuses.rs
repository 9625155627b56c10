// SPDX-License-Identifier: Apache-2.0
//! What speakers write about routes: one object a node and Service, one Event, and nothing more than a
//! change asks for.

use std::{thread, time::Duration};

use ferrolb_lab::wait;
use serde_json::{Value, json};

use crate::{
    lab::{Lab, PATIENCE},
    objects::{NAMESPACE, served},
};

const KIND: &str = "ServiceBGPStatus";

/// Nodes with the peers that their objects name.
type Peers<'a> = [(&'a str, &'a [&'a str])];

/// The peers that the objects of a Service name, by node.
fn told(list: &[Value], service: &str) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ours = list
        .iter()
        .filter(|one| one["status"]["serviceName"] == service);
    let mut all: Vec<_> = ours
        .map(|one| {
            let peers = one["status"]["peers"].as_array();
            let peers = peers.into_iter().flatten().map(text).collect();
            (text(&one["status"]["node"]), peers)
        })
        .collect();
    all.sort();
    all
}

/// Waits until the objects of a Service are these.
pub fn await_peers(lab: &Lab, service: &str, expected: &Peers<'_>) -> Vec<Value> {
    let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(node, peers)| ((*node).to_owned(), owned(peers)))
        .collect();
    let list = lab.await_list(&format!("{expected:?}"), KIND, |list| {
        told(list, service) == expected
    });
    let ours = |one: &Value| one["status"]["serviceName"] == service;
    list.into_iter().filter(ours).collect()
}

const ALL: &Peers<'static> = &[
    ("n1", &["bird4", "bird6", "frr"]),
    ("n2", &["bird4", "bird6"]),
];

/// The objects of `web` name the peers whose sessions are up, and can be found by their labels; they go
/// with the speaker's Pod. What is settled costs nothing more.
pub fn as_they_are(lab: &Lab) {
    let list = await_peers(lab, "web", ALL);
    list.iter()
        .for_each(|object| labelled_and_owned(lab, object));
    let said = |node: &str| {
        let text = format!("announcing from node \"{node}\" with protocol \"bgp\"");
        ("Normal nodeAssigned".to_owned(), node.to_owned(), text, 1)
    };
    let seen = || Ok(lab.events("web") == [said("n1"), said("n2")]);
    wait::until("Events", PATIENCE, seen)
        .unwrap_or_else(|error| panic!("{error:#}: {:?}", lab.events("web")));
    let before = lab.settled();
    thread::sleep(Duration::from_secs(4));
    let after = lab.writes();
    assert_eq!(after.len(), before.len(), "{:?}", &after[before.len()..]);
    meddled_with(lab, &list[0]);
}

fn labelled_and_owned(lab: &Lab, object: &Value) {
    let node = object["status"]["node"].as_str().unwrap();
    let labels = json!({
        "metallb.io/node": node, "metallb.io/service-name": "web",
        "metallb.io/service-namespace": "default",
    });
    let meta = &object["metadata"];
    assert_eq!(meta["labels"], labels);
    assert!(meta["name"].as_str().unwrap().starts_with("bgp-"), "{meta}");
    let pod = format!("speaker-{node}");
    let [owner] = &meta["ownerReferences"].as_array().unwrap()[..] else {
        panic!("{meta}")
    };
    assert_eq!(
        (&owner["kind"], &owner["name"]),
        (&json!("Pod"), &json!(pod))
    );
    assert_eq!(owner["uid"], lab.pod_uid(&pod));
    assert_ne!(owner["controller"], true);
}

/// The same set in another order is left alone; another set is put right, and so is one that is gone.
fn meddled_with(lab: &Lab, object: &Value) {
    let name = object["metadata"]["name"].as_str().unwrap();
    let mut turned = object["status"]["peers"].as_array().cloned().unwrap();
    turned.reverse();
    let write = |peers: Value| {
        let status = format!("{name}/status");
        lab.merge(
            KIND,
            NAMESPACE,
            &status,
            json!({ "status": { "peers": peers } }),
        );
    };
    let before = lab.settled().len();
    write(json!(turned));
    assert_eq!(lab.settled().len(), before, "the same set");
    write(json!(["forged"]));
    await_peers(lab, "web", ALL);
    lab.delete(KIND, NAMESPACE, name);
    await_peers(lab, "web", ALL);
}

/// One Service of many costs a constant number of writes.
pub fn cost_of_a_change(lab: &Lab) {
    const MANY: usize = 40;
    let name = |index: usize| format!("many{index}");
    for index in 0..MANY {
        let address = format!("198.18.0.{}", index + 1);
        lab.create_all(served(&name(index), &[&address], &["n1"]));
    }
    let whole = |list: &[Value]| {
        let complete = list.iter().filter(|one| one["status"]["peers"].is_array());
        complete.count() == 2 * (MANY + 1)
    };
    lab.await_list("an object each", KIND, whole);
    let before = lab.settled().len();
    lab.create_all(served("late", &["198.18.1.1"], &["n1"]));
    // A route of IPv4 goes to the peers that carry it.
    await_peers(
        lab,
        "late",
        &[("n1", &["bird4", "frr"]), ("n2", &["bird4"])],
    );
    let writes = lab.settled();
    // On each of two nodes: the object, its status, an Event.
    assert_eq!(writes.len() - before, 6, "{:#?}", &writes[before..]);
    lab.delete("Service", "default", "late");
    await_peers(lab, "late", &[]);
    assert_eq!(lab.settled().len() - before, 8);
    for index in 0..MANY {
        lab.delete("Service", "default", &name(index));
    }
    lab.await_list("all go", KIND, |list| list.len() == 2);
}
