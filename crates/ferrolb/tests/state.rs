// SPDX-License-Identifier: Apache-2.0
//! The state directory of a controller: damage, other versions, other controllers, a disk that refuses.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{fs, process::Command};

use common::{
    Folder, PROGRAM, pool,
    running::{addresses, faults, has_namespaces},
    service,
};

/// Two Services that hold the first two addresses, and the state before the second came.
fn folder() -> Folder {
    let folder = Folder::with(&[
        ("pools.yaml", &pool("lan", "192.0.2.0/29")),
        ("how.yaml", &common::layer2()),
        ("b.yaml", &service("b")),
    ]);
    let mut controller = folder.controller();
    folder.await_held(&["default/b"]);
    controller.await_synced();
    folder.write("c.yaml", &service("c"));
    folder.await_held(&["default/b", "default/c"]);
    assert!(controller.stop().success());
    folder
}

/// Every length for a whole run, some from each part of the file otherwise.
fn lengths(text: &str) -> Vec<usize> {
    let step = if std::env::var_os("FERROLB_SOAK").is_some() {
        1
    } else {
        23
    };
    let last = [text.len() - 2, text.len() - 1];
    (0..text.len()).step_by(step).chain(last).collect()
}

#[test]
fn a_state_file_cut_anywhere_gives_way_to_the_one_before() {
    let folder = folder();
    let state = folder.state();
    let current = fs::read_to_string(state.join("addresses")).unwrap();
    let previous = fs::read_to_string(state.join("addresses.previous")).unwrap();
    for length in lengths(&current) {
        fs::write(state.join("addresses"), &current[..length]).unwrap();
        fs::write(state.join("addresses.previous"), &previous).unwrap();
        let mut controller = folder.controller();
        let report = controller.await_report("both addresses", |report| {
            addresses(report, "default/b") == ["192.0.2.0"]
                && addresses(report, "default/c") == ["192.0.2.1"]
        });
        assert_eq!(faults(&report), ["FLB-T001"], "cut at {length}");
        let fault = &report["faults"][0];
        assert_eq!(fault["severity"], "warning");
        assert!(
            fault["cause"].as_str().unwrap().contains("damaged"),
            "{fault}"
        );
        assert_eq!(folder.held().len(), 2, "written anew");
    }
}

#[test]
fn with_both_files_damaged_nothing_is_given_out_until_they_are_removed() {
    let folder = folder();
    let state = folder.state();
    for name in ["addresses", "addresses.previous"] {
        let text = fs::read_to_string(state.join(name)).unwrap();
        fs::write(state.join(name), &text[..text.len() / 2]).unwrap();
    }
    let damaged = fs::read(state.join("addresses")).unwrap();
    let mut controller = folder.controller();
    let report = controller.await_faults(&["FLB-T002"]);
    assert_eq!(report["synced"], false);
    assert!(addresses(&report, "default/b").is_empty());
    // A change of the folder is read and does not get round it.
    folder.write("d.yaml", &(service("d") + "kind: Servce\napiVersion: v1\n"));
    let report = controller.await_faults(&["FLB-T002", "FLB-F004"]);
    assert!(addresses(&report, "default/d").is_empty());
    assert_eq!(fs::read(state.join("addresses")).unwrap(), damaged);
    let plan = folder.run("plan", &[]);
    assert_eq!((plan.code, plan.out.as_str()), (2, ""));
    assert!(plan.err.contains("FLB-T002"), "{plan:#?}");
    // The operator's word.
    for name in ["addresses", "addresses.previous"] {
        fs::remove_file(state.join(name)).unwrap();
    }
    folder.await_held(&["default/b", "default/c", "default/d"]);
    controller.await_faults(&["FLB-F004"]);
}

#[test]
fn a_file_restored_from_a_copy_is_taken_up_too() {
    let folder = folder();
    let state = folder.state();
    let copy = fs::read(state.join("addresses")).unwrap();
    fs::write(state.join("addresses"), "x").unwrap();
    fs::remove_file(state.join("addresses.previous")).unwrap();
    let mut controller = folder.controller();
    controller.await_faults(&["FLB-T002"]);
    fs::write(state.join("addresses"), copy).unwrap();
    let report = controller.await_faults(&[]);
    assert_eq!(addresses(&report, "default/c"), ["192.0.2.1"]);
}

#[test]
fn the_addresses_of_a_newer_version_are_kept() {
    let folder = folder();
    let body = "ferrolb-state 9\nlease default/b until=never\naddress default/c 192.0.2.6 lan since=1 owner=x\n";
    let sum = Command::new("sh")
        .args([
            "-c",
            &format!("printf '{}' | sha256sum", body.replace('\n', "\\n")),
        ])
        .output()
        .unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let sum = sum.split(' ').next().unwrap();
    fs::write(
        folder.state().join("addresses"),
        format!("{body}end 2 {sum} more\n"),
    )
    .unwrap();
    let mut controller = folder.controller();
    let held = folder.await_held(&["default/b", "default/c"]);
    assert_eq!(held["default/c"], "192.0.2.6");
    assert_ne!(held["default/b"], "192.0.2.6");
    controller.await_faults(&[]);
}

#[test]
fn a_second_controller_is_refused_with_the_number_of_the_first() {
    let folder = folder();
    let mut first = folder.controller();
    first.await_synced();
    let before = folder.held();
    for role in ["controller", "standalone"] {
        let second = folder.run(role, &[]);
        assert_eq!((second.code, second.out.as_str()), (2, ""), "{second:#?}");
        for part in ["FLB-T003", &format!("process {}", first.pid())] {
            assert!(second.err.contains(part), "{part}: {}", second.err);
        }
    }
    assert_eq!(folder.held(), before);
    assert!(first.report().is_some(), "the first goes on");
    // Killed, it leaves the lock to whoever comes next.
    first.kill();
    folder.controller().await_synced();
}

#[test]
fn a_state_directory_that_cannot_be_written_keeps_a_controller_from_starting() {
    if !has_namespaces() {
        return;
    }
    let folder = folder();
    let state = folder.state();
    let mut command = Command::new("unshare");
    let mount = format!(
        "mount --bind {0} {0} && mount -o remount,ro,bind {0} && exec \"$0\" \"$@\"",
        state.display()
    );
    command.args(["-m", "sh", "-c", &mount, PROGRAM]);
    let refused = folder.start(command, "controller", "controller", &[]);
    let log = folder.root().join("controller.log");
    assert_eq!(refused.ended(), 2);
    let log = fs::read_to_string(log).unwrap();
    assert!(
        log.contains("FLB-T004") && log.contains("--state-dir"),
        "{log}"
    );
    // And one that is no directory.
    fs::remove_dir_all(&state).unwrap();
    fs::write(&state, "").unwrap();
    let refused = folder.run("controller", &[]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("FLB-T004"), "{refused:#?}");
}

#[test]
fn what_cannot_be_written_is_told_to_nobody_until_it_is() {
    let folder = folder();
    let mut controller = folder.controller();
    controller.await_synced();
    // The name under which the next generation is written is taken by a directory.
    let obstacle = folder.state().join("addresses.new");
    fs::create_dir(&obstacle).unwrap();
    folder.write("d.yaml", &service("d"));
    let report = controller.await_faults(&["FLB-T004"]);
    assert!(addresses(&report, "default/d").is_empty(), "{report:#?}");
    assert_eq!(addresses(&report, "default/b"), ["192.0.2.0"]);
    assert!(!folder.held().contains_key("default/d"));
    fs::remove_dir(obstacle).unwrap();
    folder.await_held(&["default/d"]);
    let report = controller.await_faults(&[]);
    assert_eq!(addresses(&report, "default/d"), ["192.0.2.2"]);
}
