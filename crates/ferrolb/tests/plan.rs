// SPDX-License-Identifier: Apache-2.0
//! `ferrolb plan`: what a folder would do, and what a change of it would move.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;

use common::{Folder, endpoints, layer2, node, pool, router, service};
use insta::assert_snapshot;

/// Three Services and two nodes; the addresses of the first two are held already.
fn folder() -> Folder {
    let folder = Folder::with(&[
        ("pools.yaml", &pool("lan", "192.0.2.0/30")),
        ("nodes.yaml", &(node("n1") + &node("n2"))),
        ("how.yaml", &(layer2() + &router("r1", "198.51.100.1"))),
        ("a.yaml", &(service("a") + &endpoints("a", "n1"))),
        ("b.yaml", &(service("b") + &endpoints("b", "n2"))),
    ]);
    let controller = folder.controller();
    folder.await_held(&["default/a", "default/b"]);
    drop(controller);
    folder
}

#[test]
fn addresses_are_got_kept_moved_awaited_and_lost() {
    let folder = folder();
    folder.write("c.yaml", &service("c"));
    let plan = folder.run("plan", &[]);
    assert_eq!((plan.code, plan.err.as_str()), (0, ""));
    let table = |text: &str| text.split("\n\n").next().unwrap().to_owned();
    assert_snapshot!(table(&plan.out), @r"
    SERVICE    ADDRESSES  POOL         WHY
    default/a  192.0.2.0  lan   keeps  kept: its status held it, of pool lan
    default/b  192.0.2.1  lan   keeps  kept: its status held it, of pool lan
    default/c  192.0.2.2  lan   gets   first usable of pool lan, open to all
    ");
    // Room for one alone, elsewhere.
    folder.write("pools.yaml", &pool("lan", "203.0.113.7/32"));
    let plan = folder.run("plan", &[]);
    assert_eq!(plan.code, 0);
    for verdict in ["moves from 192.0.2.", "loses 192.0.2.", "waits"] {
        assert!(plan.out.contains(verdict), "{verdict}: {}", plan.out);
    }
    assert!(plan.out.contains("FLB-I"), "{}", plan.out);
    // A plan writes nothing.
    assert_eq!(folder.held()["default/a"], "192.0.2.0");
}

#[test]
fn a_node_is_told_apart_and_an_unknown_one_is_named() {
    let folder = folder();
    let plan = folder.run("plan", &["--node", "n1"]);
    assert!(plan.out.contains("node n1 would announce"), "{}", plan.out);
    assert!(!plan.out.contains("node n2"), "{}", plan.out);
    assert!(
        plan.out.contains("default/b  r1") && plan.out.contains("192.0.2.1/32"),
        "{}",
        plan.out
    );
    let wrong = folder.run("plan", &["--node", "n3"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(
        wrong.err.contains("Node n3") && wrong.err.contains("--node"),
        "{wrong:#?}"
    );
}

#[test]
fn against_a_state_file_only_the_difference_is_said() {
    let folder = folder();
    let state = folder.state().join("addresses");
    let state = state.to_str().unwrap();
    let same = folder.run("plan", &["--against", state]);
    assert_eq!(
        (same.code, same.out.as_str()),
        (0, "nothing would change\n")
    );
    folder.write("c.yaml", &service("c"));
    folder.remove("a.yaml");
    let plan = folder.run("plan", &["--against", state]);
    assert_eq!(plan.code, 0);
    assert!(!plan.out.contains("default/b"), "{}", plan.out);
    assert!(plan.out.contains("default/a  192.0.2.0  (no such Service)"));
    // The address of the one that goes is free for the one that comes.
    assert!(
        plan.out.contains("default/c  -          192.0.2.0"),
        "{}",
        plan.out
    );
}

#[test]
fn against_a_saved_plan_announcements_are_compared_too() {
    let folder = folder();
    let saved = folder.root().join("plan.json");
    fs::write(&saved, folder.run("plan", &["-o", "json"]).out).unwrap();
    let saved = saved.to_str().unwrap();
    let same = folder.run("plan", &["--against", saved]);
    assert_eq!(same.out, "nothing would change\n");
    folder.write("how.yaml", &router("r1", "198.51.100.1"));
    let text = folder.run("plan", &["--against", saved]).out;
    assert!(text.starts_with("\nwould be withdrawn\n"), "{text}");
    assert!(text.contains("layer 2"), "{text}");
    assert!(
        !text.contains("would be announced") && !text.contains("r1"),
        "{text}"
    );
    let json = folder
        .run("plan", &["--against", saved, "-o", "json"])
        .json();
    assert_eq!(json["services"].as_array().unwrap().len(), 0);
    assert_eq!(json["withdrawn"].as_array().unwrap().len(), 2);
    assert_eq!(json["announced"].as_array().unwrap().len(), 0);
}

#[test]
fn what_is_neither_state_nor_plan_is_refused() {
    let folder = folder();
    let state = fs::read_to_string(folder.state().join("addresses")).unwrap();
    let cut = folder.root().join("cut");
    fs::write(&cut, &state[..state.len() - 10]).unwrap();
    let ran = folder.run("plan", &["--against", cut.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(
        ran.err.contains("--against") && ran.err.contains("cut"),
        "{ran:#?}"
    );
    let missing = folder.run("plan", &["--against", "no-such-file"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("no-such-file"), "{missing:#?}");
}

#[test]
fn the_saved_form_is_stable() {
    let json = folder().run("plan", &["-o", "json"]).json();
    let a = &json["services"]["default/a"];
    assert_eq!(a["addresses"], serde_json::json!(["192.0.2.0"]));
    assert_eq!(a["pool"], "lan");
    let told = json["nodes"]["n1"].as_array().unwrap();
    let to_router = told
        .iter()
        .find(|one| one["service"] == "default/a" && one["to"] == "r1");
    assert_eq!(to_router.unwrap()["what"], "192.0.2.0/32");
}
