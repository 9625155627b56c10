// SPDX-License-Identifier: Apache-2.0
//! Statuses that the API server does not take at first: a policy refuses them, or somebody else wrote.

use anyhow::{Context, Result};
use ferrolb_lab::{cluster::Call, wait};
use serde_json::json;

use crate::{
    case::Case,
    lab::{self, SOON},
    many,
    objects::{pool, svc},
    site::Site,
};

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

/// A policy that takes no status of a Service in one namespace.
struct Policy<'a>(&'a Site);

impl Policy<'_> {
    fn make(&self) -> Result<()> {
        let site = self.0;
        let namespace = site.namespace("plain")?;
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": { "name": site.name },
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } },
                    "resourceRules": [{
                        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                        "resources": ["services/status"],
                    }],
                },
                "validations": [{ "expression": "false", "message": "no status on Saturdays" }],
            },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": { "name": site.name },
            "spec": { "policyName": site.name, "validationActions": ["Deny"] },
        });
        for (path, object) in [(POLICIES, policy), (BINDINGS, binding)] {
            site.lab.admin().call(&Call::create(path, object))?.ok()?;
        }
        self.counts(true)
    }

    fn remove(&self) -> Result<()> {
        for path in [BINDINGS, POLICIES] {
            let path = format!("{path}/{}", self.0.name);
            self.0.lab.admin().call(&Call::delete(&path))?.ok()?;
        }
        self.counts(false)
    }

    /// The API server takes a moment to know it, and to forget it.
    fn counts(&self, counts: bool) -> Result<()> {
        let path = format!("{}/status", self.0.path("probe")?);
        let nothing = Call::merge(&path, json!({ "status": { "conditions": [] } }));
        wait::until("the policy counts, or no more", SOON, || {
            let answer = self.0.lab.admin().call(&nothing)?;
            Ok((answer.code == 422) == counts)
        })?;
        Ok(())
    }
}

/// Who looks at the Service sees why it stays pending; once nobody refuses, it is served.
#[test]
fn a_status_that_is_refused_is_told() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    let mut case = Case::new(&site);
    site.create(&svc("probe").kind("ClusterIP")).unwrap();
    let policy = Policy(&site);
    policy.make().unwrap();
    case.pools(&[pool("p", "10.0.0.0/30")]).unwrap();
    case.put(&svc("s")).unwrap();
    case.want("s", "", "W:StatusUpdateFailed").unwrap();
    let log = case.log();
    let told = ["FLB-T008", "no status on Saturdays", "services/status"];
    assert!(told.iter().all(|one| log.contains(one)), "{log}");
    policy.remove().unwrap();
    case.want("s", "10.0.0.0 @p", "IPAllocated").unwrap();
    case.stop().unwrap();
}

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
