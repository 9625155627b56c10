// SPDX-License-Identifier: Apache-2.0
//! Packets that break the rules, against a process that has better things to do: each gets its
//! NOTIFICATION (or is passed over), and nothing else is disturbed.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, time::Duration};

use common::{
    NODE_AS, ROUTER_AS, able,
    folder::{Folder, PATIENCE, advertisement, await_session, is_established, peer, service},
    network,
};
use ferrolb_lab::{
    Process,
    ferrolb::Role,
    link,
    process::Spec,
    routers::{Kind, Neighbor, RouterConfig},
    sniff::Sniffer,
    topology::LAN,
    wait,
};

/// What each misdeed earns: NOTIFICATION code and subcode (RFC 4271 4.5, RFC 6608), or a session that
/// lives on (RFC 7606, treat-as-withdraw).
const CASES: [(&str, &str); 14] = [
    ("marker", "1/1"),
    ("short", "1/2"),
    ("long", "1/2"),
    ("type", "1/3"),
    ("random", "1/1"),
    ("version", "2/1"),
    ("asn", "2/2"),
    ("ident", "2/3"),
    ("hold", "2/6"),
    ("early", "5/1"),
    ("keepalive", "1/2"),
    ("attributes", "3/1"),
    ("again", "5/3"),
    ("withdraw", "alive"),
];

fn script(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/common")
        .join(name);
    path.to_string_lossy().into_owned()
}

fn address(case: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, 150 + u8::try_from(case).unwrap()])
}

#[test]
fn hostile_peers_get_their_notification_and_disturb_nobody() {
    if !able(&["python3"]) {
        return;
    }
    let net = network(1, 2);
    let (node, good, bad) = (&net.nodes[0], &net.routers[0], &net.routers[1]);
    let neighbor = Neighbor::new(good.v4(), node.v4(), NODE_AS);
    let config = RouterConfig::new(ROUTER_AS, good.id()).with(neighbor);
    let bird = Kind::Bird.start(good.namespace(), &config).unwrap();
    let folder = Folder::new(&net);
    folder.write(
        "good",
        &peer(
            "good",
            NODE_AS,
            ROUTER_AS,
            &good.v4().to_string(),
            &["n1"],
            &[],
        ),
    );
    folder.write("hosts", &advertisement("hosts", &[]));
    folder.write("web", &service("web", "203.0.113.1,2001:db8:3::1"));
    let speaker = folder.start(node, Role::Standalone);
    await_session(&speaker, "good", is_established);

    let mut arguments = vec![script("hostile.py")];
    let mut peers = String::new();
    for (number, (case, _)) in CASES.iter().enumerate() {
        let address = address(number);
        link::add_address(bad.end(LAN), format!("{address}/24").parse().unwrap()).unwrap();
        arguments.push(format!("{case}={address}"));
        peers += &peer(case, NODE_AS, ROUTER_AS, &address.to_string(), &["n1"], &[]);
    }
    let hostile =
        Process::start(bad.namespace(), &Spec::new("hostile", "python3", arguments)).unwrap();
    hostile.wait_for_log("ready", PATIENCE).unwrap();
    folder.write("bad", &peers);
    let heard = || -> BTreeMap<String, String> {
        let log = hostile.log();
        // The first answer of each: a later try may be cut off by the end of the test.
        let pairs = log.lines().rev().filter_map(|line| line.split_once(' '));
        pairs
            .map(|(case, word)| (case.to_owned(), word.to_owned()))
            .collect()
    };
    let expected = CASES
        .map(|(case, answer)| (case.to_owned(), answer.to_owned()))
        .into();
    wait::until("every misdeed is answered", PATIENCE, || {
        Ok(heard().len() == CASES.len())
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", hostile.log()));
    assert_eq!(heard(), expected, "{}", hostile.log());

    let kept = await_session(&speaker, "withdraw", is_established);
    assert_eq!(kept["flaps"], 0, "{kept:#}");
    assert!(kept["updatesReceived"].as_u64() >= Some(1), "{kept:#}");
    assert_eq!(kept["prefixesReceived"], 0, "{kept:#}");
    let healthy = await_session(&speaker, "good", is_established);
    assert_eq!(healthy["flaps"], 0, "{healthy:#}");
    assert!(bird.view().unwrap().is_up(node.v4()));
    assert!(speaker.process.ended().unwrap().is_none());
}

#[test]
fn malformed_arp_and_ndp_frames_are_passed_over() {
    if !able(&["python3", "arping", "ping", "tcpdump"]) {
        return;
    }
    let net = network(1, 0);
    let folder = Folder::new(&net);
    folder.write(
        "lan",
        "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n\
         metadata: {name: lan, namespace: metallb-system}\nspec: {ipAddressPools: [lan]}\n",
    );
    let held: [IpAddr; 2] = ["192.0.2.200", "2001:db8:1::200"].map(|text| text.parse().unwrap());
    net.assert_silent(&held).unwrap();
    folder.write("web", &service("web", "192.0.2.200,2001:db8:1::200"));
    let speaker = folder.start(&net.nodes[0], Role::Standalone);
    let answered = |what: &str| {
        for address in held {
            let answers = || Ok(net.assert_silent(&[address]).is_err());
            let seen = wait::until(what, PATIENCE, answers);
            seen.unwrap_or_else(|error| panic!("{error:#}\n{}", speaker.status_text().unwrap()));
        }
    };
    answered("the node answers");
    let sniffer = Sniffer::start(net.client.end(LAN)).unwrap();
    let arguments = [
        script("hostile_frames.py"),
        LAN.into(),
        held[0].to_string(),
        held[1].to_string(),
    ];
    let arguments = arguments.each_ref().map(String::as_str);
    let sent = net.client.namespace().exec("python3", &arguments).unwrap();
    assert!(sent.trim().parse::<u32>().unwrap() > 600, "{sent}");
    answered("the node answers on");
    let own = net.nodes[0].mac().unwrap();
    wait::until("its answers are seen", Duration::from_secs(5), || {
        Ok(held
            .iter()
            .all(|address| sniffer.claimants(*address) == [own.clone()].into()))
    })
    .unwrap();
    assert!(speaker.process.ended().unwrap().is_none());
}
