// SPDX-License-Identifier: Apache-2.0
//! BGPPeers in both versions, read and written through the API server.

use ferrolb_lab::cluster::Call;
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::{
    OURS,
    stand::{Stand, curl, path},
};

const DEFINITION: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io";

fn peer(version: &str, name: &str) -> String {
    format!("{}/{name}", path(version, "bgppeers"))
}

/// A peer with every field that the old version lacks and the new one takes beside the others.
fn full() -> Value {
    json!({
        "apiVersion": "metallb.io/v1beta2", "kind": "BGPPeer",
        "metadata": { "name": "full", "labels": { "rack": "a" } },
        "spec": {
            "myASN": 64500, "peerASN": 64501, "peerAddress": "192.0.2.9", "localASN": 64502,
            "connectTime": "10s", "passwordSecret": { "name": "keys" }, "enableGracefulRestart": true,
            "vrf": "red", "disableMP": true, "dualStackAddressFamily": true,
            "nodeSelectors": [{ "matchLabels": { "side": "left" } }],
        },
    })
}

pub fn check(stand: &Stand) {
    nothing_is_lost_by_a_change_in_the_old_version(stand);
    absent_timers_stay_absent(stand);
    kubectl_edits_in_the_old_version(stand);
    stored_objects_are_of_the_new_version(stand);
}

fn nothing_is_lost_by_a_change_in_the_old_version(stand: &Stand) {
    stand.done(&Call::create(&path("v1beta2", "bgppeers"), full()));
    let before = stand.done(&Call::get(&peer("v1beta2", "full")));
    let mut old = stand.done(&Call::get(&peer("v1beta1", "full")));
    assert_eq!(old["apiVersion"], "metallb.io/v1beta1");
    for lacking in ["localASN", "vrf", "passwordSecret", "connectTime"] {
        assert!(old["spec"].get(lacking).is_none(), "{old}");
    }
    old["spec"]["holdTime"] = "90s".into();
    old["metadata"]["labels"]["rack"] = "b".into();
    stand.done(&Call::replace(&peer("v1beta1", "full"), old));
    let mut after = stand.done(&Call::get(&peer("v1beta2", "full")));
    assert_eq!(after["spec"]["holdTime"], "90s");
    assert_eq!(after["metadata"]["labels"]["rack"], "b");
    assert!(
        after["metadata"].get("annotations").is_none(),
        "the annotation is stored: {after}"
    );
    after["spec"].as_object_mut().unwrap().remove("holdTime");
    assert_eq!(after["spec"], before["spec"]);
    // A patch in the old version is a change of its own kind: the API server converts to and fro.
    let port = json!({ "spec": { "peerPort": 1179 } });
    stand.done(&Call::merge(&peer("v1beta1", "full"), port));
    let patched = stand.done(&Call::get(&peer("v1beta2", "full")));
    assert_eq!(patched["spec"]["peerPort"], 1179);
    assert_eq!(patched["spec"]["vrf"], "red");
}

fn absent_timers_stay_absent(stand: &Stand) {
    let object = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "BGPPeer", "metadata": { "name": "old" },
        "spec": { "myASN": 64500, "peerASN": 64501, "peerAddress": "192.0.2.10", "peerPort": 0 },
    });
    stand.done(&Call::create(&path("v1beta1", "bgppeers"), object));
    let new = stand.done(&Call::get(&peer("v1beta2", "old")));
    let spec = &new["spec"];
    assert!(spec.get("holdTime").is_none() && spec.get("keepaliveTime").is_none());
    assert_eq!(spec["peerPort"], 179, "the default of the new version");
    let old = stand.done(&Call::get(&peer("v1beta1", "old")));
    assert!(old["spec"].get("holdTime").is_none(), "{old}");
}

/// As people do it: read, change, apply, all in the version they wrote years ago.
fn kubectl_edits_in_the_old_version(stand: &Stand) {
    let kubectl = |arguments: &[&str], input: &str| {
        let cluster = &stand.cluster;
        cluster.kubectl_with_input(arguments, input).unwrap()
    };
    let resource = "bgppeers.v1beta1.metallb.io";
    let read = kubectl(&["get", "-n", OURS, resource, "full", "-o", "json"], "");
    let changed = read.replace("\"192.0.2.9\"", "\"192.0.2.19\"");
    kubectl(&["replace", "-f", "-"], &changed);
    let after = stand.done(&Call::get(&peer("v1beta2", "full")));
    assert_eq!(after["spec"]["peerAddress"], "192.0.2.19");
    assert_eq!(after["spec"]["passwordSecret"]["name"], "keys");
}

/// What stands in the store is of the new version, whatever it was written in, and a migration that
/// rewrites every object changes no spec, and by a second run nothing at all.
fn stored_objects_are_of_the_new_version(stand: &Stand) {
    for name in ["full", "old"] {
        assert_eq!(stored(stand, name)["apiVersion"], "metallb.io/v1beta2");
        let rewrite = || {
            let object = stand.done(&Call::get(&peer("v1beta2", name)));
            stand.done(&Call::replace(&peer("v1beta2", name), object))
        };
        let before = stand.done(&Call::get(&peer("v1beta2", name)));
        let first = rewrite();
        assert_eq!(first["spec"], before["spec"]);
        assert_eq!(rewrite(), first);
        let stored = stored(stand, name).to_string();
        assert!(!stored.contains("v1beta2-fields"), "{stored}");
    }
    let definition = stand.done(&Call::get(DEFINITION));
    assert_eq!(definition["status"]["storedVersions"], json!(["v1beta2"]));
}

/// The object as it lies in etcd.
fn stored(stand: &Stand, name: &str) -> Value {
    let key = format!("/registry/metallb.io/bgppeers/{OURS}/{name}");
    let question = json!({ "key": ByteString(key.into_bytes()) }).to_string();
    let url = "http://127.0.0.1:2379/v3/kv/range";
    let said = curl(stand.api.namespace(), &["-d", &question, url]).success();
    let said: Value = serde_json::from_str(&said.unwrap()).unwrap();
    let value: ByteString = serde_json::from_value(said["kvs"][0]["value"].clone()).unwrap();
    serde_json::from_slice(&value.0).unwrap()
}
