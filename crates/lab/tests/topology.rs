// SPDX-License-Identifier: Apache-2.0
//! The network itself: reachable in both families, silent about Service addresses, gone afterwards.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::{path::Path, process::Command, time::Duration};

use common::{SOON, able, network};
use ferrolb_lab::{
    Process, Run, faults, link, probe,
    process::Spec,
    run::{self, NETNS_DIR},
    sniff::Sniffer,
    topology::{LAN, Topology},
    wait,
};

fn reaches(from: &ferrolb_lab::Namespace, address: std::net::IpAddr) -> bool {
    let address = address.to_string();
    let done = from
        .capture("ping", &["-c1", "-W1", &address], SOON)
        .unwrap();
    done.status.success()
}

#[test]
fn everybody_reaches_everybody_in_both_families() {
    if !able(&["ping"]) {
        return;
    }
    let net = network(2, 1);
    let outside = net.outside.as_ref().unwrap().namespace();
    for node in &net.nodes {
        for address in [node.v4(), node.v6()] {
            assert!(
                reaches(net.client.namespace(), address),
                "client to {address}"
            );
            assert!(reaches(outside, address), "outside to {address}");
        }
    }
    assert!(reaches(net.nodes[0].namespace(), net.nodes[1].v6()));
}

#[test]
fn service_addresses_on_loopback_are_silent_yet_served() {
    if !able(&["arping", "ping", "tcpdump"]) {
        return;
    }
    let net = network(2, 0);
    let node = &net.nodes[0];
    let addresses = ["192.0.2.200", "2001:db8:1::200"].map(|a| a.parse().unwrap());
    for address in addresses {
        node.hold(address).unwrap();
    }
    let _page = node.serve(80).unwrap();
    net.assert_silent(&addresses).unwrap();

    // Told where to go by hand, the client is served.
    let mac = node.mac().unwrap();
    for address in addresses {
        let set = format!("neigh replace {address} lladdr {mac} dev {LAN}");
        net.client.namespace().ip(&set).unwrap();
        let target = (address, 80).into();
        assert_eq!(probe::get(net.client.namespace(), target).unwrap(), "n1");
        assert_eq!(
            net.client.neighbour(address).unwrap().as_deref(),
            Some(mac.as_str())
        );
    }
    answered_addresses_are_not_silent(&net);
}

/// The check of silence itself can fail, and the sniffer sees who broke it.
fn answered_addresses_are_not_silent(net: &Topology) {
    let sniffer = Sniffer::start(net.client.end(LAN)).unwrap();
    let node = &net.nodes[1];
    for address in [node.v4(), node.v6()] {
        let error = net.assert_silent(&[address]).unwrap_err();
        assert!(error.to_string().contains(&address.to_string()));
        let claimants = sniffer.claimants(address);
        assert!(claimants.contains(&node.mac().unwrap()), "{claimants:?}");
    }
}

#[test]
fn a_muted_port_keeps_its_carrier() {
    if !able(&["ping", "bridge"]) {
        return;
    }
    let net = network(1, 0);
    let node = &net.nodes[0];
    let port = net.port(node);
    assert!(reaches(net.client.namespace(), node.v4()));
    faults::mute(port).unwrap();
    assert!(!reaches(net.client.namespace(), node.v4()));
    assert!(link::is_up(node.end(LAN)).unwrap());
    faults::unmute(port).unwrap();
    assert!(reaches(net.client.namespace(), node.v4()));
    faults::unplug(port).unwrap();
    wait::until("the carrier is lost", SOON, || {
        Ok(!link::is_up(node.end(LAN))?)
    })
    .unwrap();
    faults::plug(port).unwrap();
    wait::until("the host is back", SOON, || {
        Ok(reaches(net.client.namespace(), node.v6()))
    })
    .unwrap();
}

#[test]
fn nothing_is_left_behind() {
    if !able(&[]) {
        return;
    }
    let net = network(1, 0);
    let (label, dir) = (net.run().label().to_owned(), net.run().dir().to_owned());
    let page = net.nodes[0].serve(80).unwrap();
    let pid = page.pid();
    assert!(namespaces(&label) > 0 && dir.exists() && alive(pid));
    // Closed while its parts are still held, as an interrupt does.
    let run = net.run().clone();
    run.close();
    assert_eq!(
        (namespaces(&label), dir.exists(), alive(pid)),
        (0, false, false)
    );
    let error = net.nodes[0].serve(81).err().unwrap();
    assert!(error.to_string().contains("is over"), "{error:#}");
    drop((page, net, run));
    assert_eq!(namespaces(&label), 0);
}

#[test]
fn a_child_is_ended_even_when_frozen_or_deaf() {
    if !able(&[]) {
        return;
    }
    let net = network(1, 0);
    let host = net.nodes[0].namespace();
    let deaf = Spec::new(
        "deaf",
        "sh",
        ["-c", "trap '' TERM; echo up; while :; do sleep 1; done"],
    );
    let deaf = Process::start(host, &deaf).unwrap();
    deaf.wait_for_log("up", SOON).unwrap();
    assert!(deaf.terminate(Duration::from_millis(50)).is_err());
    let frozen = net.nodes[0].serve(80).unwrap();
    faults::freeze(&frozen).unwrap();
    let pids = [deaf.pid(), frozen.pid()];
    drop((deaf, frozen));
    assert!(!pids.into_iter().any(alive));
}

#[test]
fn what_a_killed_run_left_is_cleared_and_a_living_one_kept() {
    if !able(&[]) {
        return;
    }
    let living = Run::new().unwrap();
    let kept = ferrolb_lab::Namespace::create(&living, "kept").unwrap();
    // The process of this id is gone: it was ours, and has been waited for.
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let left = format!("flb-{}-1-1-left", gone.id());
    assert!(
        Command::new("ip")
            .args(["netns", "add", &left])
            .status()
            .unwrap()
            .success()
    );
    let mut stray = Command::new("ip")
        .args(["netns", "exec", &left, "sleep", "60"])
        .spawn()
        .unwrap();
    while run::processes_in(&left).unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    run::clear_leftovers().unwrap();
    assert!(!Path::new(NETNS_DIR).join(&left).exists());
    assert!(Path::new(NETNS_DIR).join(kept.name()).exists());
    assert!(!stray.wait().unwrap().success());
}

fn namespaces(label: &str) -> usize {
    let names = run::namespaces_of(std::process::id()).unwrap();
    let own = format!("{label}-");
    names.iter().filter(|name| name.starts_with(&own)).count()
}

fn alive(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}
