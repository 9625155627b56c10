// SPDX-License-Identifier: Apache-2.0
//! Under MetalLB's own rules everything works as under ours, and nothing is asked for that they refuse.

use ferrolb_lab::{
    routers::{Kind, Neighbor, RouterConfig},
    wait,
};
use serde_json::{Value, json};

use crate::{
    common::{NODE_AS, ROUTER_AS},
    lab::{Lab, PATIENCE, Rules, SPEAKER, await_routes},
    objects::{self, bgp_ad, l2_ad, local, peer, pools, secret, served, service, slice},
    speaker::Start,
};

/// A Node's name may be longer than a label's value; a namespace and a Service's name may fill one.
fn long_names() -> (String, String) {
    (format!("n1.{}.example.com", "x".repeat(90)), "s".repeat(63))
}

#[test]
fn under_metallbs_own_rules() {
    let Some(lab) = Lab::new(1, 1, &Rules::Metallb) else {
        return;
    };
    let (router, node) = (&lab.net.routers[0], &lab.net.nodes[0]);
    let neighbor = Neighbor::new(router.v4(), node.v4(), NODE_AS).keyed("key");
    let config = RouterConfig::new(ROUTER_AS, router.id()).with(neighbor);
    let bird = Kind::Bird.start(router.namespace(), &config).unwrap();
    lab.create_all(pools());
    lab.create_all([bgp_ad("hosts", json!({})), l2_ad("lan", json!({}))]);
    lab.create(secret("router-key", "key"));
    let key = json!({ "passwordSecret": { "name": "router-key" } });
    lab.create(peer("bird", router.v4(), key));
    lab.create_all(served("far", &["203.0.113.1"], &["n1"]));
    let (long, near) = long_names();
    let near = near.as_str();
    lab.delete("Node", "", "n1");
    let mut object = objects::node(node);
    object["metadata"]["name"] = json!(long);
    lab.create(object);
    lab.create_all([
        service(near, &["192.0.2.201"], local()),
        slice(near, &[&long]),
    ]);
    let start = Start {
        node: Some(&long),
        ..Start::of("speaker-n1")
    };
    let speaker = lab.start("n1", &start).ready();
    await_routes(&*bird, node.v4(), &["203.0.113.1/32"]);
    lab.await_holder("192.0.2.201", Some("n1"));
    for (kind, service) in [("ServiceBGPStatus", "far"), ("ServiceL2Status", near)] {
        lab.await_list(
            "its object",
            kind,
            |list| matches!(list, [one] if one["status"]["serviceName"] == service),
        );
    }
    lab.await_list("its verdict", "ConfigurationState", |list: &[Value]| {
        list.iter().any(|one| one["status"]["result"] == "Valid")
    });
    let event = |service: &str| lab.events(service).len() == 1;
    wait::until("Events", PATIENCE, || Ok(event("far") && event(near))).unwrap();
    assert!(
        speaker
            .metrics()
            .unwrap()
            .contains("metallb_bgp_session_up")
    );
    lab.delete("Service", "default", near);
    lab.await_holder("192.0.2.201", None);
    lab.await_list("its object goes", "ServiceL2Status", <[Value]>::is_empty);
    let requests = lab.cluster.requests_of(SPEAKER).unwrap();
    let refused: Vec<_> = requests.iter().filter(|one| one.code == 403).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
