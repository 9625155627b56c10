// SPDX-License-Identifier: Apache-2.0
//! One node at a time answers for an address in layer 2, through every kind of loss; a lost node
//! leaves the routers' equal paths.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    thread,
    time::Duration,
};

use common::{
    NODE_AS, ROUTER_AS, able,
    folder::{Folder, PATIENCE, advertisement, await_session, is_established, peer, service},
    network,
};
use ferrolb_lab::{
    faults,
    ferrolb::{Instance, Role},
    routers::{Kind, Neighbor, RouterConfig},
    sniff::Sniffer,
    topology::{LAN, Topology},
    wait,
};

const WEB: [&str; 2] = ["192.0.2.200", "2001:db8:1::200"];

/// An advertisement of the LAN's pool on one interface, from the nodes named or from all.
fn layer2(name: &str, interface: &str, nodes: &[&str]) -> String {
    let selectors = match nodes {
        [] => String::new(),
        _ => format!(
            ", nodeSelectors: [{{matchExpressions: [{{key: kubernetes.io/hostname, \
             operator: In, values: [{}]}}]}}]",
            nodes.join(", ")
        ),
    };
    format!(
        "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n\
         metadata: {{name: {name}, namespace: metallb-system}}\n\
         spec: {{ipAddressPools: [lan], interfaces: [{interface}]{selectors}}}\n---\n"
    )
}

/// The nodes that answer one question of the client for an address.
fn answering(net: &Topology, address: IpAddr) -> BTreeSet<String> {
    let sniffer = Sniffer::start(net.client.end(LAN)).unwrap();
    // It says who answers by failing; the sniffer hears all of them.
    let _ = net.assert_silent(&[address]);
    thread::sleep(Duration::from_millis(200));
    let macs = sniffer.claimants(address);
    let is_claimant = |mac: &String| macs.contains(mac);
    let nodes = net
        .nodes
        .iter()
        .filter(|node| node.mac().is_ok_and(|mac| is_claimant(&mac)));
    nodes.map(|node| node.name().to_owned()).collect()
}

/// Waits until one node alone answers for an address and the condition on its name holds.
fn owner(net: &Topology, address: IpAddr, what: &str, holds: impl Fn(&str) -> bool) -> String {
    let seen = wait::arrival(what, PATIENCE, || {
        let nodes = answering(net, address);
        let only = nodes.first().filter(|_| nodes.len() == 1);
        Ok(only.filter(|name| holds(name)).cloned())
    });
    let (name, _) = seen.unwrap();
    name
}

fn addresses() -> [IpAddr; 2] {
    WEB.map(|text| text.parse().unwrap())
}

#[test]
fn layer_2_owners_die_leave_and_return() {
    if !able(&["arping", "ping", "tcpdump"]) {
        return;
    }
    let net = network(3, 0);
    net.assert_silent(&addresses()).unwrap();
    let folder = Folder::new(&net);
    folder.write("lan", &layer2("lan", "eth0", &[]));
    folder.write("web", &service("web", &WEB.join(",")));
    let _controller = folder.start(&net.client, Role::Controller);
    let mut speakers: BTreeMap<String, Instance> = net
        .nodes
        .iter()
        .map(|node| (node.name().to_owned(), folder.start(node, Role::Speaker)))
        .collect();

    for (number, address) in addresses().into_iter().enumerate() {
        thread::sleep(Duration::from_secs(2));
        let first = owner(&net, address, "one owner", |_| true);
        let lost = speakers.remove(&first).unwrap();
        // A kill over IPv4, a farewell over IPv6: both families go through the same owner's end.
        if number == 0 {
            faults::kill(&lost.process).unwrap();
        } else {
            assert!(lost.process.terminate(PATIENCE).unwrap().success());
        }
        let heir = owner(&net, address, "an heir answers alone", |name| name != first);
        assert!(speakers.contains_key(&heir));
        drop(lost);
        let back = folder.start(net.node(&first).unwrap(), Role::Speaker);
        speakers.insert(first.clone(), back);
        owner(&net, address, "the first owner takes back", |name| {
            name == first
        });
    }
    for speaker in speakers.values() {
        assert!(speaker.process.ended().unwrap().is_none());
    }
}

#[test]
fn an_advertisement_bound_to_an_interface_falls_over_with_it() {
    if !able(&["arping", "ping", "tcpdump"]) {
        return;
    }
    let net = network(2, 0);
    let folder = Folder::new(&net);
    folder.write("lan", &layer2("lan", "eth0", &["n1"]));
    folder.write("web", &service("web", &WEB.join(",")));
    let _controller = folder.start(&net.client, Role::Controller);
    let _speakers = [0, 1].map(|node| folder.start(&net.nodes[node], Role::Speaker));
    for address in addresses() {
        owner(&net, address, "the selected node answers", |name| {
            name == "n1"
        });
    }
    folder.write("lan", &layer2("lan", "eth0", &["n2"]));
    for address in addresses() {
        owner(&net, address, "the newly selected node answers", |name| {
            name == "n2"
        });
    }
    folder.write("lan", &layer2("lan", "eth9", &[]));
    for address in addresses() {
        wait::until("no node has the interface", PATIENCE, || {
            Ok(net.assert_silent(&[address]).is_ok())
        })
        .unwrap();
    }
    folder.write("lan", &layer2("lan", "eth0", &[]));
    let all = owner(&net, addresses()[0], "one of both answers", |_| true);
    let port = net.port(net.node(&all).unwrap());
    faults::unplug(port).unwrap();
    owner(&net, addresses()[0], "the other answers", |name| {
        name != all
    });
}

#[test]
fn a_lost_node_leaves_the_equal_paths() {
    if !able(&[]) {
        return;
    }
    let net = network(3, 1);
    let router = &net.routers[0];
    let sessions = net.nodes.iter().flat_map(|node| {
        [(router.v4(), node.v4()), (router.v6(), node.v6())]
            .map(|(own, node)| Neighbor::new(own, node, NODE_AS))
    });
    let config = sessions.fold(
        RouterConfig::new(ROUTER_AS, router.id()),
        RouterConfig::with,
    );
    let _bird = Kind::Bird.start(router.namespace(), &config).unwrap();
    let folder = Folder::new(&net);
    let nodes = ["n1", "n2", "n3"];
    let to =
        |name, address: IpAddr| peer(name, NODE_AS, ROUTER_AS, &address.to_string(), &nodes, &[]);
    folder.write("peers", &(to("v4", router.v4()) + &to("v6", router.v6())));
    folder.write("hosts", &advertisement("hosts", &[]));
    folder.write("web", &service("web", "203.0.113.1,2001:db8:3::1"));
    let _controller = folder.start(&net.client, Role::Controller);
    let mut speakers: Vec<_> = net
        .nodes
        .iter()
        .map(|node| folder.start(node, Role::Speaker))
        .collect();
    for speaker in &speakers {
        await_session(speaker, "v4", is_established);
        await_session(speaker, "v6", is_established);
    }
    let spread = |count: usize, what: &str| {
        let by_v4: Vec<IpAddr> = net.nodes[..count].iter().map(|node| node.v4()).collect();
        let by_v6: Vec<IpAddr> = net.nodes[..count].iter().map(|node| node.v6()).collect();
        for (address, expected) in [("203.0.113.1", by_v4), ("2001:db8:3::1", by_v6)] {
            wait::until(what, PATIENCE, || {
                Ok(router.next_hops(address.parse()?)? == expected)
            })
            .unwrap();
        }
    };
    spread(3, "all nodes are used");
    faults::kill(&speakers.pop().unwrap().process).unwrap();
    spread(2, "the killed node is out");
    assert!(
        speakers
            .pop()
            .unwrap()
            .process
            .terminate(PATIENCE)
            .unwrap()
            .success()
    );
    spread(1, "the node that said goodbye is out");
}
