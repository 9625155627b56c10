// SPDX-License-Identifier: Apache-2.0
//! The configuration: late, broken, mended, with passwords that come and change, and refused where BGP is
//! somebody else's.

use ferrolb_lab::{
    cluster::Call,
    routers::{Kind, Neighbor, Router, RouterConfig},
    topology::Host,
    wait,
};
use serde_json::{Value, json};

use crate::{
    common::{NODE_AS, ROUTER_AS},
    lab::{Lab, PATIENCE, Rules, await_routes},
    objects::{NAMESPACE, bgp_ad, community, l2_ad, path, peer, pools, secret, served},
    speaker::{Speaker, Start},
};

const STATE: &str = "speaker-n1";

/// BIRD with a key on its IPv4 session and none on the other.
fn bird(router: &Host, node: &Host, key: &str) -> Box<dyn Router> {
    let config = RouterConfig::new(ROUTER_AS, router.id())
        .with(Neighbor::new(router.v4(), node.v4(), NODE_AS).keyed(key))
        .with(Neighbor::new(router.v6(), node.v6(), NODE_AS));
    Kind::Bird.start(router.namespace(), &config).unwrap()
}

fn state(lab: &Lab) -> Option<Value> {
    let call = Call::get(&path("ConfigurationState", NAMESPACE, STATE));
    let answer = lab.cluster.admin().call(&call).unwrap();
    (answer.code == 200).then_some(answer.body)
}

/// Waits for a result; gives the summary of errors.
fn await_result(lab: &Lab, result: &str, holds: impl Fn(&str) -> bool) -> String {
    let mut last = None;
    let seen = wait::arrival(&format!("ConfigurationState {result}"), PATIENCE, || {
        last = state(lab);
        let status = last
            .as_ref()
            .map(|state| state["status"].clone())
            .unwrap_or_default();
        let errors = status["errorSummary"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok((status["result"] == result && holds(&errors)).then_some(errors))
    });
    seen.unwrap_or_else(|error| panic!("{error:#}\n{last:#?}"))
        .0
}

fn condition(lab: &Lab) -> (Value, Value, Value) {
    let one = &state(lab).unwrap()["status"]["conditions"][0];
    (
        one["type"].clone(),
        one["status"].clone(),
        one["reason"].clone(),
    )
}

#[test]
fn late_broken_keyed_and_refused() {
    let Some(lab) = Lab::new(1, 1, &Rules::Ours) else {
        return;
    };
    let (router, node) = (&lab.net.routers[0], &lab.net.nodes[0]);
    let first = bird(router, node, "one");
    lab.create_all(served("web", &["203.0.113.1", "2001:db8:3::1"], &["n1"]));
    lab.create_all(served("near", &["192.0.2.201"], &["n1"]));
    let speaker = lab.speak("n1");
    await_result(&lab, "Valid", str::is_empty);
    assert_eq!(
        condition(&lab),
        (
            json!("configReconcilerValid"),
            json!("True"),
            json!("Reconciled")
        )
    );
    let object = state(&lab).unwrap();
    let meta = &object["metadata"];
    let labels = json!({ "metallb.io/component-type": "speaker", "metallb.io/node-name": "n1" });
    assert_eq!(meta["labels"], labels);
    assert_eq!(meta["ownerReferences"][0]["uid"], lab.pod_uid("speaker-n1"));
    assert_eq!(lab.holder("192.0.2.201"), None);

    late(&lab, &*first);
    broken(&lab, &speaker);
    key_changes(&lab, first);
    recreated(&lab);
    speaker.end();
    frr_k8s(&lab);
}

/// Everything comes after the speaker; the Secret last of all.
fn late(lab: &Lab, bird: &dyn Router) {
    let (router, node) = (&lab.net.routers[0], &lab.net.nodes[0]);
    lab.create_all(pools());
    lab.create(l2_ad("lan", json!({})));
    lab.create(bgp_ad("hosts", json!({})));
    let key = json!({ "passwordSecret": { "name": "router-key" } });
    lab.create_all([
        peer("keyed", router.v4(), key),
        peer("open", router.v6(), json!({})),
    ]);
    lab.await_holder("192.0.2.201", Some("n1"));
    await_routes(bird, node.v6(), &["2001:db8:3::1/128"]);
    await_result(lab, "Invalid", |errors| errors.contains("keyed"));
    assert_eq!(
        condition(lab),
        (
            json!("configReconcilerValid"),
            json!("False"),
            json!("ConfigurationError")
        )
    );
    lab.create(secret("router-key", "one"));
    await_routes(bird, node.v4(), &["203.0.113.1/32"]);
    await_result(lab, "Valid", str::is_empty);
}

/// Every refused object is named, and what is good goes on.
fn broken(lab: &Lab, speaker: &Speaker) {
    let pool = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
        "metadata": { "name": "broken", "namespace": NAMESPACE },
        "spec": { "addresses": ["192.0.2.300/24"] },
    });
    lab.create(pool);
    lab.change(
        "BGPAdvertisement",
        "hosts",
        json!({ "communities": ["nonsense"] }),
    );
    let errors = await_result(lab, "Invalid", |errors| {
        errors.contains("broken") && errors.contains("hosts")
    });
    assert!(errors.contains("FLB-"), "{errors}");
    lab.await_holder("192.0.2.201", Some("n1"));
    let stale = |value: u8| {
        let line = format!("metallb_k8s_client_config_stale_bool {value}");
        let shown = || Ok(speaker.metrics()?.lines().any(|one| one == line));
        wait::until(&line, PATIENCE, shown).unwrap();
    };
    stale(1);
    lab.delete("IPAddressPool", NAMESPACE, "broken");
    await_result(lab, "Invalid", |errors| !errors.contains("broken"));
    // What was an unknown alias comes to be one.
    lab.create(community("nonsense", "64500:1"));
    await_result(lab, "Valid", str::is_empty);
    stale(0);
}

/// The Secret changes: the session with the old key ends, and comes back with the new one.
fn key_changes(lab: &Lab, first: Box<dyn Router>) {
    let (router, node) = (&lab.net.routers[0], &lab.net.nodes[0]);
    lab.merge(
        "Secret",
        NAMESPACE,
        "router-key",
        json!({ "stringData": { "password": "two" } }),
    );
    let down = &mut |view: &ferrolb_lab::routers::RouterView| {
        !view.is_up(node.v4()) && view.is_up(node.v6())
    };
    first
        .wait_for("the old key is out of use", PATIENCE, down)
        .unwrap();
    drop(first);
    let second = bird(router, node, "two");
    await_routes(&*second, node.v4(), &["203.0.113.1/32"]);
    await_routes(&*second, node.v6(), &["2001:db8:3::1/128"]);
}

fn recreated(lab: &Lab) {
    let uid = |state: Option<Value>| Some(state?["metadata"]["uid"].as_str()?.to_owned());
    let old = uid(state(lab));
    lab.delete("ConfigurationState", NAMESPACE, STATE);
    let back = || Ok(uid(state(lab)).is_some_and(|now| Some(&now) != old.as_ref()));
    wait::until("it is there again", PATIENCE, back).unwrap();
    await_result(lab, "Valid", str::is_empty);
}

/// BGP belongs to FRR-K8s: it is refused, in every place where people look, and layer 2 works.
fn frr_k8s(lab: &Lab) {
    let (router, node) = (&lab.net.routers[0], &lab.net.nodes[0]);
    let bird = bird(router, node, "two");
    let environment = [("METALLB_BGP_TYPE", "frr-k8s")];
    let start = Start {
        environment: &environment,
        ..Start::of("speaker-n1")
    };
    let speaker = lab.start("n1", &start).ready();
    lab.await_holder("192.0.2.201", Some("n1"));
    let objects = [
        "BGPPeer metallb-system/keyed",
        "BGPPeer metallb-system/open",
        "BGPAdvertisement metallb-system/hosts",
    ];
    await_result(lab, "Invalid", |errors| {
        errors.contains("FLB-X011") && objects.iter().all(|object| errors.contains(object))
    });
    let status = speaker.status().unwrap();
    let faults = status["faults"].as_array().unwrap();
    let codes: Vec<&Value> = faults.iter().map(|fault| &fault["code"]).collect();
    assert_eq!(
        codes.iter().filter(|code| **code == "FLB-X011").count(),
        objects.len(),
        "{codes:?}"
    );
    assert_eq!(
        status["sessions"]
            .as_array()
            .map(Vec::len)
            .unwrap_or_default(),
        0
    );
    let web = crate::speaker::service(&status, "web");
    assert!(web["bgp"].as_str().unwrap().starts_with("no"), "{web}");
    let view = bird.view().unwrap();
    assert!(!view.is_up(node.v4()) && !view.is_up(node.v6()), "{view}");
    lab.await_list("no object of BGP", "ServiceBGPStatus", <[Value]>::is_empty);
    let log = speaker.end();
    assert!(log.contains("FLB-X011"), "{log}");
    assert!(!log.contains("\"two\""), "a password in the log");
}
