// SPDX-License-Identifier: Apache-2.0
//! An installation: a namespace of its own, an account with our rules, a load balancer class, and
//! controllers. Several share an API server without seeing each other's Services.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result};
use ferrolb_lab::{
    Process,
    cluster::{Call, METALLB_RBAC, Request},
    process::Spec,
    wait,
};
use serde_json::{Value, json};

use crate::{
    lab::{Lab, SOON},
    objects::{Pool, Svc},
};

/// One installation.
pub struct Site {
    pub lab: Arc<Lab>,
    /// The namespace of its `metallb.io` objects, and the beginning of the names of all others.
    pub name: String,
    /// The class of its Services; `None`: those without one.
    pub class: Option<String>,
    namespaces: Mutex<BTreeSet<String>>,
}

/// A running controller.
pub struct Controller(pub Process);

impl Site {
    /// With a class of its own.
    pub fn new(lab: &Arc<Lab>) -> Result<Self> {
        let mut site = Self::of_class(lab, None)?;
        site.class = Some(site.name.clone());
        Ok(site)
    }

    /// With this class, which no other site may have at the time.
    pub fn of_class(lab: &Arc<Lab>, class: Option<&str>) -> Result<Self> {
        let site = Self::bare(lab, class);
        lab.namespace(&site.name, &json!({}))?;
        lab.install_rules(&site.name)?;
        Ok(site)
    }

    /// With the rules of MetalLB's own accounts in place of ours.
    pub fn under_metallb_rules(lab: &Arc<Lab>) -> Result<Self> {
        let mut site = Self::bare(lab, None);
        site.class = Some(site.name.clone());
        let rules = METALLB_RBAC.replace("metallb-system", &site.name);
        lab.cluster.apply(&rules)?;
        lab.wait_for_rules(&site.name, "controller")?;
        Ok(site)
    }

    fn bare(lab: &Arc<Lab>, class: Option<&str>) -> Self {
        Self {
            lab: Arc::clone(lab),
            name: format!("m{}", lab.number()),
            class: class.map(str::to_owned),
            namespaces: Mutex::default(),
        }
    }

    /// The namespace of Services that the site calls by this short name; made when first named.
    pub fn namespace(&self, short: &str) -> Result<String> {
        let name = format!("{}-{short}", self.name);
        let mut known = self.namespaces.lock().unwrap();
        if known.insert(name.clone()) {
            self.lab.namespace(&name, &json!({}))?;
        }
        Ok(name)
    }

    /// The user that its controller is.
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:controller", self.name)
    }

    // --- processes

    /// Starts a controller under our rules.
    pub fn start(&self) -> Result<Controller> {
        self.start_as("controller", &[])
    }

    /// Starts a controller as an account, with more flags.
    pub fn start_as(&self, account: &str, flags: &[&str]) -> Result<Controller> {
        let kubeconfig = self.lab.cluster.service_account(&self.name, account)?;
        let mut arguments: Vec<String> = ["controller", "--webhook-mode=disabled", "--port=0"]
            .map(str::to_owned)
            .to_vec();
        arguments.push("--health-probe-port=0".to_owned());
        arguments.push(format!("--kubeconfig={}", kubeconfig.display()));
        arguments.push(format!("--namespace={}", self.name));
        if let Some(class) = &self.class {
            arguments.push(format!("--lb-class={class}"));
        }
        arguments.extend(flags.iter().map(|&flag| flag.to_owned()));
        let name = format!("{}-{}", self.name, self.lab.number());
        let spec = Spec::new(&name, &self.lab.program, arguments);
        Ok(Controller(Process::start(&self.lab.here, &spec)?))
    }

    /// A Pod for a controller to be, which lets it start again at once after it was killed.
    pub fn pod(&self, name: &str) -> Result<String> {
        let [create, _] = ferrolb_lab::cluster::load::pod(
            &self.name,
            "controller",
            name,
            "n1",
            [192, 0, 2, 1].into(),
        );
        self.lab.admin().call(&create)?.ok()?;
        Ok(format!("--pod-name={name}"))
    }

    // --- pools

    fn pools_path(&self) -> String {
        self.ours("ipaddresspools")
    }

    /// The path of a collection of `metallb.io` objects here.
    pub fn ours(&self, plural: &str) -> String {
        format!("/apis/metallb.io/v1beta1/namespaces/{}/{plural}", self.name)
    }

    /// Makes or changes a pool.
    pub fn apply_pool(&self, pool: &Pool) -> Result<()> {
        let object = pool.object(&self.name);
        let path = format!("{}/{}", self.pools_path(), pool.name);
        // The controller writes its status meanwhile.
        wait::until("the pool is applied", SOON, || {
            let create = Call::create(&self.pools_path(), object.clone());
            let made = self.lab.admin().call(&create)?;
            if made.code != 409 {
                return made.ok().map(|_| true);
            }
            let mut there = self.lab.get(&path)?;
            there["spec"] = object["spec"].clone();
            let call = Call::replace(&path, there);
            let answer = self.lab.admin().call(&call)?;
            Ok(answer.code != 409 && answer.ok().map(|_| true)?)
        })
        .context(path)?;
        Ok(())
    }

    pub fn delete_pool(&self, name: &str) -> Result<()> {
        let path = format!("{}/{name}", self.pools_path());
        self.lab.admin().call(&Call::delete(&path))?.ok()?;
        Ok(())
    }

    /// The counters in a pool's status: IPv4 assigned, available, IPv6 assigned, available.
    pub fn pool_status(&self, name: &str) -> Result<Option<[i64; 4]>> {
        let pool = self.lab.get(&format!("{}/{name}", self.pools_path()))?;
        let keys = [
            "assignedIPv4",
            "availableIPv4",
            "assignedIPv6",
            "availableIPv6",
        ];
        let counters = keys.map(|key| pool["status"][key].as_i64());
        let [Some(a), Some(b), Some(c), Some(d)] = counters else {
            return Ok(None);
        };
        Ok(Some([a, b, c, d]))
    }

    pub fn want_pool(&self, name: &str, counters: [i64; 4]) -> Result<()> {
        let mut shown = None;
        let looked = wait::until("the counters", SOON, || {
            shown = self.pool_status(name)?;
            Ok(shown == Some(counters))
        });
        looked.map(drop).with_context(|| {
            format!("pool {name}: expected {counters:?} (IPv4 assigned, available, IPv6 likewise), its status says {shown:?}")
        })
    }

    // --- Services

    /// The path of a Service.
    pub fn path(&self, name: &str) -> Result<String> {
        let (namespace, name) = split(name);
        let namespace = self.namespace(namespace)?;
        Ok(format!("/api/v1/namespaces/{namespace}/services/{name}"))
    }

    pub fn service(&self, name: &str) -> Result<Value> {
        self.lab.get(&self.path(name)?)
    }

    /// Makes a Service, with the status it says.
    pub fn create(&self, service: &Svc) -> Result<Value> {
        let (namespace, _) = split(&service.name);
        let namespace = self.namespace(namespace)?;
        let path = format!("/api/v1/namespaces/{namespace}/services");
        let object = service.object(self.class.as_deref());
        let call = Call::create(&path, object);
        let made = self.lab.admin().call(&call)?.ok().context(path)?;
        if let Some((ingress, pool)) = &service.status {
            self.forge(&service.name, ingress, pool)?;
        }
        Ok(made)
    }

    /// Writes a status as the administrator: the entries, and the pool's name beside them.
    pub fn forge(&self, name: &str, ingress: &Value, pool: &str) -> Result<()> {
        let annotation = match pool {
            "" => Value::Null,
            pool => pool.into(),
        };
        let status = json!({
            "metadata": { "annotations": { "metallb.io/ip-allocated-from-pool": annotation } },
            "status": { "loadBalancer": { "ingress": ingress } },
        });
        let path = format!("{}/status", self.path(name)?);
        self.lab
            .admin()
            .call(&Call::merge(&path, status))?
            .ok()
            .context(path)?;
        Ok(())
    }

    /// Brings a Service to what is said now, its status left alone.
    pub fn edit(&self, service: &Svc) -> Result<()> {
        let path = self.path(&service.name)?;
        wait::until("the Service is edited", SOON, || {
            let there = self.lab.get(&path)?;
            let call = Call::replace(&path, service.edited(there));
            let answer = self.lab.admin().call(&call)?;
            if answer.code == 409 {
                return Ok(false);
            }
            answer.ok().context(path.clone()).map(|_| true)
        })?;
        Ok(())
    }

    pub fn delete(&self, name: &str) -> Result<()> {
        let path = self.path(name)?;
        self.lab.admin().call(&Call::delete(&path))?.ok()?;
        Ok(())
    }

    /// Deletes every Service and pool, for the next case.
    pub fn clear(&self) -> Result<()> {
        let namespaces = self.namespaces.lock().unwrap().clone();
        let services = namespaces
            .iter()
            .map(|namespace| format!("/api/v1/namespaces/{namespace}/services"));
        for path in services.chain([self.pools_path(), self.ours("communities")]) {
            self.lab.admin().call(&Call::delete(&path))?.ok()?;
        }
        for namespace in &namespaces {
            let path = format!("/api/v1/namespaces/{namespace}");
            let labels = json!({ "metadata": { "labels": { "stage": null } } });
            self.lab.admin().call(&Call::merge(&path, labels))?.ok()?;
        }
        Ok(())
    }

    // --- what is recorded

    /// What the controller wrote, its Lease aside.
    pub fn writes(&self) -> Result<Vec<Request>> {
        self.writes_of(&self.user())
    }

    pub fn writes_of(&self, user: &str) -> Result<Vec<Request>> {
        let all = self.lab.cluster.requests_of(user)?;
        let is_write = |one: &Request| {
            // Reviews change nothing.
            one.is_write() && one.resource != "leases" && !one.resource.ends_with("reviews")
        };
        Ok(all.into_iter().filter(is_write).collect())
    }
}

impl Controller {
    /// Ends it politely, so that its Lease is free at once.
    pub fn stop(self) -> Result<()> {
        self.0.terminate(Duration::from_secs(8))?;
        Ok(())
    }

    /// The end of its log, for messages.
    pub fn tail(&self) -> String {
        let log = self.0.log();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(12);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}

/// Namespace and name of `[namespace/]name`.
pub fn split(name: &str) -> (&str, &str) {
    name.split_once('/').unwrap_or(("plain", name))
}
