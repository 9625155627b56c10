// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a session stands in `ferrolb status` and `ferrolb explain`, in words.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::net::IpAddr;

use common::{
    NODE_AS, ROUTER_AS, able,
    folder::{
        Folder, PATIENCE, advertisement, await_session, codes, is_established, peer, service,
    },
    network,
};
use ferrolb_lab::{
    Process,
    ferrolb::{Instance, Role},
    process::Spec,
    routers::{Families, Kind, Neighbor, Router, RouterConfig},
    topology::Host,
    wait,
};

/// Takes connections and never says a word.
const SILENT: &str = "\
import socket, time
s = socket.create_server(('0.0.0.0', 179))
kept = []
while True: kept.append(s.accept())
";

/// A fault: the peer's name, the code it must show, further lines of the peer's spec.
const FAULTS: [(&str, &str, &[&str]); 8] = [
    ("wrong-password", "FLB-G002", &["password: ours"]),
    ("wrong-as-here", "FLB-G008", &[]),
    ("wrong-as-there", "FLB-G013", &[]),
    ("port-closed", "FLB-G001", &[]),
    ("silent", "FLB-G006", &[]),
    (
        "family-missing",
        "FLB-G012",
        &["dualStackAddressFamily: true"],
    ),
    ("no-source", "FLB-G015", &["sourceAddress: 192.0.2.77"]),
    ("no-family", "FLB-G011", &[]),
];

/// The router of a fault, if it is a BIRD.
fn bird(fault: &str, router: &Host, node: IpAddr) -> Option<Box<dyn Router>> {
    let neighbor = Neighbor::new(router.v4(), node, NODE_AS);
    let neighbor = match fault {
        "wrong-password" => neighbor.keyed("theirs"),
        "wrong-as-there" => Neighbor::new(router.v4(), node, 64999),
        "no-family" => neighbor.carrying(Families::V6),
        "port-closed" | "silent" => return None,
        _ => neighbor,
    };
    let asn = if fault == "wrong-as-here" {
        64998
    } else {
        ROUTER_AS
    };
    let config = RouterConfig::new(asn, router.id()).with(neighbor);
    Some(Kind::Bird.start(router.namespace(), &config).unwrap())
}

#[test]
fn each_trouble_is_told_in_words() {
    if !able(&["python3"]) {
        return;
    }
    let net = network(1, 8);
    let node = &net.nodes[0];
    let faults = || FAULTS.iter().zip(&net.routers);
    let _birds: Vec<_> = faults()
        .map(|(fault, router)| bird(fault.0, router, node.v4()))
        .collect();
    let listener = Spec::new("silent", "python3", ["-c", SILENT]);
    let (_, silent) = faults().find(|(fault, _)| fault.0 == "silent").unwrap();
    let _silent = Process::start(silent.namespace(), &listener).unwrap();
    let folder = Folder::new(&net);
    let peers: String = faults()
        .map(|((name, _, more), router)| {
            peer(
                name,
                NODE_AS,
                ROUTER_AS,
                &router.v4().to_string(),
                &["n1"],
                more,
            )
        })
        .collect();
    folder.write("peers", &peers);
    folder.write("hosts", &advertisement("hosts", &[]));
    folder.write("web", &service("web", "203.0.113.1,2001:db8:3::1"));
    let speaker = folder.start(node, Role::Standalone);

    for (name, code, _) in FAULTS {
        let session = await_session(&speaker, name, |session| codes(session).contains(code));
        let problems = session["problems"].as_array().unwrap().iter();
        for problem in problems.chain(session.get("lastError")) {
            for field in ["cause", "remedy"] {
                assert!(
                    problem[field].as_str().unwrap().len() > 10,
                    "{name}: {session:#}"
                );
            }
        }
        let works = ["family-missing", "no-source"].contains(&name);
        assert!(works || !is_established(&session), "{name}: {session:#}");
    }
    for name in ["family-missing", "no-source"] {
        await_session(&speaker, name, is_established);
    }
    explained(&folder, &speaker);
}

/// `explain` tells of every session, each with its trouble.
fn explained(folder: &Folder, speaker: &Instance) {
    let paths = [
        folder.ferrolb.manifests(),
        speaker.socket().parent().unwrap(),
    ];
    let [dir, state] = paths.map(|path| path.to_string_lossy().into_owned());
    wait::until("explain tells every trouble", PATIENCE, || {
        let said = folder.ferrolb.command(&[
            "explain",
            "svc/web",
            "--dir",
            &dir,
            "--state-dir",
            &state,
        ])?;
        let missing = FAULTS.iter().find(|(name, code, _)| {
            let told = |line: &str| {
                line.contains("live: n1: session ") && line.contains(name) && line.contains(code)
            };
            !said.stdout.lines().any(told)
        });
        match missing {
            None => Ok(true),
            Some(missing) => anyhow::bail!("{missing:?} not in:\n{}{}", said.stdout, said.stderr),
        }
    })
    .unwrap();
}
