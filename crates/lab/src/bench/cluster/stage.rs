// SPDX-License-Identifier: Apache-2.0
//! An API server with our kinds and one set of rules, and roles started on it.

use std::{
    ffi::OsString,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Rules;
use crate::{
    cluster::{Call, Cluster, METALLB_RBAC, Options, deploy, load},
    netns::Namespace,
    process::{Process, Spec},
    tools, wait,
};

/// The namespace of the `metallb.io` objects.
pub(super) const SYSTEM: &str = "metallb-system";
/// The first address of the pool; it has room for a hundred thousand.
pub(super) const POOL: &str = "10.0.0.0/15";
/// How long anything may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks at the last Service.
const LOOK: Duration = Duration::from_millis(50);
/// Connections that load is made with.
pub(super) const CONNECTIONS: usize = 16;

/// An API server and where the roles run.
pub(super) struct Stage {
    pub(super) cluster: Cluster,
    namespace: Namespace,
}

impl Stage {
    /// An API server on the loopback of `namespace`, with the kinds, the rules, a pool and a Node.
    pub(super) fn new(namespace: &Namespace, rules: Rules) -> Result<Self> {
        let options = Options {
            unrecorded: true,
            flags: vec![
                // The load generator is not what is measured.
                "--max-requests-inflight=2000".to_owned(),
                "--max-mutating-requests-inflight=1000".to_owned(),
                "--enable-priority-and-fairness=false".to_owned(),
            ],
            ..Options::default()
        };
        let cluster = Cluster::inside(namespace, &options)?;
        match rules {
            Rules::Ours => cluster.install(&deploy("overlays/without-webhooks"))?,
            Rules::MetalLb => {
                cluster.install(&deploy("crds"))?;
                cluster.apply(METALLB_RBAC)?;
            }
        }
        let pool = json!({
            "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
            "metadata": { "name": "all" }, "spec": { "addresses": [POOL] },
        });
        let stage = Self {
            cluster,
            namespace: namespace.clone(),
        };
        stage.create("v1beta1", "ipaddresspools", pool)?;
        let node = load::node("sender", crate::reference::SENDER);
        stage.cluster.admin().call(&node)?.ok()?;
        Ok(stage)
    }

    /// Creates an object of a `metallb.io` kind.
    pub(super) fn create(&self, version: &str, plural: &str, object: Value) -> Result<()> {
        let path = format!("/apis/metallb.io/{version}/namespaces/{SYSTEM}/{plural}");
        self.cluster
            .admin()
            .call(&Call::create(&path, object))?
            .ok()?;
        Ok(())
    }

    /// Makes a namespace for Services.
    pub(super) fn namespace(&self, name: &str) -> Result<()> {
        let object = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name },
        });
        let call = Call::create("/api/v1/namespaces", object);
        self.cluster.admin().call(&call)?.ok().map(drop)
    }

    /// Starts a role under its own account.
    pub(super) fn start(&self, role: &str, more: &[&str]) -> Result<Process> {
        let kubeconfig = self.cluster.service_account(SYSTEM, role)?;
        let mut arguments: Vec<OsString> = vec![role.into(), "--kubeconfig".into()];
        arguments.push(kubeconfig.into());
        let common = ["--namespace", SYSTEM, "--port", "0"];
        arguments.extend(common.iter().chain(more).map(OsString::from));
        let spec = Spec::new(role, tools::ferrolb()?, arguments);
        Process::start(&self.namespace, &spec)
    }

    /// Requests the API server has answered, of this verb and resource, as its own metrics count them.
    pub(super) fn requests(&self, verb: &str, resource: &str) -> Result<u64> {
        let (verb, resource) = (label("verb", verb), label("resource", resource));
        self.answered(|series| series.contains(&verb) && series.contains(&resource))
    }

    /// Requests of any verb it has answered for Services and what is told of them, watches aside.
    pub(super) fn about_services(&self) -> Result<u64> {
        let watch = label("verb", "WATCH");
        let resources = [
            "services",
            "events",
            "servicebgpstatuses",
            "servicel2statuses",
        ]
        .map(|resource| label("resource", resource));
        self.answered(|series| {
            !series.contains(&watch) && resources.iter().any(|one| series.contains(one))
        })
    }

    fn answered(&self, counts: impl Fn(&str) -> bool) -> Result<u64> {
        let answer = self.cluster.admin().call(&Call::get("/metrics"))?;
        let text = answer.body.as_str().context("metrics are no text")?;
        let series = text
            .lines()
            .filter(|line| line.starts_with("apiserver_request_total{") && counts(line));
        let values = series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        // Counters are whole numbers in the text format's floating point.
        Ok(values.sum::<f64>() as u64)
    }

    /// The Services of a namespace, from the API server's cache.
    fn services(&self, namespace: &str) -> Result<Vec<Value>> {
        let path = format!("/api/v1/namespaces/{namespace}/services?resourceVersion=0");
        let mut list = self.cluster.admin().call(&Call::get(&path))?.ok()?;
        let items = list.pointer_mut("/items").map(Value::take);
        Ok(items
            .and_then(|items| match items {
                Value::Array(items) => Some(items),
                _ => None,
            })
            .unwrap_or_default())
    }

    /// The Service of a namespace that is served last: the youngest, by name where they are as old.
    pub(super) fn last_served(&self, namespace: &str) -> Result<String> {
        let text = |service: &Value, at: &str| {
            let text = service.pointer(at).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let services = self.services(namespace)?;
        let age = |service: &Value| {
            let created = text(service, "/metadata/creationTimestamp");
            (created, text(service, "/metadata/name"))
        };
        let last = services.iter().map(age).max();
        Ok(last.context("no Service")?.1)
    }

    /// Waits until every Service of a namespace has an address, and says since when. It looks at the last
    /// one, now and then, and at all of them when that has its address: more looks, or that list, would be
    /// a good part of what the API server does meanwhile.
    pub(super) fn assigned(&self, namespace: &str, last: &str) -> Result<Instant> {
        let path = format!("/api/v1/namespaces/{namespace}/services/{last}");
        let has = |service: &Value| {
            service
                .pointer("/status/loadBalancer/ingress/0/ip")
                .is_some()
        };
        let seen = wait::arrival("every Service has an address", PATIENCE, || {
            thread::sleep(LOOK);
            if !has(&self.cluster.admin().call(&Call::get(&path))?.ok()?) {
                return Ok(None);
            }
            let since = Instant::now();
            let all = self.services(namespace)?.iter().all(has);
            Ok(all.then_some(since))
        });
        seen.map(|(since, _)| since)
    }
}

fn label(name: &str, value: &str) -> String {
    format!("{name}=\"{value}\"")
}
