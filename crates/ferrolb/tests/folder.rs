// SPDX-License-Identifier: Apache-2.0
//! A folder under a running role: files that are replaced, break, vanish and come in bulk.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{fs, process::Command};

use common::{
    Folder, PROGRAM, endpoints, eventually, layer2, node, pool,
    running::{addresses, faults, has_namespaces},
    service,
};

fn folder() -> Folder {
    Folder::with(&[
        ("pools.yaml", &pool("lan", "192.0.2.0/31")),
        ("how.yaml", &(layer2() + &node("n1"))),
        ("a.yaml", &(service("a") + &endpoints("a", "n1"))),
        ("b.yaml", &service("b")),
    ])
}

#[test]
fn a_file_replaced_over_and_over_is_never_read_by_halves() {
    let folder = folder();
    let mut controller = folder.controller();
    let before = folder.await_held(&["default/a", "default/b"]);
    // Long enough to take several reads, and each text different.
    for round in 0..150 {
        let filler = format!("# {round}\n").repeat(20_000);
        folder.write("a.yaml", &(filler + &service("a") + &endpoints("a", "n1")));
        let report = controller.report();
        let wrong = report.filter(|report| !faults(report).is_empty());
        assert!(wrong.is_none(), "round {round}: {wrong:#?}");
        assert_eq!(folder.held(), before, "round {round}");
    }
    assert!(!controller.log().contains("ERROR"), "{}", controller.log());
    controller.await_synced();
}

#[test]
fn a_folder_that_vanishes_withdraws_nothing() {
    let folder = folder();
    let mut controller = folder.controller();
    let before = folder.await_held(&["default/a", "default/b"]);
    let aside = folder.root().join("aside");
    fs::rename(folder.manifests(), &aside).unwrap();
    let report = controller.await_faults(&["FLB-F001"]);
    assert_eq!(addresses(&report, "default/a"), ["192.0.2.0"]);
    assert_eq!(folder.held(), before);
    // Back as it was.
    fs::rename(&aside, folder.manifests()).unwrap();
    controller.await_faults(&[]);
    // Gone for good, and another one in its place.
    fs::remove_dir_all(folder.manifests()).unwrap();
    controller.await_faults(&["FLB-F001"]);
    assert_eq!(folder.held(), before);
    fs::create_dir(&aside).unwrap();
    fs::write(
        aside.join("all.yaml"),
        pool("lan", "192.0.2.0/31") + &layer2() + &service("b"),
    )
    .unwrap();
    fs::rename(&aside, folder.manifests()).unwrap();
    let report =
        controller.await_report("a gone", |report| addresses(report, "default/a").is_empty());
    assert_eq!(addresses(&report, "default/b"), ["192.0.2.1"]);
    controller.await_faults(&[]);
}

#[test]
fn the_state_in_a_folder_that_is_made_anew_is_written_again() {
    let folder = folder().state_inside();
    let socket = folder.root().join("socket");
    let more = ["--socket", socket.to_str().unwrap()];
    let program = Command::new(PROGRAM);
    let mut controller = folder.start(program, "controller", "controller", &more);
    controller.socket.clone_from(&socket);
    let before = folder.await_held(&["default/a", "default/b"]);

    let aside = folder.root().join("aside");
    fs::rename(folder.manifests(), &aside).unwrap();
    let report = controller.await_faults(&["FLB-F001", "FLB-T004"]);
    assert_eq!(addresses(&report, "default/b"), ["192.0.2.1"]);
    assert!(
        !folder.manifests().exists(),
        "an empty folder would withdraw everything"
    );
    // The same manifests come back without the state.
    fs::remove_dir_all(aside.join(".ferrolb")).unwrap();
    fs::rename(&aside, folder.manifests()).unwrap();
    controller.await_faults(&[]);
    assert_eq!(folder.held(), before);
    let second = folder.run("controller", &[]);
    assert!(second.err.contains("FLB-T003"), "{second:#?}");
    // The file alone comes back too.
    fs::remove_file(folder.state().join("addresses")).unwrap();
    folder.write("c.yaml", &service("c"));
    assert_eq!(folder.await_held(&["default/a", "default/b"]), before);
}

#[test]
fn a_file_broken_by_an_edit_keeps_its_last_good_content_across_a_restart() {
    let folder = folder();
    let mut controller = folder.controller();
    let before = folder.await_held(&["default/a", "default/b"]);
    controller.await_synced();
    let broken = service("a").replace("type:", "typo:");
    folder.write("a.yaml", &broken);
    folder.write("pools.yaml", "spec:\n\taddresses\n");
    let check = |report: &serde_json::Value| {
        let position = |fault: &serde_json::Value| {
            let at = fault["position"].as_str().unwrap();
            at.rsplit('/').next().unwrap().to_owned()
        };
        let list: Vec<String> = report["faults"]
            .as_array()
            .unwrap()
            .iter()
            .map(position)
            .collect();
        assert_eq!(list, ["a.yaml:6:3", "pools.yaml:2:1"]);
        assert_eq!(addresses(report, "default/a"), ["192.0.2.0"]);
        assert_eq!(addresses(report, "default/b"), ["192.0.2.1"]);
        assert_eq!(folder.held(), before);
    };
    check(&controller.await_faults(&["FLB-V001", "FLB-F002"]));
    for restart in ["stopped", "killed"] {
        if restart == "stopped" {
            assert!(controller.stop().success());
        } else {
            controller.kill();
        }
        controller = folder.controller();
        check(&controller.await_report("the faults", |report| {
            report["synced"] == true && faults(report).len() == 2
        }));
        let pending = controller.await_synced();
        assert!(pending["services"][0]["pending"].is_null(), "{pending:#?}");
    }
    folder.write("pools.yaml", &pool("lan", "192.0.2.0/31"));
    folder.write("a.yaml", &service("a"));
    let report = controller.await_faults(&[]);
    assert_eq!(addresses(&report, "default/a"), ["192.0.2.0"]);
    assert_eq!(folder.held(), before);
}

#[test]
fn the_address_of_a_deleted_service_goes_to_one_that_waits() {
    let folder = folder();
    folder.write("c.yaml", &service("c"));
    let mut controller = folder.controller();
    folder.await_held(&["default/a", "default/b"]);
    let report = controller.await_report("one that waits", |report| {
        report["services"][2]["pending"]["code"].is_string()
    });
    assert!(addresses(&report, "default/c").is_empty());
    folder.remove("a.yaml");
    let held = folder.await_held(&["default/c"]);
    assert_eq!(held["default/c"], "192.0.2.0");
    assert_eq!(held["default/b"], "192.0.2.1");
    let report = controller.await_report("the address", |report| {
        addresses(report, "default/c") == ["192.0.2.0"]
    });
    assert_eq!(report["services"].as_array().unwrap().len(), 2);
}

#[test]
fn a_thousand_services_at_once_get_a_thousand_addresses() {
    let folder = folder();
    folder.write("pools.yaml", &pool("lan", "192.0.2.0-192.0.6.255"));
    let mut controller = folder.controller();
    let before = folder.await_held(&["default/a", "default/b"]);
    controller.await_synced();
    let bulk: String = (0..500).map(|n| service(&format!("bulk-{n}"))).collect();
    folder.write("bulk.yaml", &bulk);
    for n in 0..500 {
        folder.write(&format!("one-{n}.yaml"), &service(&format!("one-{n}")));
    }
    let held = eventually("all addresses", || {
        let held = folder.held();
        (held.len() == 1002).then_some(held)
    });
    let distinct: std::collections::BTreeSet<&String> = held.values().collect();
    assert_eq!(distinct.len(), 1002);
    assert_eq!(
        (&held["default/a"], &held["default/b"]),
        (&before["default/a"], &before["default/b"])
    );
    // One of them leaves, and nothing else moves.
    folder.remove("one-7.yaml");
    let after = eventually("one less", || {
        let after = folder.held();
        (after.len() == 1001).then_some(after)
    });
    assert!(
        after
            .iter()
            .all(|(service, address)| held[service] == *address)
    );
    assert_eq!(
        controller.await_faults(&[])["services"]
            .as_array()
            .unwrap()
            .len(),
        1001
    );
}

#[test]
fn a_standalone_role_announces_what_it_assigned_until_it_is_deleted() {
    if !has_namespaces() {
        return;
    }
    let folder = folder();
    let mut role = folder.announcing("standalone", "n1");
    let layer2 = |report: &serde_json::Value| -> Vec<String> {
        let list = report["addresses"].as_array().unwrap();
        list.iter()
            .map(|one| one["address"].as_str().unwrap().to_owned())
            .collect()
    };
    let report = role.await_report("announced", |report| layer2(report) == ["192.0.2.0"]);
    assert_eq!(report["services"][0]["service"], "default/a");
    assert_eq!(report["alive"], serde_json::json!(["n1"]));
    // Broken, it stays; deleted, it goes.
    folder.write("a.yaml", "spec: [\n");
    let report = role.await_faults(&["FLB-F002"]);
    assert_eq!(layer2(&report), ["192.0.2.0"]);
    folder.remove("a.yaml");
    role.await_report("withdrawn", |report| layer2(report).is_empty());
    assert!(role.stop().success());
}
