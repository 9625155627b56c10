// SPDX-License-Identifier: Apache-2.0
//! The command line: spellings, errors that name their flag, and what prints and ends.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::{Folder, ferrolb, layer2, pool, service};

#[test]
fn the_version_is_that_of_the_package() {
    let want = format!("ferrolb {}\n", env!("CARGO_PKG_VERSION"));
    let ran = ferrolb(&["--version"]);
    assert_eq!((ran.code, ran.out), (0, want));
}

#[test]
fn metallbs_flags_are_taken_with_one_dash_or_two() {
    let classed = service("web").replace("spec:", "spec:\n  loadBalancerClass: mine.io/lb");
    let text = pool("lan", "192.0.2.0/30").replace("name: lan", "name: lan\n  namespace: lb");
    let how = layer2().replace("name: all", "name: all\n  namespace: lb");
    let folder = Folder::with(&[("all.yaml", &(classed + &text + &how))]);
    assert!(!folder.run("plan", &[]).out.contains("default/web"));
    for flags in [
        ["-namespace=lb", "-lb-class=mine.io/lb"],
        ["--namespace=lb", "--lb-class=mine.io/lb"],
    ] {
        let plan = folder.run("plan", &flags);
        assert!(plan.out.contains("192.0.2.0"), "{flags:?}: {plan:#?}");
    }
    let apart = folder.run("plan", &["-namespace", "lb", "-lb-class", "mine.io/lb"]);
    assert!(apart.out.contains("192.0.2.0"), "{apart:#?}");
}

#[test]
fn an_error_names_the_flag_at_fault() {
    let table: [(&[&str], &str); 9] = [
        (&["plan"], "--dir"),
        (&["plan", "--dir", "/no/such/folder"], "--dir"),
        (&["controller", "--dir", "/no/such/folder"], "--dir"),
        (&["check"], "PATH"),
        (&["check", "x", "-o", "xml"], "--output"),
        (
            &["controller", "--dir", "x", "--log-level=loud"],
            "--log-level",
        ),
        (
            &["speaker", "--dir", "x", "--heartbeat-port=70000"],
            "--heartbeat-port",
        ),
        (&["status"], "--socket"),
        (&["plan", "--dir", "x", "--nod", "n1"], "--nod"),
    ];
    for (arguments, flag) in table {
        let ran = ferrolb(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(flag), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_folder_that_is_not_there_is_refused_with_code_value_and_remedy() {
    for command in ["plan", "standalone"] {
        let ran = ferrolb(&[command, "--dir", "/no/such/folder"]);
        assert_eq!(ran.code, 2);
        for part in ["FLB-X002", "--dir", "/no/such/folder", "name a folder"] {
            assert!(ran.err.contains(part), "{part}: {}", ran.err);
        }
    }
}

#[test]
fn a_socket_that_cannot_be_made_is_refused_with_code_value_and_remedy() {
    let ran = Folder::new().run("standalone", &["--socket", "/proc/no/such.sock"]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    for part in ["FLB-X007", "--socket", "/proc/no/such.sock", "name a path"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}

#[test]
fn what_keeps_a_process_from_starting_has_code_value_and_remedy() {
    let folder = Folder::new();
    let file = |name: &str, text: &str| {
        let path = folder.root().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let closed = r#"{"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}], "current-context": "x"}"#;
    let closed = file("closed.kubeconfig", closed);
    let exclude = file("exclude.txt", "announcedInterfacesToExclude: ['[']\n");
    let form = file("form.txt", "announced: []\n");
    let held = std::net::UdpSocket::bind("[::]:0").unwrap();
    let held = held.local_addr().unwrap().port().to_string();
    let dir = folder.root().to_str().unwrap();
    let table: [(&[&str], [&str; 4]); 10] = [
        (
            &["status", "--kubeconfig=/none"],
            ["FLB-X004", "--kubeconfig", "/none", "name a kubeconfig"],
        ),
        (
            &[
                "speaker",
                "--kubeconfig=/none",
                "--namespace=n",
                "--node-name=n",
            ],
            ["FLB-X004", "--kubeconfig", "/none", "name a kubeconfig"],
        ),
        (
            &["plan", "--kubeconfig", &closed],
            ["FLB-X014", "API server", &closed, "see whether it runs"],
        ),
        (
            &["plan", "--dir", dir, "--node=n9"],
            ["FLB-X006", "Node n9", "--node", "give the name of a Node"],
        ),
        (
            &["plan", "--dir", dir, "--against=/none"],
            ["FLB-X004", "--against", "/none", "name a file"],
        ),
        (
            &["plan", "--dir", dir, "--against", &exclude],
            ["FLB-X004", "--against", &exclude, "name a state file"],
        ),
        (
            &["check", "/none"],
            ["FLB-X004", "PATH", "/none", "name a file or a folder"],
        ),
        (
            &["standalone", "--dir", dir, "--exclude-l2", &exclude],
            ["FLB-X004", "--exclude-l2", "\"[\"", "mend the expression"],
        ),
        (
            &["standalone", "--dir", dir, "--exclude-l2", &form],
            ["FLB-X004", "--exclude-l2", &form, "write `announced"],
        ),
        (
            &["standalone", "--dir", dir, "--heartbeat-port", &held],
            ["FLB-X007", "--heartbeat-port", &held, "end what holds"],
        ),
    ];
    for (arguments, parts) in table {
        let ran = ferrolb(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:#?}");
        for part in parts {
            assert!(ran.err.contains(part), "{part}: {}", ran.err);
        }
    }
}

#[test]
fn a_name_that_is_no_node_is_refused_by_its_flag() {
    let folder = Folder::new();
    for name in ["", "../up", ".hidden"] {
        let ran = folder.run("speaker", &["--node-name", name]);
        assert_eq!(ran.code, 2, "{name:?}");
        assert!(
            ran.err.contains("FLB-X002") && ran.err.contains("--node-name"),
            "{ran:#?}"
        );
    }
}

#[test]
fn completion_scripts_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = ferrolb(&["completion", shell]);
        assert_eq!(ran.code, 0, "{shell}");
        for word in ["standalone", "explain", "completion"] {
            assert!(ran.out.contains(word), "{shell} does not know {word}");
        }
    }
    assert_eq!(ferrolb(&["completion", "tcsh"]).code, 2);
}

#[test]
fn a_bash_completion_script_is_bash() {
    let folder = Folder::new();
    let script = folder.root().join("script");
    std::fs::write(&script, ferrolb(&["completion", "bash"]).out).unwrap();
    let ran = common::ran(std::process::Command::new("bash").arg("-n").arg(script));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn nine_definitions_are_printed_and_can_be_read() {
    let ran = ferrolb(&["crds"]);
    assert_eq!(ran.code, 0);
    let documents: Vec<serde_json::Value> = ran
        .out
        .split("\n---\n")
        .map(|text| serde_saphyr::from_str(text).unwrap())
        .collect();
    let kinds: BTreeSet<&str> = documents
        .iter()
        .map(|crd| {
            assert_eq!(crd["kind"], "CustomResourceDefinition");
            assert_eq!(crd["spec"]["group"], "metallb.io");
            crd["spec"]["names"]["kind"].as_str().unwrap()
        })
        .collect();
    let want = [
        "BFDProfile",
        "BGPAdvertisement",
        "BGPPeer",
        "Community",
        "ConfigurationState",
        "IPAddressPool",
        "L2Advertisement",
        "ServiceBGPStatus",
        "ServiceL2Status",
    ];
    assert_eq!((documents.len(), kinds), (9, want.into()));
}

#[test]
fn codes_are_listed_and_told_one_by_one() {
    let list = ferrolb(&["codes"]);
    assert_eq!(list.code, 0);
    assert!(list.out.contains("FLB-T003"), "{}", list.out);
    let one = ferrolb(&["codes", "FLB-T003"]);
    assert_eq!(one.code, 0);
    assert!(one.out.contains("another controller"), "{}", one.out);
    let none = ferrolb(&["codes", "FLB-Q999"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("FLB-Q999"), "{none:#?}");
}

/// The program under another name, as an image would have it.
fn called(folder: &Folder, name: &str, arguments: &[&str]) -> common::Ran {
    let path = folder.root().join(name);
    let _ = std::fs::remove_file(&path);
    std::os::unix::fs::symlink(common::PROGRAM, &path).unwrap();
    let mut command = std::process::Command::new(&path);
    common::ran(command.args(arguments).env_clear())
}

#[test]
fn under_metallbs_names_it_takes_the_role() {
    let folder = Folder::new();
    for name in ["controller", "speaker"] {
        let ran = called(&folder, name, &["-dir", "x"]);
        assert_eq!(ran.code, 2, "dir is not a flag of MetalLB's: {ran:#?}");
        let ran = called(
            &folder,
            name,
            &["--dir=/no/such/folder", "-log-level", "debug"],
        );
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("/no/such/folder"), "{ran:#?}");
        let ran = called(&folder, name, &["--version"]);
        assert_eq!(ran.code, 0, "{ran:#?}");
    }
    let ran = called(&folder, "kubectl-ferrolb", &["explain", "--help"]);
    assert!(
        ran.out.contains("Usage: kubectl ferrolb explain"),
        "{ran:#?}"
    );
}

#[test]
fn a_role_that_finds_neither_folder_nor_api_server_says_what_it_looks_for() {
    let folder = Folder::new();
    for name in ["controller", "speaker"] {
        let ran = called(&folder, name, &["-port=0"]);
        assert_eq!(ran.code, 2);
        for word in ["FLB-X009", "--dir", "--kubeconfig"] {
            assert!(ran.err.contains(word), "{word} in {ran:#?}");
        }
    }
}

#[test]
fn a_flag_without_effect_is_said_once_in_the_log() {
    let folder = Folder::new();
    let more = ["-pprof-bind-address=:6060", "--log-format=json"];
    let mut command = std::process::Command::new(common::PROGRAM);
    command.env_remove("METALLB_BGP_TYPE");
    let mut controller = folder.start(command, "controller", "controller", &more);
    controller.await_synced();
    let log = controller.log();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let notes = lines.iter().filter(|line| {
        let text = line["msg"].as_str().unwrap_or_default();
        text.contains("FLB-X003") && text.contains("--pprof-bind-address")
    });
    assert_eq!(notes.count(), 1, "{log}");
    for key in ["caller", "level", "msg", "ts"] {
        assert!(
            lines.iter().all(|line| line[key].is_string()),
            "{key} in {log}"
        );
    }
    assert!(controller.stop().success());
}

#[test]
fn flags_of_both_sources_are_refused_by_their_names() {
    let table: [(&[&str], &str); 4] = [
        (
            &["plan", "--dir=x", "--kubeconfig=k"],
            "--dir and --kubeconfig",
        ),
        (&["check", "x", "--context=c"], "PATH and --context"),
        (
            &["status", "--socket=s", "--kubeconfig=k"],
            "--socket and --kubeconfig",
        ),
        (
            &["controller", "--dir=x", "--webhook-mode=disabled"],
            "--dir and --webhook-mode",
        ),
    ];
    for (arguments, flags) in table {
        let ran = ferrolb(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(
            ran.err.contains("FLB-X008") && ran.err.contains(flags),
            "{ran:#?}"
        );
    }
}
