// SPDX-License-Identifier: Apache-2.0
//! The layer 2 driver in a network namespace, asked from another one by real tools and by raw frames.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
#[path = "../../../netio/tests/common/mod.rs"]
mod common;
mod node;

use std::{net::Ipv6Addr, time::Duration};

use client::{Ears, Heard, arping, client, discovers, send};
use common::{Namespace, connect, is_able};
use ferrolb::drivers::layer2::Event;
use ferrolb_l2::{
    MacAddress, Scope,
    wire::{
        arp,
        ipv6::{self, ALL_NODES, solicited_node},
        ndp,
    },
};
use ferrolb_netio::packet::Protocol;
use node::Node;

const VIP4: &str = "192.0.2.10";
const VIP6: &str = "2001:db8::10";
const CLIENT: MacAddress = MacAddress([2, 0, 0, 0, 0, 0xc]);

/// After this nothing is sent unasked: the nodes here are given short bursts and no refresh.
const BURST_OVER: Duration = Duration::from_millis(1000);

fn only(name: &str) -> Scope {
    Scope::Named([name.into()].into())
}

fn request() -> arp::Packet {
    arp::Packet {
        operation: arp::Operation::Request,
        sender_mac: CLIENT,
        sender: [192, 0, 2, 1].into(),
        target_mac: MacAddress::ZERO,
        target: VIP4.parse().unwrap(),
    }
}

fn solicitation(source: &str, destination: Ipv6Addr, link: Option<MacAddress>) -> ndp::Packet {
    let message = ndp::Message::Solicitation {
        target: VIP6.parse().unwrap(),
        source_link: link,
    };
    let header = ipv6::Header {
        source: source.parse().unwrap(),
        destination,
    };
    ndp::Packet { header, message }
}

#[test]
fn real_tools_find_what_is_announced_and_nothing_else() {
    if !is_able() {
        return;
    }
    let node = Node::start(&[]);
    let client = client(&node, "eth0");
    assert!(!arping(&client, "eth0", VIP4), "nobody may answer yet");
    assert!(!discovers(&client, "eth0", VIP6), "nobody may answer yet");
    node.announce(VIP4, Scope::All);
    node.announce(VIP6, Scope::All);
    node.await_announced(VIP6, &["eth0"]);
    assert!(arping(&client, "eth0", VIP4));
    assert!(discovers(&client, "eth0", VIP6));
    let duplicate = client.exec(&["arping", "-D", "-c", "1", "-w", "1", "-I", "eth0", VIP4]);
    assert_eq!(
        duplicate.status.code(),
        Some(1),
        "a probe must be answered: {duplicate:?}"
    );

    // With the addresses bound on lo and its ARP silenced, as a node serves them, pings work whole.
    for setting in ["conf.all.arp_ignore=1", "conf.all.arp_announce=2"] {
        node.namespace.sysctl(&format!("net.ipv4.{setting}"));
    }
    for (address, length) in [(VIP4, 32), (VIP6, 128)] {
        node.namespace
            .ip(&format!("address add {address}/{length} dev lo"));
    }
    node.namespace.ip("address add 192.0.2.2/24 dev eth0");
    node.namespace
        .ip("address add 2001:db8::2/64 dev eth0 nodad");
    for address in [VIP4, VIP6] {
        let ping = client.exec(&["ping", "-c", "2", "-i", "0.2", "-w", "3", address]);
        assert!(ping.status.success(), "{address}: {ping:?}");
    }
    for address in [VIP4, VIP6] {
        let neighbour = client.ip(&format!("neigh show {address} dev eth0"));
        assert!(
            neighbour.contains(&node.mac("eth0").to_string()),
            "{neighbour}"
        );
    }

    node.withdraw(VIP4);
    node.withdraw(VIP6);
    assert!(node.status().addresses.is_empty());
    assert!(!arping(&client, "eth0", VIP4), "withdrawn");
    assert!(!discovers(&client, "eth0", VIP6), "withdrawn");
}

#[test]
fn raw_frames_are_answered_as_the_rules_say() {
    if !is_able() {
        return;
    }
    let node = Node::start(&[]);
    let client = client(&node, "eth0");
    node.announce(VIP4, Scope::All);
    node.announce(VIP6, Scope::All);
    node.await_announced(VIP6, &["eth0"]);
    let (mac, group) = (node.mac("eth0"), solicited_node(VIP6.parse().unwrap()));
    let (group_mac, vip6) = (MacAddress::of_group(group), VIP6.parse().unwrap());
    let foreign = MacAddress([2, 0, 0, 0, 0, 0x99]);
    let arp = |to| (Protocol::Arp, request().emit(to));
    let ndp = |packet: ndp::Packet, to| (Protocol::Ndp, packet.emit(CLIENT, to));
    let table = [
        ("unicast ARP", VIP4, arp(mac), Some(CLIENT)),
        ("ARP for another station", VIP4, arp(foreign), None),
        (
            "unicast NS",
            VIP6,
            ndp(solicitation("fe80::c", vip6, None), mac),
            Some(CLIENT),
        ),
        (
            "NS without option",
            VIP6,
            ndp(solicitation("fe80::c", group, None), group_mac),
            Some(CLIENT),
        ),
        (
            "duplicate address probe",
            VIP6,
            ndp(solicitation("::", group, None), group_mac),
            Some(MacAddress::of_group(ALL_NODES)),
        ),
        (
            "NS for another station",
            VIP6,
            ndp(solicitation("fe80::c", vip6, None), foreign),
            None,
        ),
    ];
    std::thread::sleep(BURST_OVER);
    for (name, address, (protocol, frame), to) in table {
        let ears = Ears::open(&client, "eth0");
        send(&client, "eth0", protocol, vec![frame.as_bytes().to_vec()]);
        let heard = ears.hear(
            address,
            Duration::from_millis(if to.is_some() { 2000 } else { 300 }),
        );
        assert_eq!(heard.map(|heard| heard.destination), to, "{name}");
        if let Some(Heard {
            flags: Some(flags),
            destination,
            ..
        }) = heard
        {
            assert_eq!(flags.solicited, destination == CLIENT, "{name}");
        }
    }
}

#[test]
fn malformed_frames_do_no_harm() {
    if !is_able() {
        return;
    }
    let node = Node::start(&[]);
    let client = client(&node, "eth0");
    node.announce(VIP4, Scope::All);
    node.announce(VIP6, Scope::All);
    node.await_announced(VIP6, &["eth0"]);
    let group = solicited_node(VIP6.parse().unwrap());
    let good =
        solicitation("fe80::c", group, Some(CLIENT)).emit(CLIENT, MacAddress::of_group(group));
    let arp = request().emit(MacAddress::BROADCAST);
    for (protocol, frame, fixed) in [(Protocol::Arp, &arp, 14), (Protocol::Ndp, &good, 54)] {
        // Every byte behind the fixed part takes some wrong values; every length occurs.
        let mut frames = Vec::new();
        for at in fixed..frame.as_bytes().len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = frame.as_bytes().to_vec();
                bytes[at] ^= value;
                frames.push(bytes.clone());
                bytes.truncate(at + 1);
                frames.push(bytes);
            }
        }
        let mut oversized = frame.as_bytes().to_vec();
        oversized.resize(1500, 0xa5);
        frames.push(oversized);
        send(&client, "eth0", protocol, frames);
    }
    assert!(arping(&client, "eth0", VIP4));
    assert!(discovers(&client, "eth0", VIP6));
    let status = node.status();
    assert!(status.malformed > 100, "{status:?}");
}

#[test]
fn a_late_interface_a_new_mac_and_a_flap_are_each_announced() {
    if !is_able() {
        return;
    }
    let node = Node::start(&[]);
    node.announce(VIP4, Scope::All);
    node.announce(VIP6, Scope::All);
    node.await_announced(VIP6, &[]);
    let client = client(&node, "eth0");
    node.await_announced(VIP6, &["eth0"]);
    let groups = || node.namespace.ip("-6 maddress show dev eth0");
    assert!(groups().contains("ff02::1:ff00:10"), "{}", groups());
    assert!(discovers(&client, "eth0", VIP6));
    assert!(arping(&client, "eth0", VIP4));

    let wait = Duration::from_secs(3);
    node.namespace.ip("link set eth0 address 02:00:00:00:00:77");
    let moved = MacAddress([2, 0, 0, 0, 0, 0x77]);
    for address in [VIP4, VIP6] {
        let ears = Ears::open(&client, "eth0");
        let heard = ears.hear(address, wait).expect("a burst after the new MAC");
        assert_eq!(heard.mac, moved, "{address}");
    }
    std::thread::sleep(BURST_OVER);
    node.namespace.ip("link set eth0 down");
    node.await_announced(VIP6, &[]);
    let ears = Ears::open(&client, "eth0");
    node.namespace.ip("link set eth0 up");
    let mut got: Vec<_> = [VIP4, VIP6]
        .map(|address| ears.hear(address, wait))
        .to_vec();
    got.retain(Option::is_none);
    assert!(got.is_empty(), "a burst after the flap");
    node.await_announced(VIP6, &["eth0"]);
    assert!(groups().contains("ff02::1:ff00:10"), "{}", groups());
    assert!(discovers(&client, "eth0", VIP6), "answered after the flap");
    node.withdraw(VIP6);
    assert_eq!(node.status().addresses.len(), 1);
    assert!(!groups().contains("ff02::1:ff00:10"), "{}", groups());
}

#[test]
fn scope_and_exclusion_are_kept() {
    if !is_able() {
        return;
    }
    let node = Node::start(&["^skip"]);
    let clients = ["eth0", "eth1", "skip0"].map(|device| (device, client(&node, device)));
    node.announce(VIP4, only("eth0"));
    node.announce(VIP6, Scope::All);
    node.await_announced(VIP4, &["eth0"]);
    node.await_announced(VIP6, &["eth0", "eth1"]);
    for ((device, client), (v4, v6)) in
        clients
            .iter()
            .zip([(true, true), (false, true), (false, false)])
    {
        assert_eq!(arping(client, device, VIP4), v4, "ARP on {device}");
        assert_eq!(discovers(client, device, VIP6), v6, "NDP on {device}");
    }
    node.announce(VIP4, only("eth1"));
    node.await_announced(VIP4, &["eth1"]);
    assert!(!arping(&clients[0].1, "eth0", VIP4), "moved away");
    assert!(arping(&clients[1].1, "eth1", VIP4), "moved here");
    node.announce(VIP4, only("eth7"));
    node.await_announced(VIP4, &[]);
    let names: Vec<_> = node
        .status()
        .interfaces
        .iter()
        .map(|i| i.name.to_string())
        .collect();
    assert!(
        !names.contains(&"skip0".to_owned()) && names.contains(&"eth1".to_owned()),
        "{names:?}"
    );
    // A bridge port is no longer answered on.
    node.namespace.ip("link add br0 type bridge");
    node.namespace.ip("link set eth1 master br0");
    node.await_announced(VIP6, &["eth0"]);
}

#[test]
fn another_claimant_is_reported_and_defended_against() {
    if !is_able() {
        return;
    }
    let node = Node::start(&[]);
    let client = client(&node, "eth0");
    node.announce(VIP4, Scope::All);
    node.await_announced(VIP4, &["eth0"]);
    std::thread::sleep(BURST_OVER);
    let ears = Ears::open(&client, "eth0");
    let claim = arp::Packet::gratuitous(arp::Operation::Reply, VIP4.parse().unwrap(), CLIENT);
    let frame = claim.emit(MacAddress::BROADCAST).as_bytes().to_vec();
    send(&client, "eth0", Protocol::Arp, vec![frame; 20]);
    let Some(Event::Conflict {
        address,
        interface,
        mac,
        ..
    }) = node.event()
    else {
        panic!("no conflict reported")
    };
    assert_eq!(
        (address.to_string().as_str(), &*interface, mac),
        (VIP4, "eth0", CLIENT)
    );
    let heard = ears.all(VIP4, Duration::from_millis(1500));
    assert_eq!(heard.len(), 2, "one round of defence: {heard:?}");
    assert!(
        heard
            .iter()
            .all(|heard| heard.destination == MacAddress::BROADCAST)
    );
}

/// Two nodes and a client on one bridge: the client follows the address, and the former owner, which
/// learns of its loss after the new one has begun, does not take it back.
#[test]
fn an_address_moves_to_another_node() {
    if !is_able() {
        return;
    }
    let (nodes, client) = ([Node::start(&[]), Node::start(&[])], Namespace::new());
    client.ip("link add br0 type bridge");
    for (node, port) in nodes.iter().zip(["port0", "port1"]) {
        connect(&node.namespace, &client, port);
        client.ip(&format!("link set {port} master br0"));
    }
    client.ip("link set br0 up");
    client.ip("address add 192.0.2.1/24 dev br0");
    client.ip("address add 2001:db8::1/64 dev br0 nodad");
    let macs = [nodes[0].mac("port0"), nodes[1].mac("port1")];
    let neighbour = |address: &str, mac: MacAddress| {
        let line = client.ip(&format!("neigh show {address} dev br0"));
        assert!(
            line.contains(&mac.to_string()),
            "{address} is not at {mac}: {line}"
        );
    };
    for address in [VIP4, VIP6] {
        nodes[0].announce(address, Scope::All);
        nodes[0].await_announced(address, &["port0"]);
        assert!(discovers(&client, "br0", address));
        neighbour(address, macs[0]);
    }
    for address in [VIP4, VIP6] {
        nodes[1].announce(address, Scope::All);
        nodes[1].await_announced(address, &["port1"]);
        std::thread::sleep(Duration::from_millis(100));
        nodes[0].withdraw(address);
    }
    std::thread::sleep(BURST_OVER);
    for address in [VIP4, VIP6] {
        neighbour(address, macs[1]);
        assert!(discovers(&client, "br0", address));
        neighbour(address, macs[1]);
    }
    let sent = nodes[0].status();
    assert!(sent.addresses.is_empty(), "{sent:?}");
}
