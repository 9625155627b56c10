// SPDX-License-Identifier: Apache-2.0
//! Everything of this crate against a real API server, as users with rules like those we ship or like
//! MetalLB's, never as the administrator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod certificates;
mod elections;
mod notes;
mod outages;
mod proxies;
mod reading;
mod reviews;
mod roles;
mod states;
mod statuses;
mod writing;

use std::{sync::OnceLock, time::Duration};

use ferrolb_kube_io::{Cluster, Connection, Told};
use ferrolb_lab::{
    Run,
    cluster::{self as lab, Answer, Call, Options, User, able},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// The namespace of the `metallb.io` objects.
pub const OURS: &str = "metallb-system";

/// How long anything may take here.
pub const SOON: Duration = Duration::from_secs(20);

/// One cluster for all tests of this file; each has objects of its own.
pub fn shared() -> Option<&'static lab::Cluster> {
    static SHARED: OnceLock<Option<lab::Cluster>> = OnceLock::new();
    let made = SHARED.get_or_init(|| able(&[]).unwrap().then(start));
    made.as_ref()
}

/// A cluster with our kinds, our namespace and our users.
pub fn start() -> lab::Cluster {
    let options = Options {
        users: roles::USERS.map(User::new).to_vec(),
        ..Options::default()
    };
    let cluster = lab::Cluster::local(&Run::new().unwrap(), &options).unwrap();
    for definition in ferrolb_api::crds::all() {
        cluster.apply(definition.yaml).unwrap();
    }
    cluster.wait_for_kinds().unwrap();
    cluster.apply(roles::RULES).unwrap();
    cluster
}

/// The API server as `user` sees it.
pub async fn connect(cluster: &lab::Cluster, user: &str) -> Cluster {
    let connection = Connection {
        kubeconfig: Some(cluster.kubeconfig(user).unwrap()),
        context: None,
        namespace: OURS.into(),
        user_agent: format!("ferrolb-test/{user}"),
    };
    Cluster::connect(&connection).await.unwrap()
}

/// A call as the administrator that must succeed.
pub fn done(cluster: &lab::Cluster, call: &Call) -> Value {
    cluster.admin().call(call).unwrap().ok().unwrap()
}

/// A call as the administrator.
pub fn try_to(cluster: &lab::Cluster, call: &Call) -> Answer {
    cluster.admin().call(call).unwrap()
}

/// A namespace for Services of one test.
pub fn namespace(cluster: &lab::Cluster, name: &str) {
    done(
        cluster,
        &Call::create(
            "/api/v1/namespaces",
            json!({ "metadata": { "name": name } }),
        ),
    );
}

/// A Service of type LoadBalancer; gives it as created.
pub fn service(cluster: &lab::Cluster, namespace: &str, name: &str) -> Value {
    let object = json!({
        "metadata": { "name": name },
        "spec": { "type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": [{ "port": 80 }] },
    });
    done(
        cluster,
        &Call::create(&format!("/api/v1/namespaces/{namespace}/services"), object),
    )
}

/// The path of a collection of ours.
pub fn ours(version: &str, plural: &str) -> String {
    format!("/apis/metallb.io/{version}/namespaces/{OURS}/{plural}")
}

/// Takes what is told until `seen` has seen enough.
pub async fn told_until(
    receiver: &mut mpsc::Receiver<Vec<Told>>,
    mut seen: impl FnMut(&Told) -> bool,
) -> Vec<Told> {
    let mut all = Vec::new();
    let all_told = async {
        while let Some(batch) = receiver.recv().await {
            let enough = batch.iter().any(&mut seen);
            all.extend(batch);
            if enough {
                return;
            }
        }
        panic!("nobody tells any more");
    };
    let told = tokio::time::timeout(SOON, all_told).await;
    assert!(told.is_ok(), "not told: {all:#?}");
    all
}

/// Waits until `holds`.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = tokio::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SOON, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
