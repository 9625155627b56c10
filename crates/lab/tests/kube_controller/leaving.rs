// SPDX-License-Identifier: Apache-2.0
//! Services that are load balancers no more while somebody else writes them.

use anyhow::{Context, Result};
use ferrolb_lab::{cluster::Call, wait};
use serde_json::json;

use crate::{
    lab::{self, SOON},
    many,
    objects::pool,
    site::Site,
};

/// The address of a Service that is a load balancer no more is free at once, so its status must not go on
/// to name it, whoever writes the Service meanwhile.
#[test]
fn a_service_that_leaves_is_emptied_whoever_writes_it() {
    const COUNT: u32 = 150;
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/24")).unwrap();
    let controller = site.start().unwrap();
    let calls = many::create(&site, COUNT).unwrap();
    lab.admin().each(8, calls).unwrap();
    many::all_served(&site, COUNT as usize, SOON).unwrap();
    lab.admin().each(16, leave(&site, COUNT).unwrap()).unwrap();
    let emptied = wait::until("every status is empty", SOON, || {
        let held = many::held(&site)?;
        Ok(held.values().all(String::is_empty))
    });
    emptied
        .map(drop)
        .with_context(|| format!("{:?}", many::held(&site)))
        .unwrap();
    controller.stop().unwrap();
}

/// Each becomes a Service inside the cluster, and gets labels at the same time.
fn leave(site: &Site, count: u32) -> Result<Vec<Call>> {
    let namespace = site.namespace("many")?;
    let path = |index| format!("/api/v1/namespaces/{namespace}/services/s{index}");
    let inside = json!({ "spec": {
        "type": "ClusterIP", "externalTrafficPolicy": null, "allocateLoadBalancerNodePorts": null,
        "loadBalancerClass": null,
    }});
    let label = |turn: u32| json!({ "metadata": { "labels": { "turn": turn.to_string() } } });
    let mut calls = Vec::new();
    for index in 0..count {
        calls.push(Call::merge(&path(index), inside.clone()));
        calls.extend((0..4).map(|turn| Call::merge(&path(index), label(turn))));
    }
    Ok(calls)
}
