// SPDX-License-Identifier: Apache-2.0
//! `ConfigurationState`, the counters of pools, the memberlist Secret.

use std::time::Duration;

use ferrolb_api::resource::{IPAddressPool, IPAddressPoolStatus};
use ferrolb_config::object::Object;
use ferrolb_kube_io::{
    Gate, Told, Watched,
    status::{
        Component, ConfigurationStateOptions, ConfigurationStates, PoolStatuses, Verdict,
        memberlist_secret,
    },
    watch,
};
use ferrolb_lab::cluster::{Call, Cluster, load};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{OURS, connect, done, ours, roles, shared, try_to, until};

fn state(lab: &Cluster, name: &str) -> Value {
    try_to(
        lab,
        &Call::get(&format!(
            "{}/{name}",
            ours("v1beta1", "configurationstates")
        )),
    )
    .body
}

fn result(lab: &Cluster, name: &str) -> String {
    state(lab, name)["status"]["result"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_state_through_its_life() {
    let Some(lab) = shared() else { return };
    let [create, status] = load::pod(OURS, "speaker", "speaker-x", "node-x", [10, 0, 0, 1].into());
    done(lab, &create);
    done(lab, &status);
    let cluster = connect(lab, roles::SPEAKER).await;
    let owner = cluster.pod_owner("speaker-x").await.unwrap();
    let stop = CancellationToken::new();
    let component = Component::Speaker {
        node: "node-x".into(),
    };
    let options = ConfigurationStateOptions {
        component,
        owner: Some(owner.clone()),
    };
    let states = ConfigurationStates::start(&cluster, options, &stop);
    let name = "speaker-node-x";
    until("it begins", || result(lab, name) == "Unknown").await;
    let object = state(lab, name);
    assert_eq!(
        object["metadata"]["labels"],
        json!({
            "metallb.io/component-type": "speaker", "metallb.io/node-name": "node-x",
        })
    );
    assert_eq!(
        object["metadata"]["ownerReferences"][0]["uid"],
        owner.uid.as_str()
    );

    states.report(Verdict::Invalid(vec!["one".into(), "two".into()]));
    until("it is invalid", || result(lab, name) == "Invalid").await;
    let status = &state(lab, name)["status"];
    assert_eq!(status["errorSummary"], "one\ntwo");
    let condition = &status["conditions"][0];
    assert_eq!(
        (&condition["type"], &condition["status"]),
        (&"configReconcilerValid".into(), &"False".into())
    );
    assert_eq!(condition["reason"], "ConfigurationError");

    // Deleted, it comes back with the same words; edited, too.
    done(
        lab,
        &Call::delete(&format!(
            "{}/{name}",
            ours("v1beta1", "configurationstates")
        )),
    );
    until("it is back", || result(lab, name) == "Invalid").await;
    let forged = json!({ "status": { "result": "Valid", "errorSummary": "" } });
    done(
        lab,
        &Call::merge(
            &format!("{}/{name}/status", ours("v1beta1", "configurationstates")),
            forged,
        ),
    );
    until("it is true again", || result(lab, name) == "Invalid").await;

    states.report(Verdict::Valid);
    until("it is valid", || result(lab, name) == "Valid").await;
    let valid = state(lab, name);
    assert_eq!(
        valid["status"]["conditions"].as_array().map(Vec::len),
        Some(1)
    );
    states.report(Verdict::Valid);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        state(lab, name)["metadata"]["resourceVersion"],
        valid["metadata"]["resourceVersion"]
    );
    stop.cancel();
}

fn counters(n: i64) -> IPAddressPoolStatus {
    IPAddressPoolStatus {
        assigned_ipv4: n,
        assigned_ipv6: 0,
        available_ipv4: 16 - n,
        available_ipv6: i64::MAX,
    }
}

async fn counted(user: &str, name: &str) {
    let Some(lab) = shared() else { return };
    let pool = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": { "name": name },
        "spec": { "addresses": ["192.0.2.0/28"] },
    });
    done(lab, &Call::create(&ours("v1beta1", "ipaddresspools"), pool));
    let path = format!("{}/{name}", ours("v1beta1", "ipaddresspools"));
    let stands = || {
        let object: IPAddressPool = serde_json::from_value(done(lab, &Call::get(&path))).unwrap();
        object.status
    };
    let cluster = connect(lab, user).await;
    let stop = CancellationToken::new();
    let statuses = PoolStatuses::start(&cluster, Gate::open(), &stop);
    let mut told = watch::follow(&cluster, &[Watched::IPAddressPools], &stop);
    let observer = statuses.clone();
    tokio::spawn(async move {
        while let Some(batch) = told.recv().await {
            for one in batch {
                if let Told::Apply(Object::IPAddressPool(pool), _) = one {
                    observer.observed(&pool);
                }
            }
        }
    });
    for n in 1..10 {
        statuses.desired(name.into(), counters(n));
    }
    until("it is counted", || stands() == Some(counters(9))).await;
    let forged = json!({ "status": { "assignedIPv4": 99 } });
    done(lab, &Call::merge(&format!("{path}/status"), forged));
    until("an edit is undone", || stands() == Some(counters(9))).await;
    let before = done(lab, &Call::get(&path));
    statuses.desired(name.into(), counters(9));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(done(lab, &Call::get(&path)), before, "nothing to write");
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_by_patch() {
    counted(roles::CONTROLLER, "counted-by-patch").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_by_update() {
    counted(roles::OLD, "counted-by-update").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memberlist_secret_is_made_once() {
    let Some(lab) = shared() else { return };
    let cluster = connect(lab, roles::CONTROLLER).await;
    let deployment = json!({
        "metadata": { "name": "controller" },
        "spec": {
            "selector": { "matchLabels": { "a": "b" } },
            "template": {
                "metadata": { "labels": { "a": "b" } },
                "spec": { "containers": [{ "name": "c", "image": "c" }] },
            },
        },
    });
    let created = done(
        lab,
        &Call::create(
            &format!("/apis/apps/v1/namespaces/{OURS}/deployments"),
            deployment,
        ),
    );
    let owner = ferrolb_kube_io::Owner {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        name: "controller".into(),
        uid: created["metadata"]["uid"].as_str().unwrap().into(),
    };
    assert!(
        cluster
            .deployment_owner("controller")
            .await
            .unwrap_err()
            .is_forbidden()
    );
    assert!(
        memberlist_secret(&cluster, "memberlist", Some(&owner))
            .await
            .unwrap()
    );
    let path = format!("/api/v1/namespaces/{OURS}/secrets/memberlist");
    let secret = done(lab, &Call::get(&path));
    // 22 characters are 30 as base64 with its padding.
    assert_eq!(secret["data"]["secretkey"].as_str().map(str::len), Some(32));
    assert_eq!(
        secret["metadata"]["ownerReferences"][0]["kind"],
        "Deployment"
    );
    assert!(
        !memberlist_secret(&cluster, "memberlist", Some(&owner))
            .await
            .unwrap()
    );
    assert_eq!(done(lab, &Call::get(&path)), secret);
}
