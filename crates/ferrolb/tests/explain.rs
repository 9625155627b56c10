// SPDX-License-Identifier: Apache-2.0
//! `ferrolb explain`: why an address, and why each node announces it or not.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, endpoints, layer2, node, pool, router, service};

fn folder() -> Folder {
    let local = service("web").replace("spec:", "spec:\n  externalTrafficPolicy: Local");
    let shop = service("web").replace("name: web", "name: web\n  namespace: shop");
    Folder::with(&[
        ("pools.yaml", &pool("lan", "192.0.2.0/31")),
        ("nodes.yaml", &(node("n1") + &node("n2"))),
        ("how.yaml", &(layer2() + &router("r1", "198.51.100.1"))),
        ("web.yaml", &(local + &endpoints("web", "n1"))),
        ("shop.yaml", &shop),
        ("db.yaml", &service("db")),
    ])
}

#[test]
fn every_node_and_peer_has_its_reason_and_remedy() {
    let ran = folder().run("explain", &["svc/web"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("Service default/web\n"), "{}", ran.out);
    assert!(
        ran.out
            .contains("address: first usable of pool lan, open to all"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("spec.addresses[0] of the pool lan"),
        "{}",
        ran.out
    );
    let (one, two) = ran.out.split_once("  node n2\n").unwrap();
    let (_, one) = one.split_once("  node n1\n").unwrap();
    assert!(one.contains("layer 2: announced on"), "{one}");
    assert!(one.contains("r1") && !one.contains("FLB-"), "{one}");
    // Without an endpoint on n2 neither way is open there.
    assert_eq!(two.matches("no, FLB-N").count(), 2, "{two}");
    for line in two.lines().filter(|line| line.contains("FLB-N")) {
        assert!(line.contains("; "), "a remedy: {line}");
    }
}

#[test]
fn a_service_is_named_in_every_form() {
    let folder = folder();
    let table: [(&[&str], &str); 12] = [
        (&["web"], "default/web"),
        (&["svc/web"], "default/web"),
        (&["service/web"], "default/web"),
        (&["default/web"], "default/web"),
        (&["shop/web"], "shop/web"),
        (&["svc/shop/web"], "shop/web"),
        (&["web", "-s", "shop"], "shop/web"),
        (&["svc/web", "--service-namespace=shop"], "shop/web"),
        (&["svc/web", "-n", "shop"], "shop/web"),
        (&["svc/web", "--namespace=shop"], "shop/web"),
        (&["shop/web", "-n", "shop"], "shop/web"),
        (
            &["-n", "shop", "web", "--metallb-namespace=metallb-system"],
            "shop/web",
        ),
    ];
    for (arguments, want) in table {
        let ran = folder.run("explain", arguments);
        let head = ran.out.lines().next();
        let want = format!("Service {want}");
        assert_eq!(head, Some(want.as_str()), "{arguments:?}: {ran:#?}");
    }
}

#[test]
fn a_missing_service_is_named_with_what_to_do() {
    let ran = folder().run("explain", &["svc/wbe", "-n", "shop"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for part in ["FLB-X006", "shop/wbe", "ferrolb check", "-n"] {
        assert!(ran.err.contains(part), "{part}: {ran:#?}");
    }
    let ran = folder().run("explain", &["svc/shop/web", "-n", "default"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("FLB-X008"), "{ran:#?}");
}

#[test]
fn the_namespace_of_the_objects_has_a_flag_of_its_own() {
    let folder = folder();
    let pool = pool("lan", "192.0.2.0/31");
    let pool = pool.replace("name: lan", "name: lan\n  namespace: metallb-system");
    folder.write("pools.yaml", &pool);
    for (command, flag, elsewhere) in [
        ("explain", "--metallb-namespace=elsewhere", true),
        ("plan", "--metallb-namespace=elsewhere", true),
        ("plan", "-n=elsewhere", true),
        ("plan", "--namespace=elsewhere", true),
        ("explain", "--metallb-namespace=metallb-system", false),
    ] {
        let service = (command == "explain").then_some("web");
        let arguments: Vec<&str> = service.into_iter().chain([flag]).collect();
        let ran = folder.run(command, &arguments);
        assert_eq!(
            !ran.out.contains("192.0.2.1"),
            elsewhere,
            "{command} {flag}: {ran:#?}"
        );
    }
}

#[test]
fn a_service_without_an_address_says_why_and_what_to_do() {
    let ran = folder().run("explain", &["shop/web"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out
            .lines()
            .any(|line| line.contains("address: FLB-I") && line.contains("; ")),
        "{}",
        ran.out
    );
    let json = folder().run("explain", &["shop/web", "-o", "json"]);
    assert_eq!(json.code, 1);
    let refusal = &json.json()["allocation"]["refusal"];
    assert!(refusal["code"].as_str().unwrap().starts_with("FLB-I"));
    assert_eq!(refusal["object"], "Service shop/web");
    assert!(!refusal["remedy"].as_str().unwrap().is_empty());
}

#[test]
fn json_holds_allocation_announcement_and_live_facts() {
    let json = folder().run("explain", &["web", "-o", "json"]).json();
    assert_eq!(
        json["allocation"]["addresses"],
        serde_json::json!(["192.0.2.1"])
    );
    assert_eq!(json["allocation"]["pool"], "lan");
    let nodes = json["announcement"]["nodes"].as_array().unwrap();
    let names: Vec<&str> = nodes.iter().map(|n| n["node"].as_str().unwrap()).collect();
    assert_eq!(names, ["n1", "n2"]);
    assert!(
        nodes[1]["bgp"]["Err"]["code"]
            .as_str()
            .unwrap()
            .starts_with("FLB-N")
    );
    assert_eq!(json["live"], serde_json::json!([]), "nothing runs here");
}

#[test]
fn what_is_broken_counts_as_it_was_last_good() {
    let folder = folder();
    let mut controller = folder.controller();
    controller.await_synced();
    let before = folder.run("explain", &["svc/web"]).out;
    folder.write("how.yaml", "kind: [\n");
    controller.await_faults(&["FLB-F002"]);
    let ran = folder.run("explain", &["svc/web"]);
    assert_eq!(ran.out, before);
    assert!(ran.err.contains("1 faults in the folder"), "{ran:#?}");
    controller.stop();
    let kept = folder.state().join("last-good");
    std::fs::remove_dir_all(kept).unwrap();
    let forgotten = folder.run("explain", &["svc/web"]).out;
    assert!(!forgotten.contains("announced on"), "{forgotten}");
}
