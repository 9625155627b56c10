// SPDX-License-Identifier: Apache-2.0
//! Field by field: what is copied, what is kept aside, what is not trusted.

use ferrolb_types::codes::webhook::W008;
use serde_json::{Value as Json, json};

use super::{KEY, NEW, OLD, peer, to, try_to};

fn full() -> Json {
    peer(
        NEW,
        json!({
            "myASN": 64512, "peerASN": 64513, "localASN": 64514, "peerAddress": "192.0.2.1",
            "sourceAddress": "192.0.2.2", "peerPort": 1179, "holdTime": "90s", "connectTime": "10s",
            "routerID": "192.0.2.3", "passwordSecret": {"name": "s", "namespace": "n"},
            "nodeSelectors": [{}, {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "Exists"}]}],
            "bfdProfile": "fast", "enableGracefulRestart": true, "ebgpMultiHop": true, "vrf": "red",
            "disableMP": false, "dualStackAddressFamily": false, "later": {"a": [1, null]},
        }),
    )
}

/// Reads as `v1beta1`, changes and writes.
fn edit(object: &Json, change: impl Fn(&mut Json)) -> Json {
    let mut old = to(OLD, object);
    change(&mut old);
    to(NEW, &old)
}

fn kept(object: &Json) -> Json {
    let text = object["metadata"]["annotations"][KEY].as_str().unwrap();
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_both_have_stays_as_it_is_written() {
    let old = to(OLD, &full());
    let spec = old["spec"].as_object().unwrap();
    let fields: Vec<_> = spec.keys().map(String::as_str).collect();
    let mut want = [
        "bfdProfile",
        "ebgpMultiHop",
        "holdTime",
        "myASN",
        "nodeSelectors",
        "peerASN",
        "peerAddress",
        "peerPort",
        "routerID",
        "sourceAddress",
    ];
    want.sort_unstable();
    assert_eq!(fields, want);
    for field in fields {
        assert_eq!(old["spec"][field], full()["spec"][field], "{field}");
    }
    let mut meta = old["metadata"].clone();
    meta.as_object_mut().unwrap().remove("annotations");
    assert_eq!(meta, full()["metadata"]);
    assert_eq!(old["status"], json!({}));
}

#[test]
fn absent_timers_and_ports_stay_absent() {
    let spec = json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1"});
    let new = to(NEW, &peer(OLD, spec.clone()));
    assert_eq!(new, peer(NEW, spec.clone()));
    assert_eq!(to(OLD, &new), peer(OLD, spec));
}

#[test]
fn port_0_is_the_default() {
    let spec = json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1", "peerPort": 0});
    let new = to(NEW, &peer(OLD, spec));
    assert!(new["spec"].get("peerPort").is_none());
}

#[test]
fn everything_survives_an_edit_in_the_old_version() {
    let edited = edit(&full(), |old| old["spec"]["holdTime"] = json!("30s"));
    let mut want = full();
    want["spec"]["holdTime"] = json!("30s");
    assert_eq!(edited, want);
    let edited = edit(&full(), |old| {
        old["spec"].as_object_mut().unwrap().remove("holdTime");
        old["metadata"]["annotations"]["mine"] = json!("x");
    });
    let mut want = full();
    want["spec"].as_object_mut().unwrap().remove("holdTime");
    want["metadata"]["annotations"] = json!({"mine": "x"});
    assert_eq!(edited, want);
}

#[test]
fn whoever_removes_the_annotation_removes_the_fields() {
    let edited = edit(&full(), |old| {
        old["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("annotations");
    });
    assert!(edited["spec"].get("vrf").is_none());
    assert_eq!(edited["spec"]["holdTime"], "90s");
}

#[test]
fn the_annotation_holds_what_the_old_version_lacks_alone() {
    let object = peer(
        NEW,
        json!({
            "myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1", "password": "tops3cret", "vrf": "red",
            "passwordSecret": {"name": "s"},
        }),
    );
    let old = to(OLD, &object);
    assert_eq!(
        kept(&old),
        json!({"fields": {"passwordSecret": {"name": "s"}, "vrf": "red"}, "beside": ["password"]})
    );
    let plain = peer(
        NEW,
        json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1"}),
    );
    assert!(to(OLD, &plain)["metadata"].get("annotations").is_none());
}

/// `v1beta1` requires an address and an AS: 0 and no text stand for none, and go again.
#[test]
fn required_fields_are_filled_in_and_taken_out() {
    let object = peer(
        NEW,
        json!({"myASN": 1, "dynamicASN": "external", "interface": "eth0"}),
    );
    let old = to(OLD, &object);
    assert_eq!(
        old["spec"],
        json!({"myASN": 1, "peerASN": 0, "peerAddress": ""})
    );
    assert_eq!(to(NEW, &old), object);
}

#[test]
fn what_the_old_version_sets_ousts_what_excludes_it() {
    let object = peer(
        NEW,
        json!({"myASN": 1, "dynamicASN": "external", "interface": "eth0",
        "passwordSecret": {"name": "s"}, "vrf": "red"}),
    );
    let edited = edit(&object, |old| {
        old["spec"]["peerASN"] = json!(7);
        old["spec"]["peerAddress"] = json!("192.0.2.1");
        old["spec"]["password"] = json!("x");
    });
    let want = json!({"myASN": 1, "peerASN": 7, "peerAddress": "192.0.2.1", "password": "x", "vrf": "red"});
    assert_eq!(edited["spec"], want);
}

/// The converted object, and how many notes there are.
fn with_annotation(text: Json) -> (Json, usize) {
    let mut old = peer(
        OLD,
        json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1"}),
    );
    old["metadata"]["annotations"][KEY] = text;
    let (new, notes) = try_to(NEW, &old);
    assert!(
        notes
            .iter()
            .all(|note| note.code == W008 && !note.is_error()),
        "{notes:?}"
    );
    assert!(new["metadata"].get("annotations").is_none(), "{new}");
    (new["spec"].clone(), notes.len())
}

#[test]
fn an_annotation_is_not_trusted() {
    let plain = json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1"});
    for text in [
        "",
        "nonsense",
        "[]",
        "7",
        "{\"fields\": 7}",
        "{\"fields\": {\"vrf\": \"a\"}",
        "null",
    ] {
        assert_eq!(with_annotation(json!(text)), (plain.clone(), 1), "{text}");
    }
    assert_eq!(with_annotation(json!(7)), (plain.clone(), 1));
    let own = json!({"fields": {"myASN": 9, "peerAddress": "198.51.100.1", "holdTime": "1s"}});
    assert_eq!(with_annotation(json!(own.to_string())), (plain.clone(), 3));
    let types =
        json!({"fields": {"vrf": 7, "localASN": -1, "passwordSecret": "s", "disableMP": "yes"}});
    assert_eq!(
        with_annotation(json!(types.to_string())),
        (plain.clone(), 4)
    );
    let rivals = json!({"fields": {"interface": "eth0", "dynamicASN": "internal"}, "absent": ["peerAddress", "myASN"]});
    assert_eq!(
        with_annotation(json!(rivals.to_string())),
        (plain.clone(), 0)
    );
    let good = json!({"fields": {"vrf": "red", "later": [1]}, "unknown": true});
    let mut want = plain;
    want["vrf"] = json!("red");
    want["later"] = json!([1]);
    assert_eq!(with_annotation(json!(good.to_string())), (want, 0));
}

/// Somebody kept the file of the old version and changed its `apiVersion`.
#[test]
fn an_annotation_in_the_new_version_says_nothing() {
    let mut object = peer(
        NEW,
        json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1", "vrf": "blue"}),
    );
    let stale = json!({"fields": {"vrf": "red", "localASN": 7}}).to_string();
    object["metadata"]["annotations"] = json!({ KEY: stale, "mine": "x" });
    let old = to(OLD, &object);
    assert_eq!(kept(&old), json!({"fields": {"vrf": "blue"}}));
    let back = to(NEW, &old);
    assert_eq!(back["spec"], object["spec"]);
    assert_eq!(back["metadata"]["annotations"], json!({"mine": "x"}));
}

/// An API server refuses annotations above 256 KiB, and with them the whole list.
#[test]
fn too_much_to_keep_is_left_out() {
    let long = "x".repeat(300 << 10);
    let object = peer(
        NEW,
        json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1", "vrf": long}),
    );
    let (old, notes) = try_to(OLD, &object);
    assert_eq!(notes.len(), 1);
    assert!(old["metadata"]["annotations"].get(KEY).is_none());
}
