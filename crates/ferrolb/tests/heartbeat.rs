// SPDX-License-Identifier: Apache-2.0
//! The heartbeat between hosts with several addresses, each a network namespace: two of them, and the kernel
//! would send from another address than the one the nodes know each other by.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../netio/tests/common/mod.rs"]
mod common;

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use common::{Namespace, connect, is_able};
use ferrolb::drivers::heartbeat::{Changes, Driver, Members, Nodes, Settings};
use ferrolb_members::{Beat, Kind, LONGEST, Timing};
use ferrolb_types::NodeName;
use tokio::{net::UdpSocket, time::timeout};
use tokio_util::sync::CancellationToken;

/// Longer than it takes to settle, and then some for a slow machine.
const PATIENCE: Duration = Duration::from_secs(5);

fn node(n: u8) -> NodeName {
    NodeName::from(format!("n{n}"))
}

/// Two hosts on one cable with 192.0.2.N and 192.0.2.10N, in this order, fd00::N and fd00::10N; and on the
/// loopback 198.51.100.N and fd01::N.
fn hosts() -> [Namespace; 2] {
    let hosts = [Namespace::new(), Namespace::new()];
    connect(&hosts[0], &hosts[1], "eth0");
    for (host, (n, peer)) in hosts.iter().zip([(1, 2), (2, 1)]) {
        for address in [format!("192.0.2.{n}/24"), format!("192.0.2.10{n}/24")] {
            host.ip(&format!("address add {address} dev eth0"));
        }
        for address in [format!("fd00::{n}/64"), format!("fd00::10{n}/64")] {
            host.ip(&format!("address add {address} dev eth0 nodad"));
        }
        host.ip(&format!("address add 198.51.100.{n}/32 dev lo"));
        host.ip(&format!("address add fd01::{n}/128 dev lo nodad"));
        host.ip(&format!(
            "route add 198.51.100.{peer}/32 via 192.0.2.{peer}"
        ));
        host.ip(&format!("-6 route add fd01::{peer}/128 via fd00::{peer}"));
    }
    hosts
}

/// What node `n` hears in the end: who is alive, and how many beats counted for nothing.
async fn hears(n: u8, nodes: Nodes, bind: Option<IpAddr>) -> (BTreeSet<NodeName>, u64) {
    let settings = Settings {
        own: node(n),
        port: 7947,
        bind,
        timing: Timing::default(),
    };
    let stop = CancellationToken::new();
    let mut driver = Driver::start(settings, stop.clone()).unwrap();
    driver.nodes.send_replace(nodes);
    driver.ready.send_replace(true);
    let both = |members: &Members| members.alive.as_ref().is_some_and(|it| it.len() == 2);
    let _ = timeout(PATIENCE, driver.members.wait_for(both)).await;
    let alive = driver.members.borrow().alive.clone().unwrap_or_default();
    let unlisted = driver.beats.unlisted.get();
    // The other one may need it a little longer.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.cancel();
    driver.finished().await;
    (alive, unlisted)
}

/// Both nodes under these addresses, `{}` for the number of the node.
fn known_by(addresses: &[&str]) -> Nodes {
    let of = |n: u8| -> Vec<IpAddr> {
        let texts = addresses
            .iter()
            .map(|text| text.replace("{}", &n.to_string()));
        texts.map(|text| text.parse().unwrap()).collect()
    };
    Nodes::from([1, 2].map(|n| (node(n), of(n))))
}

/// What both hear.
fn run(hosts: &[Namespace; 2], nodes: &Nodes, bind: bool) -> Vec<(BTreeSet<NodeName>, u64)> {
    let threads: Vec<_> = (1..=2)
        .zip(hosts)
        .map(|(n, host)| {
            let nodes = nodes.clone();
            let address = nodes.get(&node(n)).and_then(|own| own.first().copied());
            host.spawn(move || hears(n, nodes, address.filter(|_| bind)))
        })
        .collect();
    threads.into_iter().map(|it| it.join().unwrap()).collect()
}

#[test]
fn nodes_with_several_addresses_hear_each_other_from_the_one_they_are_known_by() {
    if !is_able() {
        return;
    }
    let hosts = hosts();
    let all: BTreeSet<NodeName> = [1, 2].map(node).into();
    for (addresses, bind) in [
        (&["192.0.2.10{}"][..], false),
        (&["192.0.2.{}"], false),
        (&["198.51.100.{}"], false),
        (&["fd00::{}"], false),
        (&["fd00::10{}"], false),
        (&["fd01::{}", "198.51.100.{}"], false),
        (&["198.51.100.{}"], true),
        (&["fd01::{}"], true),
    ] {
        let heard = run(&hosts, &known_by(addresses), bind);
        let want = [(all.clone(), 0), (all.clone(), 0)];
        assert_eq!(heard, want, "{addresses:?}, bound: {bind}");
    }
}

#[test]
fn an_address_the_host_does_not_have_leaves_the_choice_to_the_kernel() {
    if !is_able() {
        return;
    }
    let hosts = hosts();
    let all: BTreeSet<NodeName> = [1, 2].map(node).into();
    // Node 2 is reached at its second address alone, and known by the first one too.
    let mut nodes = known_by(&["192.0.2.{}"]);
    let second = nodes.get_mut(&node(2)).unwrap();
    second.insert(0, "192.0.2.77".parse().unwrap());
    let heard = run(&hosts, &nodes, false);
    assert_eq!(heard[0], (all, 0), "node 2 chooses its listed address");
    // Known by the wrong address alone, what it sends counts for nothing, and is counted.
    nodes.get_mut(&node(2)).unwrap().truncate(1);
    let heard = run(&hosts, &nodes, false);
    let (alive, unlisted) = &heard[0];
    assert_eq!(*alive, BTreeSet::from([node(1)]));
    assert!(*unlisted > 3, "{unlisted}");
}

/// The hosts of this many nodes have lost their power: their addresses do not resolve.
const DARK: u8 = 150;
/// Beats to be heard beside them: some of them before the kernel gives up a dark neighbour, and after.
const BEATS: usize = 50;
/// Many times what so many beats take.
const LIMIT: Duration = Duration::from_secs(30);

/// Beats for node 2 until it has heard node 1 so many times, or the limit has passed; gives how often it did.
async fn counts(own: IpAddr, other: IpAddr) -> usize {
    let socket = UdpSocket::bind((own, 7947)).await.unwrap();
    let beat = Beat {
        kind: Kind::Alive,
        node: node(2),
        facts: Vec::new(),
    };
    let mut tick = tokio::time::interval(Timing::default().interval);
    let mut heard = 0;
    let mut bytes = [0; LONGEST];
    let all = async {
        while heard < BEATS {
            tokio::select! {
                _ = tick.tick() => drop(socket.send_to(&beat.emit(), (other, 7947)).await),
                Ok((_, from)) = socket.recv_from(&mut bytes) => heard += usize::from(from.ip() == other),
            }
        }
    };
    let _ = timeout(LIMIT, all).await;
    heard
}

/// Runs node 1 until `stop`; gives how many beats to living nodes the kernel did not take.
async fn beats(nodes: Nodes, stop: CancellationToken) -> u64 {
    let settings = Settings {
        own: node(1),
        port: 7947,
        bind: None,
        timing: Timing::default(),
    };
    let driver = Driver::start(settings, stop.clone()).unwrap();
    driver.nodes.send_replace(nodes);
    driver.ready.send_replace(true);
    stop.cancelled().await;
    let unsent = driver.beats.unsent.get();
    driver.finished().await;
    unsent
}

#[test]
fn a_rack_without_power_silences_no_other_node() {
    if !is_able() {
        return;
    }
    for net in ["192.0.2.", "fd00::"] {
        let hosts = hosts();
        let address = move |host: u8| -> IpAddr { format!("{net}{host}").parse().unwrap() };
        let mut nodes = known_by(&[&format!("{net}{{}}")]);
        // By name they come before node 2, so that what they leave of a buffer is what it gets.
        nodes.extend(
            (0..DARK).map(|n| (NodeName::from(format!("dark{n}")), vec![address(n + 103)])),
        );
        let stop = CancellationToken::new();
        let until = stop.clone();
        let beating = hosts[0].spawn(move || beats(nodes, until));
        let heard = hosts[1].run(move || counts(address(2), address(1)));
        stop.cancel();
        assert_eq!((heard, beating.join().unwrap()), (BEATS, 0), "{net}");
    }
}

/// What the driver of node 1 tells in turn of node 2, which comes with facts, goes, and comes with others.
async fn turns() -> Vec<Changes> {
    let [own, other] = ["127.0.0.1", "127.0.0.2"].map(|text| text.parse::<IpAddr>().unwrap());
    let settings = Settings {
        own: node(1),
        port: 7947,
        bind: Some(own),
        timing: Timing::default(),
    };
    let stop = CancellationToken::new();
    let mut driver = Driver::start(settings, stop.clone()).unwrap();
    let nodes = [(node(1), vec![own]), (node(2), vec![other])];
    driver.nodes.send_replace(nodes.into());
    driver.able.send_replace(true);
    let mut turns = Vec::new();
    let socket = UdpSocket::bind((other, 7947)).await.unwrap();
    let first = timeout(PATIENCE, driver.members.changed()).await;
    first.expect("it settles").unwrap();
    turns.push(driver.take());
    for (kind, facts) in [
        (Kind::Alive, "one"),
        (Kind::Leaving, ""),
        (Kind::Alive, "two"),
    ] {
        let facts = facts.into();
        let node = node(2);
        let beat = Beat { kind, node, facts }.emit();
        socket.send_to(&beat, (own, 7947)).await.unwrap();
        let next = timeout(PATIENCE, driver.members.changed()).await;
        next.expect("it is told").unwrap();
        turns.push(driver.take());
    }
    stop.cancel();
    driver.finished().await;
    turns
}

#[test]
fn who_comes_and_what_it_tells_of_itself_are_told_in_one_turn() {
    if !is_able() {
        return;
    }
    let turns = Namespace::new().run(turns);
    let turn = |alive: &[u8], facts: Option<Option<&str>>| Changes {
        alive: Some(alive.iter().map(|n| node(*n)).collect()),
        news: facts
            .map(|facts| (node(2), facts.map(Into::into)))
            .into_iter()
            .collect(),
    };
    let expected = [
        turn(&[1], None),
        turn(&[1, 2], Some(Some("one"))),
        turn(&[1], Some(None)),
        turn(&[1, 2], Some(Some("two"))),
    ];
    assert_eq!(turns, expected);
}
