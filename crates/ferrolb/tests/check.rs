// SPDX-License-Identifier: Apache-2.0
//! `ferrolb check`: what it says, where it points, and how it ends.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{collections::BTreeSet, fs, os::unix::fs::symlink};

use common::{Folder, Ran, endpoints, ferrolb, layer2, node, pool, service};
use insta::assert_snapshot;

/// The faults of an answer in JSON, as `file:line:column code field`.
fn places(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let place = |fault: &serde_json::Value| {
        let at = &fault["position"];
        let file = at["file"].as_str().unwrap_or("-");
        let (code, field) = (fault["code"].as_str().unwrap(), &fault["field"]);
        let place = format!("{file}:{}:{}", at["line"], at["column"]);
        format!("{place} {code} {}", field.as_str().unwrap())
    };
    json.as_array().unwrap().iter().map(place).collect()
}

fn good() -> String {
    let parts = [
        pool("lan", "192.0.2.0/28"),
        layer2(),
        node("n1"),
        service("web"),
        endpoints("web", "n1"),
    ];
    parts.concat()
}

#[test]
fn a_folder_without_faults_is_fine() {
    let folder = Folder::with(&[("all.yaml", &good())]);
    let ran = folder.check(&[]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, "1 files, 0 errors, 0 warnings\n", "")
    );
    assert_eq!(folder.check(&["-o", "json"]).out, "[]\n");
}

#[test]
fn a_warning_alone_is_fine_too() {
    let folder = Folder::with(&[("pool.yaml", &pool("lan", "192.0.2.0/28"))]);
    let ran = folder.check(&["-o", "json"]);
    assert_eq!(ran.code, 0);
    assert_eq!(places(&ran), ["pool.yaml:1:1 FLB-P051 "]);
}

#[test]
fn a_misspelt_field_is_shown_in_its_line() {
    let text = pool("lan", "192.0.2.0/28").replace("addresses:", "adresses:");
    let ran = Folder::with(&[("pool.yaml", &text)]).check(&[]);
    assert_eq!(ran.code, 1);
    assert_snapshot!(ran.out, @r"
    error[FLB-V002]: required field missing
     --> pool.yaml:5:1
      |
    3 | metadata:
    4 |   name: lan
    5 | spec:
      | ^^^^ the field `addresses` is required and missing
      |
      = note: in IPAddressPool metallb-system/lan, spec.addresses
      = help: add `addresses`

    error[FLB-V001]: unknown field
     --> pool.yaml:6:3
      |
    4 |   name: lan
    5 | spec:
    6 |   adresses:
      |   ^^^^^^^^ no such field is known here
      |
      = note: in IPAddressPool metallb-system/lan, spec.adresses
      = help: write `addresses` if that was meant, otherwise remove it

    1 files, 2 errors, 0 warnings
    ");
}

#[test]
fn an_unknown_kind_and_a_tab_are_shown_in_their_lines() {
    let kind = pool("lan", "192.0.2.0/28").replace("IPAddressPool", "IPAddressPol");
    let ran = Folder::with(&[("kind.yaml", &kind), ("tab.yaml", "kind:\n\tService\n")]).check(&[]);
    assert_eq!(ran.code, 1);
    assert_snapshot!(ran.out, @r"
    error[FLB-F004]: unknown kind or API version
     --> kind.yaml:2:7
      |
    1 | apiVersion: metallb.io/v1beta1
    2 | kind: IPAddressPol
      |       ^^^^^^^^^^^^ no such kind exists
      |
      = note: in IPAddressPol lan, kind
      = help: write `IPAddressPool` if that was meant

    error[FLB-F002]: the text is not YAML
     --> tab.yaml:2:1
      |
    1 | kind:
    2 |     Service
      | ^^^^^^^^^^^ the line is indented with a tab, which YAML does not allow
      |
      = note: in document
      = help: indent with spaces

    2 files, 2 errors, 0 warnings
    ");
}

#[test]
fn json_has_every_part_of_a_fault() {
    let text = pool("lan", "192.0.2.9-192.0.2.1");
    let folder = Folder::with(&[("pool.yaml", &text)]);
    let ran = folder.check(&["--output=json"]);
    assert_eq!(ran.code, 1);
    let fault = &ran.json()[0];
    assert_eq!(fault["severity"], "error");
    assert_eq!(fault["object"]["kind"], "IPAddressPool");
    assert_eq!(fault["object"]["namespace"], "metallb-system");
    assert_eq!(fault["object"]["name"], "lan");
    assert_eq!(fault["field"], "spec.addresses[0]");
    assert_eq!(fault["value"], "192.0.2.9-192.0.2.1");
    assert!(!fault["cause"].as_str().unwrap().is_empty());
    assert!(!fault["remedy"].as_str().unwrap().is_empty());
    assert_eq!(
        fault["position"],
        serde_json::json!({"file": "pool.yaml", "line": 7, "column": 5})
    );
}

#[test]
fn of_two_documents_the_broken_one_alone_is_refused() {
    let text = good() + "spec: [1,\n";
    let folder = Folder::with(&[("all.yaml", &text)]);
    let ran = folder.check(&["-o", "json"]);
    let lines = good().lines().count();
    assert_eq!(
        places(&ran),
        [format!("all.yaml:{}:7 FLB-F002 ", lines + 1)]
    );
    // The good ones count: without the pool the Service would not get this.
    let plan = folder.run("plan", &[]);
    assert!(
        plan.out.contains("default/web  192.0.2.0  lan"),
        "{plan:#?}"
    );
}

#[test]
fn an_object_in_several_files_is_taken_from_the_first() {
    let other = pool("lan", "198.51.100.0/24");
    let folder = Folder::with(&[("a.yaml", &good()), ("b.yaml", &other), ("c.yaml", &other)]);
    let ran = folder.check(&["-o", "json"]);
    assert_eq!(
        places(&ran),
        [
            "b.yaml:4:9 FLB-F005 metadata.name",
            "c.yaml:4:9 FLB-F005 metadata.name"
        ]
    );
    let plan = folder.run("plan", &[]);
    assert!(
        plan.out.contains("default/web  192.0.2.0  lan"),
        "{plan:#?}"
    );
}

#[test]
fn every_mistake_of_a_folder_is_found_with_its_code() {
    let named = |kind: &str, name: &str, spec: &str| {
        format!(
            "apiVersion: metallb.io/v1beta1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n---\n"
        )
    };
    let peer = |name: &str, spec: &str| {
        named(
            "BGPPeer",
            name,
            &format!("{{myASN: 64501, peerASN: 64500, {spec}}}"),
        )
        .replace("v1beta1", "v1beta2")
    };
    let table = [
        ("f003.yaml", "- 1\n".to_owned(), "FLB-F003"),
        ("f004.yaml", named("AddressPool", "a", "{}"), "FLB-F004"),
        (
            "f006.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n".to_owned(),
            "FLB-F006",
        ),
        (
            "f007.yaml",
            named("Community", "twice", "{communities: [], communities: []}"),
            "FLB-F007",
        ),
        (
            "v001.yaml",
            named("BFDProfile", "a", "{recieveInterval: 300}"),
            "FLB-V001",
        ),
        (
            "v002.yaml",
            named("IPAddressPool", "none", "{}"),
            "FLB-V002",
        ),
        (
            "range.yaml",
            named(
                "IPAddressPool",
                "range",
                "{addresses: [192.0.2.9-192.0.2.1]}",
            ),
            "FLB-P",
        ),
        (
            "overlap.yaml",
            pool("one", "192.0.2.0/24") + &pool("two", "192.0.2.128/25"),
            "FLB-P",
        ),
        (
            "peer.yaml",
            peer("vrf", "peerAddress: 192.0.2.1, vrf: red"),
            "FLB-B",
        ),
        (
            "adv.yaml",
            named("BGPAdvertisement", "a", "{communities: [no-such-name]}"),
            "FLB-A",
        ),
    ];
    for (name, text, code) in &table {
        let folder = Folder::with(&[(name, text)]);
        let ran = folder.check(&["-o", "json"]);
        let found = places(&ran);
        let hits = found
            .iter()
            .filter(|line| line.starts_with(&format!("{name}:")) && line.contains(code));
        assert!(hits.count() > 0, "{name}: {code} not in {found:#?}");
        let expected = i32::from(*code != "FLB-F006");
        assert_eq!(ran.code, expected, "{name}: {ran:#?}");
    }
    // All in one folder, the faults of each stand beside those of the others.
    let files: Vec<(&str, &str)> = table
        .iter()
        .map(|(name, text, _)| (*name, text.as_str()))
        .collect();
    let all = places(&Folder::with(&files).check(&["-o", "json"]));
    let faulty: BTreeSet<&str> = all
        .iter()
        .filter_map(|line| line.split(':').next())
        .collect();
    for (name, _, _) in &table {
        assert!(faulty.contains(name), "{name}: {all:#?}");
    }
}

#[test]
fn ten_megabytes_are_read_and_a_fault_at_their_end_is_found() {
    let mut text = String::new();
    let mut count = 0;
    while text.len() < 10 << 20 {
        text += &format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: s{count}\n  annotations:\n    note: {}\nspec:\n  ports: [{{port: 80}}]\n---\n",
            "x".repeat(8000)
        );
        count += 1;
    }
    text += "apiVersion: v1\nkind: Servce\nmetadata: {name: last}\n";
    let folder = Folder::with(&[("large.yaml", &text)]);
    let ran = folder.check(&["-o", "json"]);
    assert_eq!(
        places(&ran),
        [format!("large.yaml:{}:7 FLB-F004 kind", count * 9 + 2)]
    );
}

#[test]
fn a_file_beyond_all_bounds_is_refused_and_its_neighbours_are_read() {
    let folder = Folder::with(&[("all.yaml", &good())]);
    // Sparse: nothing of it is ever read.
    let file = fs::File::create(folder.file("huge.yaml")).unwrap();
    file.set_len(1 << 40).unwrap();
    let line = format!("a: {}\n", "x".repeat(17 << 20));
    folder.write("long.yaml", &line);
    let ran = folder.check(&["-o", "json"]);
    let found = places(&ran);
    assert_eq!(ran.code, 1);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("FLB-F001"), "{found:#?}");
    assert_eq!(found[1], "long.yaml:1:1 FLB-F008 ");
}

#[test]
fn loops_of_links_end_and_what_cannot_be_read_is_named() {
    let folder = Folder::with(&[("all.yaml", &good())]);
    symlink(".", folder.file("around")).unwrap();
    symlink("itself", folder.file("itself")).unwrap();
    assert_eq!(folder.check(&[]).code, 0);
    // A file the kernel refuses to read, also to root; and bytes that are no text.
    symlink("/proc/self/mem", folder.file("refused.yaml")).unwrap();
    fs::write(folder.file("bytes.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    let ran = folder.check(&["-o", "json"]);
    assert_eq!(ran.code, 1);
    let json = ran.json();
    let names: Vec<&str> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            assert_eq!(fault["code"], "FLB-F001");
            let path = fault["object"]["name"].as_str().unwrap();
            path.rsplit('/').next().unwrap()
        })
        .collect();
    assert_eq!(names, ["bytes.yaml", "refused.yaml"]);
}

#[test]
fn a_path_that_is_missing_or_closed_ends_in_two_and_is_named() {
    let folder = Folder::with(&[("all.yaml", &good())]);
    let good = folder.file("all.yaml");
    for missing in ["no/such/folder", "itself"] {
        symlink("itself", folder.root().join("itself")).ok();
        let path = folder.root().join(missing);
        let ran = ferrolb(&["check", good.to_str().unwrap(), path.to_str().unwrap()]);
        assert_eq!(ran.code, 2, "{ran:#?}");
        assert!(ran.err.contains(path.to_str().unwrap()), "{ran:#?}");
        assert_eq!(ran.out, "", "nothing is said by halves");
    }
}

#[test]
fn a_single_file_is_read_whatever_it_is_called() {
    let folder = Folder::with(&[("manifest.txt", &good())]);
    assert_eq!(folder.check(&[]).out, "0 files, 0 errors, 0 warnings\n");
    let ran = ferrolb(&["check", folder.file("manifest.txt").to_str().unwrap()]);
    assert_eq!(ran.out, "1 files, 0 errors, 0 warnings\n");
}

#[test]
fn the_namespace_decides_which_objects_count() {
    let text = pool("lan", "192.0.2.0/28").replace("name: lan", "name: lan\n  namespace: lb");
    let folder = Folder::with(&[("all.yaml", &(text + &layer2() + &service("web")))]);
    assert_eq!(folder.check(&[]).code, 1, "in the wrong namespace");
    let right = folder.check(&["--namespace", "lb"]);
    assert_eq!((right.code, right.err.as_str()), (0, ""), "{right:#?}");
    let plan = folder.run("plan", &["--namespace", "lb"]);
    assert!(
        plan.out.contains("default/web  192.0.2.0  lan"),
        "{plan:#?}"
    );
}

#[test]
fn what_is_neither_file_nor_folder_is_refused() {
    let ran = ferrolb(&["check", "/dev/null"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("neither a file nor a folder"), "{ran:#?}");
}
