// SPDX-License-Identifier: Apache-2.0
//! `ferrolb status`: what running processes say of themselves, in tables and in JSON.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{
    Folder, endpoints, ferrolb, layer2, node, pool, router,
    running::{addresses, connected, has_namespaces},
    service,
};

fn folder() -> Folder {
    Folder::with(&[
        ("pools.yaml", &pool("lan", "192.0.2.0/32")),
        ("nodes.yaml", &(node("n1") + &node("n2"))),
        ("how.yaml", &(layer2() + &router("r1", "198.51.100.1"))),
        ("a.yaml", &(service("a") + &endpoints("a", "n1"))),
        ("b.yaml", &service("b")),
    ])
}

#[test]
fn a_controller_tells_addresses_and_what_waits() {
    let folder = folder();
    let mut controller = folder.controller();
    folder.await_held(&["default/a"]);
    let report = controller.await_synced();
    assert_eq!(report["role"], "controller");
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(addresses(&report, "default/a"), ["192.0.2.0"]);
    let pending = &report["services"][1]["pending"];
    assert!(pending["code"].as_str().unwrap().starts_with("FLB-I"));

    let text = folder.run_status(&[]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    let head = format!(
        "controller  version {}, pid {}",
        env!("CARGO_PKG_VERSION"),
        controller.pid()
    );
    assert!(text.out.starts_with(&head), "{}", text.out);
    assert!(text.out.contains("default/a  192.0.2.0"), "{}", text.out);
    assert!(
        text.out.contains("default/b  pending (FLB-I"),
        "{}",
        text.out
    );
    assert!(text.out.contains("Trouble\n"), "{}", text.out);

    let one = ferrolb(&[
        "status",
        "-o",
        "json",
        "--socket",
        controller.socket.to_str().unwrap(),
    ]);
    assert_eq!(one.json()["pid"], controller.pid());
    let list = folder.run_status(&["-o", "json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert!(controller.stop().success());
}

#[test]
fn two_processes_of_one_folder_both_answer() {
    if !has_namespaces() {
        return;
    }
    let folder = folder();
    let mut controller = folder.controller();
    let mut speaker = folder.announcing("speaker", "n1");
    controller.await_synced();
    let report = speaker.await_report("the address", |report| {
        report["synced"] == true && addresses(report, "default/a") == ["192.0.2.0"]
    });
    assert_eq!(
        (&report["role"], &report["node"]),
        (&"speaker".into(), &"n1".into())
    );
    let sessions = report["sessions"].as_array().unwrap();
    assert_eq!(sessions[0]["peer"], "r1");
    assert_eq!(sessions[0]["remote"], "198.51.100.1:179");

    let list = folder.run_status(&["-o", "json"]).json();
    let roles: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|report| report["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["controller", "speaker"]);
    let text = folder.run_status(&[]).out;
    for part in [
        "controller  version",
        "speaker n1  version",
        "BGP sessions",
        "198.51.100.1:179",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // What only the speaker knows is in `explain`, too.
    let explained = folder.run("explain", &["a"]);
    assert!(
        explained.out.contains("live: n1: session r1 is"),
        "{}",
        explained.out
    );
    // One of the two gone by force: its socket stays, the other still answers.
    controller.kill();
    let half = folder.run_status(&[]);
    assert_eq!(half.code, 1);
    assert!(
        half.err.contains("FLB-X005") && half.err.contains("controller.sock"),
        "{half:#?}"
    );
    assert!(half.out.contains("speaker n1"), "{half:#?}");
}

/// FRR-K8s is not spoken to: what asks for BGP is refused, and layer 2 works.
#[test]
fn under_frr_k8s_bgp_is_refused_and_layer_2_works() {
    if !has_namespaces() {
        return;
    }
    let folder = folder();
    let mut program = connected();
    program.env("METALLB_BGP_TYPE", "frr-k8s");
    let mut role = folder.start(program, "standalone", "n1", &["--node-name", "n1"]);
    let report = role.await_report("layer 2", |report| {
        let said = report["services"][0]["layer2"].as_str();
        said.is_some_and(|said| said.starts_with("yes"))
    });
    assert_eq!(report["sessions"].as_array().map_or(0, Vec::len), 0);
    let faults = report["faults"].as_array().unwrap().iter();
    let refused = faults.filter(|fault| fault["code"] == "FLB-X011");
    let refused: Vec<&str> = refused
        .filter_map(|fault| fault["object"].as_str())
        .collect();
    assert!(
        refused.contains(&"BGPPeer metallb-system/r1"),
        "{refused:?}"
    );
    // What would be announced is not, where the speaker says so.
    let why = folder.run("explain", &["a"]).out;
    for words in ["    BGP: no, FLB-X011", "  live: n1: BGP: FLB-X011"] {
        assert!(why.contains(words), "{words}: {why}");
    }
    assert!(why.contains("layer 2: announced on"), "{why}");
}

#[test]
fn where_nobody_runs_that_is_said() {
    let folder = folder();
    let none = folder.run_status(&[]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert!(
        none.err.contains(folder.state().to_str().unwrap()),
        "{none:#?}"
    );
    std::fs::create_dir(folder.state()).unwrap();
    let empty = folder.run_status(&[]);
    assert_eq!(empty.code, 2);
    assert!(empty.err.contains("FLB-X005"), "{empty:#?}");
}

#[test]
fn the_socket_of_a_killed_process_is_replaced_and_a_live_one_is_not() {
    let folder = folder();
    let mut first = folder.controller();
    first.await_synced();
    first.kill();
    assert!(folder.state().join("controller.sock").exists());
    let dead = folder.run_status(&[]);
    assert_eq!(dead.code, 2);
    assert!(dead.err.contains("FLB-X005"), "{dead:#?}");
    let mut second = folder.controller();
    second.await_synced();
    assert_eq!(folder.run_status(&[]).code, 0);
    // Another folder's controller told to use the same socket leaves it alone.
    let other = Folder::new();
    let refused = other.run("controller", &["--socket", second.socket.to_str().unwrap()]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("--socket"), "{refused:#?}");
    assert_eq!(folder.run_status(&[]).code, 0);
    // After a proper end nothing is left.
    assert!(second.stop().success());
    assert!(!folder.state().join("controller.sock").exists());
}

#[test]
fn a_client_that_says_nothing_and_reads_nothing_holds_nobody_up() {
    let folder = folder();
    let mut controller = folder.controller();
    controller.await_synced();
    let idle: Vec<_> = (0..64)
        .map(|_| std::os::unix::net::UnixStream::connect(&controller.socket).unwrap())
        .collect();
    assert_eq!(folder.run_status(&[]).code, 0);
    drop(idle);
    assert_eq!(folder.run_status(&[]).code, 0);
}
