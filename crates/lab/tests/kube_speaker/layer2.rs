// SPDX-License-Identifier: Apache-2.0
//! Layer 2: who answers a client, as objects change and speakers die, and what is told of it.

use std::time::Duration;

use ferrolb_lab::wait;
use serde_json::{Value, json};

use crate::{
    lab::{Lab, PATIENCE, Rules},
    objects::{EXCLUDE, endpoints, l2_ad, local, pools, served, service, slice},
    speaker::{self, Speaker, Start},
};

const WEB: [&str; 2] = ["192.0.2.201", "2001:db8:1::201"];
const NODES: [&str; 3] = ["n1", "n2", "n3"];

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
    let list = lab.await_list(
        &format!("{service} by {node}"),
        "ServiceL2Status",
        |list| matches!(&told(list, service)[..], [(only, _)] if only == node),
    );
    let found = list
        .into_iter()
        .find(|one| one["status"]["serviceName"] == service);
    found.unwrap()
}

fn assigned(node: &str) -> (String, String, String, u64) {
    let text = format!("announcing from node \"{node}\" with protocol \"layer2\"");
    ("Normal nodeAssigned".to_owned(), node.to_owned(), text, 1)
}

fn speakers<'l>(lab: &'l Lab, flags: &[&str]) -> Vec<Speaker<'l>> {
    let start = |node: &&str| {
        let pod = format!("speaker-{node}");
        lab.start(
            node,
            &Start {
                flags,
                ..Start::of(&pod)
            },
        )
    };
    let started: Vec<_> = NODES.iter().map(start).collect();
    started.into_iter().map(Speaker::ready).collect()
}

#[test]
fn one_node_answers_and_the_right_one() {
    let Some(lab) = Lab::new(3, 0, &Rules::Ours) else {
        return;
    };
    lab.create_all(pools());
    lab.create(l2_ad("lan", json!({})));
    lab.create_all(served("web", &WEB, &["n1"]));
    let all = speakers(&lab, &[]);

    let first = lab.await_some_holder(WEB[0]);
    lab.await_holder(WEB[1], Some(&first));
    let object = await_told(&lab, "web", &first);
    told_as_it_is(&lab, &object, &first);
    wait::until("its Event", PATIENCE, || {
        Ok(lab.events("web") == [assigned(&first)])
    })
    .unwrap_or_else(|error| panic!("{error:#}: {:?}", lab.events("web")));

    // Local: only where an endpoint is; none: nobody.
    lab.merge("Service", "default", "web", local());
    for node in ["n2", "n3"] {
        lab.merge(
            "EndpointSlice",
            "default",
            "web-1",
            json!({ "endpoints": endpoints(&[node], true) }),
        );
        lab.await_holder(WEB[0], Some(node));
        lab.await_holder(WEB[1], Some(node));
        await_told(&lab, "web", node);
    }
    lab.merge(
        "EndpointSlice",
        "default",
        "web-1",
        json!({ "endpoints": endpoints(&["n3"], false) }),
    );
    lab.await_holder(WEB[0], None);
    lab.await_list("nobody", "ServiceL2Status", <[Value]>::is_empty);
    lab.merge(
        "EndpointSlice",
        "default",
        "web-1",
        json!({ "endpoints": endpoints(&["n1"], true) }),
    );
    lab.merge(
        "Service",
        "default",
        "web",
        json!({ "spec": { "externalTrafficPolicy": "Cluster" } }),
    );
    lab.await_holder(WEB[0], Some(&first));

    // What takes a node out.
    lab.label(&first, json!({ (EXCLUDE): "" }));
    wait::until("it moves", PATIENCE, || {
        Ok(lab.holder(WEB[0]).is_some_and(|node| node != first))
    })
    .unwrap();
    lab.label(&first, json!({ (EXCLUDE): null }));
    lab.await_holder(WEB[0], Some(&first));
    lab.set_network(&first, "True");
    wait::until("it moves", PATIENCE, || {
        Ok(lab.holder(WEB[0]).is_some_and(|node| node != first))
    })
    .unwrap();
    lab.set_network(&first, "False");
    lab.await_holder(WEB[0], Some(&first));
    await_told(&lab, "web", &first);

    interfaces(&lab, &first);
    doubled(&lab, &all);
    let all = death(&lab, all, &first);

    // The label counts for nothing where it is to be ignored.
    all.into_iter().for_each(|speaker| drop(speaker.end()));
    lab.label(&first, json!({ (EXCLUDE): "" }));
    let _all = speakers(&lab, &["--ignore-exclude-lb"]);
    lab.await_holder(WEB[0], Some(&first));
    await_told(&lab, "web", &first);
}

/// An object says who answers, with labels to find it by, and goes with the speaker's Pod.
fn told_as_it_is(lab: &Lab, object: &Value, node: &str) {
    let meta = &object["metadata"];
    let labels = json!({
        "metallb.io/node": node, "metallb.io/service-name": "web",
        "metallb.io/service-namespace": "default",
    });
    assert_eq!(meta["labels"], labels);
    assert!(meta["name"].as_str().unwrap().starts_with("l2-"), "{meta}");
    let pod = format!("speaker-{node}");
    let owner = &meta["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["uid"]),
        (&json!("Pod"), &lab.pod_uid(&pod))
    );
    let status = json!({ "node": node, "serviceName": "web", "serviceNamespace": "default" });
    let mut said = object["status"].clone();
    let interfaces = said.as_object_mut().unwrap().remove("interfaces");
    assert!(interfaces.is_none_or(|list| list == json!([])), "{object}");
    assert_eq!(said, status);
}

/// An advertisement that names interfaces: one that is there is told, one that is nowhere is told too.
fn interfaces(lab: &Lab, first: &str) {
    lab.change("L2Advertisement", "lan", json!({ "interfaces": ["eth0"] }));
    lab.await_list("the interface", "ServiceL2Status", |list| {
        told(list, "web") == [(first.to_owned(), json!([{ "name": "eth0" }]))]
    });
    lab.change(
        "L2Advertisement",
        "lan",
        json!({ "interfaces": ["none0", "none1"] }),
    );
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
    let (_, node, message, count) = failed().remove(0);
    assert_eq!((node.as_str(), count), (first, 1));
    for word in [WEB[0], WEB[1], first, "layer2"] {
        assert!(message.contains(word), "{message}");
    }
    lab.change("L2Advertisement", "lan", json!({ "interfaces": null }));
    lab.await_holder(WEB[0], Some(first));
}

/// Two Services with one address: the older is announced, alone, and the younger says why not.
fn doubled(lab: &Lab, all: &[Speaker<'_>]) {
    // The API server's stamps have seconds.
    std::thread::sleep(Duration::from_millis(1100));
    lab.create_all([
        service("thief", &[WEB[0]], json!({})),
        slice("thief", &["n1"]),
    ]);
    for one in all {
        let status = one.await_status("the reason", |status| {
            let line = speaker::service(status, "thief");
            line["layer2"]
                .as_str()
                .is_some_and(|said| said.contains("FLB-N006"))
        });
        let line = speaker::service(&status, "web");
        let said = line["layer2"].as_str().unwrap();
        assert!(
            said.starts_with("yes") || said.contains("FLB-N019"),
            "{line}"
        );
    }
    lab.settled();
    assert!(lab.events("thief").is_empty());
    assert!(told(&lab.list("ServiceL2Status", "metallb-system"), "thief").is_empty());
    lab.delete("Service", "default", "web");
    let next = lab.await_some_holder(WEB[0]);
    await_told(lab, "thief", &next);
    lab.delete("Service", "default", "thief");
    lab.await_holder(WEB[0], None);
    lab.await_list("all objects go", "ServiceL2Status", <[Value]>::is_empty);
    lab.create(service("web", &WEB, json!({})));
}

/// A speaker dies without a word: another takes over, and removes what the dead one said.
fn death<'l>(lab: &'l Lab, mut all: Vec<Speaker<'l>>, first: &str) -> Vec<Speaker<'l>> {
    await_told(lab, "web", first);
    let at = NODES.iter().position(|node| *node == first).unwrap();
    all.remove(at).kill();
    let seen = || Ok(lab.holder(WEB[0]).filter(|node| node != first));
    let (next, took) = wait::arrival("another takes over", PATIENCE, seen).unwrap();
    println!("{next} took over from {first} after {took:?}");
    await_told(lab, "web", &next);
    let pod = format!("speaker-{first}");
    let back = lab.start(first, &Start::of(&pod)).ready();
    lab.await_holder(WEB[0], Some(first));
    await_told(lab, "web", first);
    all.insert(at, back);
    all
}
