// SPDX-License-Identifier: Apache-2.0
//! `ServiceL2Status` and `ServiceBGPStatus`.

use std::time::Duration;

use ferrolb_kube_io::{
    Owner,
    status::{ServiceStatuses, ServiceStatusesOptions},
};
use ferrolb_lab::cluster::{Call, Cluster, load};
use ferrolb_types::{PeerName, ServiceKey};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{OURS, connect, done, ours, roles, shared, until};

fn of_node(lab: &Cluster, plural: &str, node: &str) -> Vec<Value> {
    let path = format!(
        "{}?labelSelector=metallb.io/node%3D{node}",
        ours("v1beta1", plural)
    );
    done(lab, &Call::get(&path))["items"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn layer2(lab: &Cluster, node: &str) -> Vec<Value> {
    of_node(lab, "servicel2statuses", node)
}

fn bgp(lab: &Cluster, node: &str) -> Vec<Value> {
    of_node(lab, "servicebgpstatuses", node)
}

fn key(name: &str) -> ServiceKey {
    ServiceKey::new("shop", name)
}

fn peers(names: &[&str]) -> Vec<PeerName> {
    names.iter().map(|name| PeerName::from(*name)).collect()
}

async fn keeper(
    lab: &Cluster,
    node: &str,
    owner: Option<Owner>,
) -> (ServiceStatuses, CancellationToken) {
    let cluster = connect(lab, roles::SPEAKER).await;
    let stop = CancellationToken::new();
    let options = ServiceStatusesOptions {
        node: node.into(),
        owner,
    };
    (ServiceStatuses::start(&cluster, options, &stop), stop)
}

async fn pod(lab: &Cluster, name: &str, node: &str) -> Owner {
    let [create, _] = load::pod(OURS, "speaker", name, node, [10, 0, 0, 1].into());
    done(lab, &create);
    connect(lab, roles::SPEAKER)
        .await
        .pod_owner(name)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn they_follow_what_is_announced() {
    let Some(lab) = shared() else { return };
    let owner = pod(lab, "speaker-a", "node-a").await;
    let (keeper, stop) = keeper(lab, "node-a", Some(owner.clone())).await;
    keeper.layer2_settled();
    keeper.bgp_settled();
    keeper.layer2(key("web"), Some(vec!["eth1".into(), "eth0".into()]));
    keeper.bgp(key("web"), &peers(&["b", "a"]));
    let full = |all: &[Value]| all.len() == 1 && all[0]["status"].is_object();
    until("both are there", || {
        full(&layer2(lab, "node-a")) && full(&bgp(lab, "node-a"))
    })
    .await;
    let object = layer2(lab, "node-a").remove(0);
    assert_eq!(
        object["status"],
        json!({
            "node": "node-a", "serviceName": "web", "serviceNamespace": "shop",
            "interfaces": [{ "name": "eth0" }, { "name": "eth1" }],
        })
    );
    assert_eq!(
        object["metadata"]["labels"],
        json!({
            "metallb.io/node": "node-a", "metallb.io/service-name": "web", "metallb.io/service-namespace": "shop",
        })
    );
    assert!(
        object["metadata"]["name"]
            .as_str()
            .unwrap()
            .starts_with("l2-")
    );
    assert_eq!(
        object["metadata"]["ownerReferences"][0]["uid"],
        owner.uid.as_str()
    );
    assert_eq!(
        object["metadata"]["ownerReferences"][0]["controller"],
        Value::Null
    );
    assert_eq!(bgp(lab, "node-a")[0]["status"]["peers"], json!(["a", "b"]));

    // Another order, or one name twice, says the same.
    keeper.bgp(key("web"), &peers(&["a", "b", "a"]));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let version = |all: Vec<Value>| all[0]["metadata"]["resourceVersion"].clone();
    let (l2, b) = (version(layer2(lab, "node-a")), version(bgp(lab, "node-a")));
    keeper.bgp(key("web"), &peers(&["a"]));
    until("one peer is left", || {
        bgp(lab, "node-a")[0]["status"]["peers"] == json!(["a"])
    })
    .await;
    assert_ne!(version(bgp(lab, "node-a")), b);
    assert_eq!(version(layer2(lab, "node-a")), l2);

    // What somebody deletes comes back, what somebody edits is undone.
    let path = format!(
        "{}/{}",
        ours("v1beta1", "servicel2statuses"),
        object["metadata"]["name"].as_str().unwrap()
    );
    done(lab, &Call::delete(&path));
    until("it is back", || full(&layer2(lab, "node-a"))).await;
    let forged = json!({ "status": { "interfaces": [{ "name": "lo" }] } });
    done(lab, &Call::merge(&format!("{path}/status"), forged));
    until("it is true again", || {
        layer2(lab, "node-a")[0]["status"]["interfaces"][0]["name"] == "eth0"
    })
    .await;

    keeper.layer2(key("web"), None);
    keeper.bgp(key("web"), &[]);
    until("both are gone", || {
        layer2(lab, "node-a").is_empty() && bgp(lab, "node-a").is_empty()
    })
    .await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_takes_over_what_stands() {
    let Some(lab) = shared() else { return };
    let first = pod(lab, "speaker-b1", "node-b").await;
    let (old, stop) = keeper(lab, "node-b", Some(first)).await;
    old.layer2_settled();
    old.bgp_settled();
    old.bgp(key("stays"), &peers(&["a"]));
    old.bgp(key("goes"), &peers(&["a"]));
    until("they are there", || {
        let all = bgp(lab, "node-b");
        all.len() == 2 && all.iter().all(|one| one["status"].is_object())
    })
    .await;
    stop.cancel();
    let before = bgp(lab, "node-b");

    let second = pod(lab, "speaker-b2", "node-b").await;
    let (new, stop) = keeper(lab, "node-b", Some(second.clone())).await;
    new.bgp(key("stays"), &peers(&["a"]));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        bgp(lab, "node-b").len(),
        2,
        "nothing goes before everything is known"
    );
    new.layer2_settled();
    new.bgp_settled();
    until("the other is gone", || bgp(lab, "node-b").len() == 1).await;
    let kept = bgp(lab, "node-b").remove(0);
    assert!(
        before
            .iter()
            .any(|one| one["metadata"]["uid"] == kept["metadata"]["uid"]),
        "the same object"
    );
    let owners = kept["metadata"]["ownerReferences"].as_array().unwrap();
    assert_eq!(
        (owners.len(), owners[0]["uid"].as_str()),
        (1, Some(second.uid.as_str()))
    );
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_what_other_nodes_said_go() {
    let Some(lab) = shared() else { return };
    let (other, stop_other) = keeper(lab, "node-d", None).await;
    other.layer2_settled();
    other.bgp_settled();
    other.layer2(key("moved"), Some(Vec::new()));
    until("the other says so", || {
        layer2(lab, "node-d")
            .iter()
            .any(|one| one["status"].is_object())
    })
    .await;
    // That node is gone, and nobody speaks for it.
    stop_other.cancel();
    let duplicate = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "ServiceL2Status",
        "metadata": { "generateName": "l2-", "labels": {
            "metallb.io/node": "node-c", "metallb.io/service-name": "moved", "metallb.io/service-namespace": "shop",
        }},
    });
    for _ in 0..2 {
        done(
            lab,
            &Call::create(&ours("v1beta1", "servicel2statuses"), duplicate.clone()),
        );
    }
    let (keeper, stop) = keeper(lab, "node-c", None).await;
    keeper.layer2_settled();
    keeper.bgp_settled();
    keeper.layer2(key("moved"), Some(Vec::new()));
    until("one is left", || {
        let ours = layer2(lab, "node-c");
        ours.len() == 1 && ours[0]["status"]["node"] == "node-c" && layer2(lab, "node-d").is_empty()
    })
    .await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn long_names_and_many_services() {
    let Some(lab) = shared() else { return };
    let node = format!("node-{}.example", "x".repeat(70));
    let (keeper, stop) = keeper(lab, &node, None).await;
    keeper.layer2_settled();
    keeper.bgp_settled();
    for n in 0..200 {
        keeper.bgp(key(&format!("s{n}")), &peers(&["a"]));
    }
    let all = || {
        let all = done(lab, &Call::get(&ours("v1beta1", "servicebgpstatuses")));
        let all = all["items"].as_array().cloned().unwrap_or_default();
        all.iter()
            .filter(|one| one["status"]["node"] == node.as_str())
            .count()
    };
    until("all are there", || all() == 200).await;
    stop.cancel();
}
