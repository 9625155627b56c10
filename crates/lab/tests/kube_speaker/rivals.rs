// SPDX-License-Identifier: Apache-2.0
//! Two peers of one router and two advertisements that contradict each other: what a label of one node makes
//! of them is that node's affair.

use ferrolb_lab::{
    routers::{Kind, Neighbor, Router, RouterConfig},
    topology::Host,
};
use serde_json::{Value, json};

use crate::{
    common::{NODE_AS, ROUTER_AS},
    lab::{Lab, Rules, await_routes},
    objects::{bgp_ad, peer, pools, served},
    speaker::Speaker,
};

const WEB: &str = "203.0.113.1";
const ROUTE: &[&str] = &["203.0.113.1/32"];

#[test]
fn a_label_of_one_node_ends_no_session_of_another() {
    let Some(lab) = Lab::new(2, 1, &Rules::Ours) else {
        return;
    };
    let bird = bird(&lab.net.routers[0], &lab.net.nodes);
    objects(&lab);
    let (first, second) = (lab.speak("n1"), lab.speak("n2"));
    for (node, speaker) in lab.net.nodes.iter().zip([&first, &second]) {
        await_peer(speaker, "young", 2);
        await_routes(&*bird, node.v4(), ROUTE);
    }

    lab.label("n1", json!({ "rack": "a" }));
    await_peer(&first, "old", 1);
    let faults = ["FLB-A008", "FLB-B060"];
    let status = second.await_status("it knows of the conflicts", |status| {
        faults
            .iter()
            .all(|code| tells(status, code, "on nodes of both"))
    });
    assert_session(&status, "young", 2);
    await_routes(&*bird, lab.net.nodes[0].v4(), ROUTE);
    await_routes(&*bird, lab.net.nodes[1].v4(), ROUTE);

    lab.label("n1", json!({ "rack": null }));
    await_peer(&first, "young", 2);
    let status = second.await_status("the conflicts are over", |status| {
        !faults.iter().any(|code| tells(status, code, ""))
    });
    assert_session(&status, "young", 2);
}

fn bird(router: &Host, nodes: &[Host]) -> Box<dyn Router> {
    let config = RouterConfig::new(ROUTER_AS, router.id());
    let config = nodes.iter().fold(config, |config, node| {
        config.with(Neighbor::new(router.v4(), node.v4(), NODE_AS))
    });
    Kind::Bird.start(router.namespace(), &config).unwrap()
}

/// An older peer and advertisement for nodes of `rack: a`, which there are none of, and younger ones for those
/// of `zone: edge`. Created within a second they are of one age, and then the name decides likewise.
fn objects(lab: &Lab) {
    let on = |label: &str, value: &str, more: Value| {
        let mut spec = json!({ "nodeSelectors": [{ "matchLabels": { label: value } }] });
        for (name, value) in more.as_object().into_iter().flatten() {
            spec[name] = value.clone();
        }
        spec
    };
    for node in &lab.net.nodes {
        lab.label(node.name(), json!({ "zone": "edge" }));
    }
    lab.create_all(pools());
    let router = lab.net.routers[0].v4();
    lab.create_all([
        peer("old", router, on("rack", "a", json!({}))),
        peer("young", router, on("zone", "edge", json!({}))),
        bgp_ad("first", on("rack", "a", json!({ "localPref": 1 }))),
        bgp_ad("second", on("zone", "edge", json!({ "localPref": 2 }))),
    ]);
    lab.create_all(served("web", &[WEB], &["n1"]));
}

/// Waits until a speaker tells its route to this peer alone.
fn await_peer(speaker: &Speaker, peer: &str, local_pref: u32) {
    let what = format!("{peer} on {}", speaker.node());
    speaker.await_status(&what, |status| told(status) == [(peer, Some(local_pref))]);
}

/// The peers with a session, each with the LOCAL_PREF of the only route.
fn told(status: &Value) -> Vec<(&str, Option<u32>)> {
    let list = |name: &str| status[name].as_array().into_iter().flatten();
    let up = list("sessions").filter(|session| session["state"] == "Established");
    let local_pref = |peer: &Value| {
        let route = list("routes").find(|route| route["peer"] == *peer)?;
        u32::try_from(route["localPref"].as_u64()?).ok()
    };
    up.map(|session| {
        (
            session["peer"].as_str().unwrap(),
            local_pref(&session["peer"]),
        )
    })
    .collect()
}

/// The only session is this one, and it is the first of its peer.
fn assert_session(status: &Value, peer: &str, local_pref: u32) {
    assert_eq!(told(status), [(peer, Some(local_pref))], "{status:#}");
    let session = &status["sessions"][0];
    let opened = (&session["sent"]["open"], &session["flaps"]);
    assert_eq!(opened, (&json!(1), &json!(0)), "{session:#}");
}

/// Whether a fault of this code is told, and where.
fn tells(status: &Value, code: &str, place: &str) -> bool {
    let mut faults = status["faults"].as_array().into_iter().flatten();
    faults.any(|fault| fault["code"] == code && fault["cause"].to_string().contains(place))
}
