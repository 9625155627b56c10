// SPDX-License-Identifier: Apache-2.0
//! Routes: every object they depend on is changed through the API, and the routers tell what came of it.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use ferrolb_lab::{
    routers::{Kind, Neighbor, Route, Router, RouterConfig, RouterView},
    topology::Host,
    wait,
};
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::{
    common::{NODE_AS, ROUTER_AS, id},
    lab::{Lab, PATIENCE, Rules, await_routes},
    objects::{EXCLUDE, bgp_ad, community, local, peer, pools, served, service, slice},
    seen,
    speaker::Start,
};

const WEB: [&str; 2] = ["203.0.113.1", "2001:db8:3::1"];

/// A route of one address.
fn host_route(address: &str) -> IpNet {
    IpNet::from(address.parse::<IpAddr>().unwrap())
}

fn path(view: &RouterView, address: &str, peer: IpAddr) -> Route {
    view.path(host_route(address), peer).cloned().unwrap()
}

/// BIRD of another AS, with a session of each family to both nodes.
fn bird(router: &Host, nodes: &[Host]) -> Box<dyn Router> {
    let mut config = RouterConfig::new(ROUTER_AS, id(router));
    for node in nodes {
        config = config
            .with(Neighbor::new(router.v4(), node.v4(), NODE_AS))
            .with(Neighbor::new(router.v6(), node.v6(), NODE_AS));
    }
    Kind::Bird.start(router.namespace(), &config).unwrap()
}

/// FRR of the same AS, which shows LOCAL_PREF.
fn frr(router: &Host, node: &Host) -> Box<dyn Router> {
    let config =
        RouterConfig::new(NODE_AS, id(router)).with(Neighbor::new(router.v4(), node.v4(), NODE_AS));
    Kind::Frr.start(router.namespace(), &config).unwrap()
}

fn rack(name: &str) -> Value {
    json!({ "nodeSelectors": [{ "matchLabels": { "rack": name } }] })
}

/// The peers that the status objects of a Service name, by node.
fn told_peers(list: &[Value], service: &str) -> Vec<(String, Vec<String>)> {
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

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn routes_follow_every_object() {
    let Some(lab) = Lab::new(2, 2, &Rules::Ours) else {
        return;
    };
    if !ferrolb_lab::require::able(Kind::Frr.programs()).unwrap() {
        return;
    }
    let [r1, r2] = &lab.net.routers[..] else {
        panic!()
    };
    let [n1, n2] = &lab.net.nodes[..] else {
        panic!()
    };
    let (bird, frr) = (bird(r1, &lab.net.nodes), frr(r2, n1));
    lab.label("n1", json!({ "rack": "a" }));
    lab.label("n2", json!({ "rack": "b" }));
    lab.create_all(pools());
    lab.create(community("blue", "64500:7"));
    lab.create_all([
        peer("bird4", r1.v4(), json!({})),
        peer("bird6", r1.v6(), json!({})),
        peer(
            "frr",
            r2.v4(),
            json!({ "peerASN": NODE_AS, "nodeSelectors": rack("a")["nodeSelectors"] }),
        ),
    ]);
    lab.create(bgp_ad(
        "hosts",
        json!({ "localPref": 150, "communities": ["blue", "large:64500:1:2"] }),
    ));
    lab.create_all(served("web", &WEB, &["n1"]));
    let one = lab.speak("n1");
    let flags = ["--ignore-exclude-lb"];
    let two = lab
        .start(
            "n2",
            &Start {
                flags: &flags,
                ..Start::of("speaker-n2")
            },
        )
        .ready();

    // Each family over its own session, with what the advertisement adds.
    for node in [n1, n2] {
        await_routes(&*bird, node.v4(), &["203.0.113.1/32"]);
        await_routes(&*bird, node.v6(), &["2001:db8:3::1/128"]);
    }
    await_routes(&*frr, n1.v4(), &["203.0.113.1/32"]);
    let route = path(&bird.view().unwrap(), WEB[0], n1.v4());
    let communities: Vec<String> = route.communities.iter().map(ToString::to_string).collect();
    assert_eq!(
        (communities, route.next_hops),
        (names(&["64500:7"]), vec![n1.v4()])
    );
    assert_eq!(route.large_communities.len(), 1);
    let route = path(&frr.view().unwrap(), WEB[0], n1.v4());
    assert_eq!(route.local_pref, Some(150));

    statuses_and_events(&lab);

    // Attributes change in place.
    let before = seen::told(&*bird);
    lab.change(
        "BGPAdvertisement",
        "hosts",
        json!({ "localPref": 250, "communities": ["64500:8"] }),
    );
    let changed = &mut |view: &RouterView| {
        view.path(host_route(WEB[0]), n1.v4())
            .is_some_and(|route| route.local_pref == Some(250))
    };
    frr.wait_for("the new LOCAL_PREF", PATIENCE, changed)
        .unwrap();
    let after = seen::told(&*bird);
    assert_eq!(
        (before.sessions, before.withdrawals),
        (after.sessions, after.withdrawals)
    );

    // Traffic policy, and where endpoints are.
    lab.merge("Service", "default", "web", local());
    await_routes(&*bird, n2.v4(), &[]);
    await_routes(&*bird, n1.v4(), &["203.0.113.1/32"]);
    lab.merge(
        "EndpointSlice",
        "default",
        "web-1",
        json!({ "endpoints": crate::objects::endpoints(&["n2"], true) }),
    );
    await_routes(&*bird, n1.v6(), &[]);
    await_routes(&*bird, n2.v6(), &["2001:db8:3::1/128"]);
    lab.merge(
        "Service",
        "default",
        "web",
        json!({ "spec": { "externalTrafficPolicy": "Cluster" } }),
    );
    await_routes(&*bird, n1.v4(), &["203.0.113.1/32"]);

    // Another address: the old route goes.
    lab.assign("web", &["203.0.113.9"]);
    await_routes(&*bird, n1.v4(), &["203.0.113.9/32"]);
    await_routes(&*bird, n1.v6(), &[]);
    lab.assign("web", &WEB);
    await_routes(&*bird, n1.v4(), &["203.0.113.1/32"]);

    // Nodes that an advertisement selects, and peers that a node selects.
    lab.change("BGPAdvertisement", "hosts", rack("b"));
    await_routes(&*bird, n1.v4(), &[]);
    await_routes(&*bird, n2.v4(), &["203.0.113.1/32"]);
    lab.label("n1", json!({ "rack": "b" }));
    await_routes(&*bird, n1.v4(), &["203.0.113.1/32"]);
    let no_session = &mut |view: &RouterView| !view.is_up(n1.v4());
    frr.wait_for("the session ends with the label", PATIENCE, no_session)
        .unwrap();
    lab.label("n1", json!({ "rack": "a" }));
    await_routes(&*bird, n1.v4(), &[]);
    frr.wait_for("the session is back", PATIENCE, &mut |view| {
        view.is_up(n1.v4())
    })
    .unwrap();
    lab.change(
        "BGPAdvertisement",
        "hosts",
        json!({ "nodeSelectors": null }),
    );
    await_routes(&*frr, n1.v4(), &["203.0.113.1/32"]);

    // What takes a node out: the label, unless it is to be ignored, and its network.
    lab.label("n1", json!({ (EXCLUDE): "" }));
    lab.label("n2", json!({ (EXCLUDE): "" }));
    await_routes(&*bird, n1.v4(), &[]);
    await_routes(&*bird, n2.v4(), &["203.0.113.1/32"]);
    lab.label("n1", json!({ (EXCLUDE): null }));
    await_routes(&*bird, n1.v4(), &["203.0.113.1/32"]);
    lab.set_network("n2", "True");
    await_routes(&*bird, n2.v4(), &[]);
    lab.set_network("n2", "False");
    await_routes(&*bird, n2.v4(), &["203.0.113.1/32"]);

    // A peer that goes down leaves the objects once it is down for good.
    drop(frr);
    let without = [
        ("n1".to_owned(), names(&["bird4", "bird6"])),
        ("n2".to_owned(), names(&["bird4", "bird6"])),
    ];
    lab.await_list("the peer leaves", "ServiceBGPStatus", |list| {
        told_peers(list, "web") == without
    });

    // SIGTERM says goodbye.
    one.end();
    let cease = |peer: IpAddr| {
        let view = bird.view()?;
        let session = view.session(peer).unwrap();
        let said = session.last_error.clone().unwrap_or_default();
        Ok(!view.is_up(peer) && said.contains("Received:"))
    };
    wait::until("the Cease", PATIENCE, || cease(n1.v4()))
        .unwrap_or_else(|error| panic!("{error:#}\n{}", bird.cli("show protocols all").unwrap()));
    await_routes(&*bird, n1.v4(), &[]);
    await_routes(&*bird, n2.v4(), &["203.0.113.1/32"]);
    drop(two);
}

/// One object a node and Service, that names the peers whose sessions are up; one Event a node.
fn statuses_and_events(lab: &Lab) {
    let all = [
        ("n1".to_owned(), names(&["bird4", "bird6", "frr"])),
        ("n2".to_owned(), names(&["bird4", "bird6"])),
    ];
    let list = lab.await_list("peers of all nodes", "ServiceBGPStatus", |list| {
        told_peers(list, "web") == all
    });
    for object in &list {
        let node = object["status"]["node"].as_str().unwrap();
        let labels = json!({
            "metallb.io/node": node, "metallb.io/service-name": "web",
            "metallb.io/service-namespace": "default",
        });
        let meta = &object["metadata"];
        assert_eq!(meta["labels"], labels);
        assert!(meta["name"].as_str().unwrap().starts_with("bgp-"), "{meta}");
        let pod = format!("speaker-{node}");
        let owner = &meta["ownerReferences"];
        assert_eq!(owner.as_array().map(Vec::len), Some(1), "{meta}");
        assert_eq!(
            (&owner[0]["kind"], &owner[0]["name"]),
            (&json!("Pod"), &json!(pod))
        );
        assert_eq!(owner[0]["uid"], lab.pod_uid(&pod));
        assert!(owner[0]["controller"] != true, "{owner}");
    }
    let said = |node: &str| {
        let text = format!("announcing from node \"{node}\" with protocol \"bgp\"");
        ("Normal nodeAssigned".to_owned(), node.to_owned(), text, 1)
    };
    wait::until("Events", PATIENCE, || {
        Ok(lab.events("web") == [said("n1"), said("n2")])
    })
    .unwrap_or_else(|error| panic!("{error:#}: {:?}", lab.events("web")));

    // What is settled costs nothing more.
    let before = lab.settled();
    std::thread::sleep(Duration::from_secs(4));
    let after = lab.writes();
    assert_eq!(after.len(), before.len(), "{:?}", &after[before.len()..]);
    per_change(lab);
}

/// One Service of many costs a constant number of writes.
fn per_change(lab: &Lab) {
    const MANY: u32 = 40;
    for index in 0..MANY {
        let address = format!("198.18.0.{}", index + 1);
        lab.create_all(served(&format!("many{index}"), &[&address], &["n1"]));
    }
    let nodes: BTreeSet<String> = ["n1", "n2"].map(str::to_owned).into();
    let count = |list: &[Value]| {
        list.iter()
            .filter(|one| one["status"]["peers"].is_array())
            .count()
    };
    lab.await_list("an object each", "ServiceBGPStatus", |list| {
        count(list) == (MANY as usize + 1) * nodes.len()
    });
    let before = lab.settled().len();
    lab.create_all([
        service("late", &["198.18.1.1"], json!({})),
        slice("late", &["n1"]),
    ]);
    let has = |list: &[Value]| !told_peers(list, "late").is_empty();
    lab.await_list("its objects", "ServiceBGPStatus", has);
    let all = lab.settled();
    let new = &all[before..];
    // On each of two nodes: the object, its status, an Event.
    assert_eq!(new.len(), 6, "{new:#?}");
    lab.delete("Service", "default", "late");
    let gone = |list: &[Value]| told_peers(list, "late").is_empty();
    lab.await_list("they go", "ServiceBGPStatus", gone);
    assert_eq!(lab.settled().len(), before + 8);
    for index in 0..MANY {
        lab.delete("Service", "default", &format!("many{index}"));
    }
    lab.await_list("all go", "ServiceBGPStatus", |list| {
        list.len() == nodes.len()
    });
}
