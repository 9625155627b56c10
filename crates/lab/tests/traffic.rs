// SPDX-License-Identifier: Apache-2.0
//! Traffic through routers over all nodes, and outages as a client sees them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::{thread, time::Duration};

use common::{NODE_AS, ROUTER_AS, SOON, able, expecting, network, services, speak};
use ferrolb_lab::{
    faults,
    probe::{Prober, child::Pace},
    routers::{Kind, RouterConfig},
    topology::Topology,
    wait,
};

/// Three nodes announce the same addresses: the router's kernel uses all of them, the client meets
/// all of them, and a node that leaves is left out.
fn spread(kind: Kind) {
    if !able(kind.programs()) {
        return;
    }
    let net = network(3, 1);
    let router = &net.routers[0];
    let mut config = RouterConfig::new(ROUTER_AS, router.id());
    for node in &net.nodes {
        config = expecting(config, router, node, NODE_AS);
        services()
            .into_iter()
            .for_each(|address| node.hold(address).unwrap());
    }
    let running = kind.start(router.namespace(), &config).unwrap();
    let _pages: Vec<_> = net
        .nodes
        .iter()
        .map(|node| node.serve(80).unwrap())
        .collect();
    let mut birds: Vec<_> = net
        .nodes
        .iter()
        .map(|node| speak(node, router, NODE_AS, None))
        .collect();
    let probers = services().map(|address| {
        next_hops(&net, address, 3);
        let client = net.outside.as_ref().unwrap().namespace();
        Prober::start(client, (address, 80).into(), Pace::default()).unwrap()
    });
    for prober in &probers {
        prober
            .wait_for("answers of all three", SOON, |seen| {
                (seen.shares(ferrolb_lab::probe::Mark(Duration::ZERO)).len() == 3).then_some(())
            })
            .unwrap();
    }
    let gone = birds.remove(0);
    drop(gone);
    for (address, prober) in services().into_iter().zip(&probers) {
        next_hops(&net, address, 2);
        let mark = prober.mark().unwrap();
        prober
            .wait_for("answers of both that are left", SOON, |seen| {
                let shares = seen.shares(mark);
                assert!(!shares.contains_key("n1"), "{address}: {shares:?}");
                (shares.len() == 2 && seen.since(mark).len() > 100).then_some(())
            })
            .unwrap();
    }
    drop(running);
}

fn next_hops(net: &Topology, address: std::net::IpAddr, count: usize) {
    let what = format!("{count} next hops to {address}");
    wait::until(&what, SOON, || {
        Ok(net.routers[0].next_hops(address)?.len() == count)
    })
    .unwrap();
}

#[test]
fn bird_spreads_over_all_nodes() {
    spread(Kind::Bird);
}

#[test]
fn frr_spreads_over_all_nodes() {
    spread(Kind::Frr);
}

#[test]
fn the_prober_measures_an_induced_outage() {
    if !able(&["bridge"]) {
        return;
    }
    const OUTAGE: Duration = Duration::from_millis(400);
    let net = network(1, 0);
    let node = &net.nodes[0];
    let _page = node.serve(80).unwrap();
    let target = (node.v4(), 80).into();
    let prober = Prober::start(net.client.namespace(), target, Pace::default()).unwrap();
    assert_eq!(prober.answering(SOON).unwrap(), "n1");

    let mark = prober.mark().unwrap();
    faults::mute(net.port(node)).unwrap();
    thread::sleep(OUTAGE);
    faults::unmute(net.port(node)).unwrap();
    let outage = prober
        .outage_since(mark, Duration::from_millis(200), SOON)
        .unwrap();
    assert!(outage.failed > 0 && outage.answered > 0, "{outage:?}");
    // Requests under way when the cable is mended may fail or be saved by a retransmission.
    let slack = Pace::default().patience * 2;
    assert!(outage.gap + slack >= OUTAGE, "{outage:?}");
    assert!(outage.until_clean < SOON, "{outage:?}");
}

#[test]
fn a_page_that_goes_away_is_noticed_and_one_that_stays_is_not() {
    if !able(&[]) {
        return;
    }
    let net = network(2, 0);
    let pages = [
        net.nodes[0].serve(80).unwrap(),
        net.nodes[1].serve(80).unwrap(),
    ];
    let probers = [&net.nodes[0], &net.nodes[1]].map(|node| {
        let target = (node.v6(), 80).into();
        Prober::start(net.client.namespace(), target, Pace::default()).unwrap()
    });
    let marks = probers.each_ref().map(|prober| {
        prober.answering(SOON).unwrap();
        prober.mark().unwrap()
    });
    faults::kill(&pages[0]).unwrap();
    probers[0]
        .wait_for("a failure", SOON, |seen| {
            let failed = seen
                .since(marks[0])
                .iter()
                .any(|sample| matches!(sample.answer, ferrolb_lab::probe::Answer::None(_)));
            failed.then_some(())
        })
        .unwrap();
    assert_eq!(probers[0].samples().outage(marks[0]), None, "it lasts");
    probers[1]
        .wait_for("answers of the other", SOON, |seen| {
            seen.outage(marks[1]).filter(|outage| outage.answered > 10)
        })
        .unwrap();
}
