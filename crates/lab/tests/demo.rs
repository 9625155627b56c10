// SPDX-License-Identifier: Apache-2.0
//! The demo cleans up after Ctrl-C, whenever it comes.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use common::{SOON, able};
use ferrolb_lab::{routers::Kind, run, wait};

/// Starts the demo; these tests end it before it starts the program under test.
fn demo() -> Child {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/demo");
    Command::new(env!("CARGO_BIN_EXE_ferrolb-lab"))
        .arg("demo")
        .arg("--manifests")
        .arg(manifests)
        .env("FERROLB_BIN", "/bin/true")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Interrupts the demo once it has this many namespaces and processes in them, and looks for what
/// it left.
fn interrupted(namespaces: usize, processes: usize, signal: &str) {
    let mut programs = vec!["arping", "ping"];
    programs.extend(Kind::Frr.programs());
    if !able(&programs) {
        return;
    }
    let mut demo = demo();
    let pid = demo.id();
    wait::until("the demo builds", SOON, || {
        Ok(run::namespaces_of(pid)?.len() >= namespaces && everything_of(pid).len() >= processes)
    })
    .unwrap();
    let inside = everything_of(pid);
    kill(pid, signal);
    let (status, _) = wait::arrival("the demo ends", SOON, || Ok(demo.try_wait()?)).unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(run::namespaces_of(pid).unwrap(), Vec::<String>::new());
    assert_eq!(folders_of(pid), Vec::<PathBuf>::new());
    for child in inside {
        assert!(
            !Path::new(&format!("/proc/{child}")).exists(),
            "process {child} is left"
        );
    }
}

fn kill(pid: u32, signal: &str) {
    let done = Command::new("kill")
        .args([format!("-{signal}"), pid.to_string()])
        .status();
    assert!(done.unwrap().success());
}

fn everything_of(pid: u32) -> Vec<u32> {
    let namespaces = run::namespaces_of(pid).unwrap();
    let inside = |name: &String| run::processes_in(name).unwrap_or_default();
    namespaces.iter().flat_map(inside).collect()
}

fn folders_of(pid: u32) -> Vec<PathBuf> {
    let start = format!("{}-{pid}-", run::PREFIX);
    let entries = fs::read_dir(env::temp_dir()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&start))
        })
        .collect()
}

#[test]
fn ctrl_c_while_the_network_is_built() {
    interrupted(2, 0, "INT");
}

#[test]
fn sigterm_while_routers_run() {
    // Switch, two clients, three nodes, two routers; zebra, bgpd and bird in the latter.
    interrupted(8, 3, "TERM");
}

#[test]
fn a_killed_demo_is_cleared_by_the_next_run() {
    if !able(&[]) {
        return;
    }
    let mut demo = demo();
    let pid = demo.id();
    wait::until("the demo builds", SOON, || {
        Ok(run::namespaces_of(pid)?.len() >= 4)
    })
    .unwrap();
    demo.kill().unwrap();
    demo.wait().unwrap();
    // A command it had under way may still end.
    wait::until("all of it is cleared", SOON, || {
        run::clear_leftovers()?;
        Ok(run::namespaces_of(pid)?.is_empty() && folders_of(pid).is_empty())
    })
    .unwrap();
}
