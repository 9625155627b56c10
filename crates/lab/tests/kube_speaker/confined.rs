// SPDX-License-Identifier: Apache-2.0
//! A speaker with no more than the security context of its DaemonSet leaves it: root without any
//! capability but NET_RAW, and a root folder that cannot be written.

use ferrolb_lab::{
    confine::Confines,
    routers::{Kind, Neighbor, RouterConfig},
};
use serde_json::json;

use crate::{
    common::{NODE_AS, ROUTER_AS},
    lab::{Lab, Rules, await_routes},
    objects::{bgp_ad, l2_ad, peer, pools, secret, served},
    speaker::Start,
};

/// As in `deploy/base/speaker.yaml`, which is compared below.
const POD: Confines = Confines {
    user: 0,
    capabilities: "-all,+net_raw",
};
const NET_RAW: u64 = 1 << 13;
const MANIFEST: &str = include_str!("../../../../deploy/base/speaker.yaml");

#[test]
fn it_answers_and_keeps_its_sessions() {
    let Some(lab) = Lab::new(1, 1, &Rules::Ours) else {
        return;
    };
    the_manifest_has_these();
    let (router, node) = (&lab.net.routers[0], &lab.net.nodes[0]);
    let config = RouterConfig::new(ROUTER_AS, router.id())
        .with(Neighbor::new(router.v4(), node.v4(), NODE_AS).keyed("one"))
        .with(Neighbor::new(router.v6(), node.v6(), NODE_AS));
    let bird = Kind::Bird.start(router.namespace(), &config).unwrap();
    lab.create_all(pools());
    lab.create(l2_ad("lan", json!({})));
    lab.create(bgp_ad("hosts", json!({})));
    lab.create(secret("router-key", "one"));
    let key = json!({ "passwordSecret": { "name": "router-key" } });
    lab.create_all([
        peer("keyed", router.v4(), key),
        peer("open", router.v6(), json!({})),
    ]);
    lab.create_all(served("web", &["203.0.113.1", "2001:db8:3::1"], &["n1"]));
    lab.create_all(served("near", &["192.0.2.201", "2001:db8:1::201"], &["n1"]));
    let start = Start {
        confines: Some(POD),
        ..Start::of("speaker-n1")
    };
    let speaker = lab.start("n1", &start).ready();
    assert!(POD.hold(&speaker.process, NET_RAW).unwrap());
    lab.await_holder("192.0.2.201", Some("n1"));
    lab.await_holder("2001:db8:1::201", Some("n1"));
    await_routes(&*bird, node.v4(), &["203.0.113.1/32"]);
    await_routes(&*bird, node.v6(), &["2001:db8:3::1/128"]);
    let log = speaker.end();
    for word in ["denied", "not permitted", "Read-only"] {
        assert!(!log.contains(word), "{log}");
    }
}

fn the_manifest_has_these() {
    for words in [
        "runAsUser: 0\n",
        "readOnlyRootFilesystem: true\n",
        "drop:\n            - ALL\n",
        "            - NET_RAW\n        volumeMounts:",
    ] {
        assert!(MANIFEST.contains(words), "{words}");
    }
}
