// SPDX-License-Identifier: Apache-2.0
//! Packet sockets and their filters against a real kernel.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use std::time::Duration;

use common::{Namespace, connect, is_able};
use ferrolb_netio::{
    group::Memberships,
    packet::{PacketSocket, Protocol},
};
use tokio::time::timeout;

const BROADCAST: [u8; 6] = [0xff; 6];
const FOREIGN: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

fn frame(destination: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = destination.to_vec();
    bytes.extend_from_slice(&[2, 0, 0, 0, 0, 2]);
    bytes.extend_from_slice(&ethertype.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.resize(60.max(bytes.len()), 0);
    bytes
}

/// An IPv6 packet as far as the filter looks.
fn icmpv6(next_header: u8, hop_limit: u8, kind: u8) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0, 0, 8, next_header, hop_limit];
    bytes.resize(40, 0);
    bytes.push(kind);
    bytes
}

#[test]
fn only_what_concerns_us_passes_the_filter() {
    if !is_able() {
        return;
    }
    let (node, peer) = (Namespace::new(), Namespace::new());
    connect(&node, &peer, "eth0");
    node.ip("link set eth0 address 02:00:00:00:00:01 promisc on");
    let (here, there) = (node.ifindex("eth0"), peer.ifindex("eth0"));
    let group = [0x33, 0x33, 0xff, 0, 0, 1];
    let ours = [2, 0, 0, 0, 0, 1];
    let table = [
        (
            "broadcast ARP",
            Protocol::Arp,
            frame(BROADCAST, 0x0806, &[1]),
            true,
        ),
        ("ARP to us", Protocol::Arp, frame(ours, 0x0806, &[2]), true),
        (
            "ARP to another",
            Protocol::Arp,
            frame(FOREIGN, 0x0806, &[3]),
            false,
        ),
        ("IPv4", Protocol::Arp, frame(BROADCAST, 0x0800, &[4]), false),
        (
            "tagged ARP",
            Protocol::Arp,
            frame(BROADCAST, 0x8100, &[0, 5, 8, 6]),
            false,
        ),
        (
            "solicitation",
            Protocol::Ndp,
            frame(group, 0x86dd, &icmpv6(58, 255, 135)),
            true,
        ),
        (
            "advertisement",
            Protocol::Ndp,
            frame(ours, 0x86dd, &icmpv6(58, 255, 136)),
            true,
        ),
        (
            "routed",
            Protocol::Ndp,
            frame(ours, 0x86dd, &icmpv6(58, 254, 135)),
            false,
        ),
        (
            "echo",
            Protocol::Ndp,
            frame(ours, 0x86dd, &icmpv6(58, 255, 128)),
            false,
        ),
        (
            "UDP",
            Protocol::Ndp,
            frame(ours, 0x86dd, &icmpv6(17, 255, 135)),
            false,
        ),
        (
            "to another",
            Protocol::Ndp,
            frame(FOREIGN, 0x86dd, &icmpv6(58, 255, 135)),
            false,
        ),
    ];
    let (ready, wait) = std::sync::mpsc::channel();
    let expected: Vec<_> = table
        .iter()
        .filter(|row| row.3)
        .map(|row| row.2.clone())
        .collect();
    let count = expected.len();
    let receiver = node.spawn(move || async move {
        let arp = PacketSocket::open(here, Protocol::Arp).unwrap();
        let ndp = PacketSocket::open(here, Protocol::Ndp).unwrap();
        // What this host itself sends must not come back.
        arp.send(&frame(BROADCAST, 0x0806, &[9])).unwrap();
        ready.send(()).unwrap();
        let (mut got, mut a, mut b) = (Vec::new(), [0; 256], [0; 256]);
        while got.len() < count + 1 {
            let next = async {
                tokio::select! {
                    length = arp.receive(&mut a) => a[..length.unwrap()].to_vec(),
                    length = ndp.receive(&mut b) => b[..length.unwrap()].to_vec(),
                }
            };
            match timeout(Duration::from_millis(500), next).await {
                Ok(frame) => got.push(frame),
                Err(_silence) => break,
            }
        }
        got
    });
    wait.recv().unwrap();
    peer.run(move || async move {
        let arp = PacketSocket::open(there, Protocol::Arp).unwrap();
        for (_, _, frame, _) in &table {
            arp.send(frame).unwrap();
        }
    });
    // The kernel's own solicitations (router, multicast) may be among them.
    let mut got = receiver.join().unwrap();
    got.retain(|frame| frame[6..12] == [2, 0, 0, 0, 0, 2]);
    got.sort();
    let mut expected = expected;
    expected.sort();
    assert_eq!(got, expected);
}

#[test]
fn a_missing_interface_and_one_that_goes_down_are_errors() {
    if !is_able() {
        return;
    }
    let (node, peer) = (Namespace::new(), Namespace::new());
    connect(&node, &peer, "eth0");
    let (ifindex, name) = (node.ifindex("eth0"), node.name().to_owned());
    node.run(move || async move {
        let error = PacketSocket::open(9999, Protocol::Arp).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
        let socket = PacketSocket::open(ifindex, Protocol::Arp).unwrap();
        common::ip(&["-n", &name, "link", "set", "eth0", "down"]);
        let error = socket.send(&frame(BROADCAST, 0x0806, &[1])).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENETDOWN));
        common::ip(&["-n", &name, "link", "set", "eth0", "up"]);
        socket.send(&frame(BROADCAST, 0x0806, &[1])).unwrap();
    });
}

#[test]
fn thousands_of_groups_are_joined_and_left() {
    if !is_able() {
        return;
    }
    let (node, peer) = (Namespace::new(), Namespace::new());
    connect(&node, &peer, "eth0");
    let (ifindex, name) = (node.ifindex("eth0"), node.name().to_owned());
    node.run(move || async move {
        let count = || {
            common::ip(&["-n", &name, "-6", "maddress", "show", "dev", "eth0"])
                .lines()
                .filter(|line| line.contains("ff02::1:ffaa:"))
                .count()
        };
        let groups: Vec<_> = (0..4000_u16)
            .map(|n| std::net::Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xffaa, n))
            .collect();
        let mut memberships = Memberships::new();
        for group in &groups {
            memberships.join(ifindex, *group).unwrap();
            memberships.join(ifindex, *group).unwrap();
        }
        assert_eq!((memberships.len(), count()), (4000, 4000));
        for group in &groups[1..] {
            memberships.leave(ifindex, *group);
        }
        memberships.leave(ifindex, groups[1]);
        assert_eq!((memberships.len(), count()), (1, 1));
        let error = memberships.join(9999, groups[1]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
    });
}
