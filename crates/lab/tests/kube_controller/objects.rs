// SPDX-License-Identifier: Apache-2.0
//! Services and pools in few words, and back from what the API server shows.

use serde_json::{Value, json};

use crate::site::split;

/// A Service to be.
#[derive(Clone, Debug)]
pub struct Svc {
    pub name: String,
    pub status: Option<(Value, String)>,
    labels: Value,
    annotations: Value,
    spec: Value,
    class: Option<String>,
}

/// A Service of type LoadBalancer with one IPv4 address and TCP/80, in the namespace `plain` unless it
/// names another.
pub fn svc(name: &str) -> Svc {
    Svc {
        name: name.to_owned(),
        status: None,
        labels: json!({}),
        annotations: json!({}),
        spec: json!({
            "type": "LoadBalancer",
            "ipFamilyPolicy": "SingleStack",
            "ipFamilies": ["IPv4"],
            "externalTrafficPolicy": "Cluster",
            // There are fewer node ports than Services.
            "allocateLoadBalancerNodePorts": false,
            "selector": { "app": "any" },
            "ports": [{ "name": "p", "port": 80, "protocol": "TCP" }],
        }),
        class: None,
    }
}

/// Fields that only a load balancer has.
const OF_LOAD_BALANCERS: [&str; 4] = [
    "externalTrafficPolicy",
    "allocateLoadBalancerNodePorts",
    "loadBalancerIP",
    "loadBalancerClass",
];

impl Svc {
    fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.spec[field] = value.into();
        self
    }

    fn note(mut self, key: &str, value: &str) -> Self {
        self.annotations[key] = value.into();
        self
    }

    /// Another type.
    pub fn kind(mut self, kind: &str) -> Self {
        if let Some(spec) = self.spec.as_object_mut()
            && kind != "LoadBalancer"
        {
            spec.retain(|field, _| !OF_LOAD_BALANCERS.contains(&field.as_str()));
        }
        self.with("type", kind)
    }

    /// `4`, `6`, `46` or `64`; two need [`Svc::prefer`] or [`Svc::require`].
    pub fn families(self, families: &str) -> Self {
        let names: Vec<String> = families.chars().map(|one| format!("IPv{one}")).collect();
        self.with("ipFamilies", names)
    }

    pub fn prefer(self) -> Self {
        self.with("ipFamilyPolicy", "PreferDualStack")
    }

    pub fn require(self) -> Self {
        self.with("ipFamilyPolicy", "RequireDualStack")
    }

    /// `spec.loadBalancerIP`.
    pub fn field(self, address: &str) -> Self {
        self.with("loadBalancerIP", address)
    }

    pub fn ips(self, addresses: &str) -> Self {
        self.note("metallb.io/loadBalancerIPs", addresses)
    }

    /// From this pool.
    pub fn from(self, pool: &str) -> Self {
        self.note("metallb.io/address-pool", pool)
    }

    pub fn legacy_from(self, pool: &str) -> Self {
        self.note("metallb.universe.tf/address-pool", pool)
    }

    pub fn share(self, key: &str) -> Self {
        self.note("metallb.io/allow-shared-ip", key)
    }

    pub fn team(mut self, team: &str) -> Self {
        self.labels["team"] = team.into();
        self
    }

    pub fn port(self, protocol: &str, port: u16) -> Self {
        self.with(
            "ports",
            json!([{ "name": "p", "port": port, "protocol": protocol }]),
        )
    }

    /// `externalTrafficPolicy: Local` with a selector.
    pub fn local(self, selector: &str) -> Self {
        self.with("externalTrafficPolicy", "Local")
            .with("selector", json!({ "a": selector }))
    }

    /// Of a class that is not the site's.
    pub fn class(mut self, class: &str) -> Self {
        self.class = Some(class.to_owned());
        self
    }

    /// Any other field of the spec.
    pub fn set(self, field: &str, value: impl Into<Value>) -> Self {
        self.with(field, value)
    }

    /// The status it has from the beginning: addresses and host names, and the pool's annotation.
    pub fn status(mut self, entries: &str, pool: &str) -> Self {
        let entry = |one: &str| match one.strip_prefix("host:") {
            Some(host) => json!({ "hostname": host }),
            None => json!({ "ip": one }),
        };
        let entries = entries.split(' ').map(entry).collect();
        self.status = Some((Value::Array(entries), pool.to_owned()));
        self
    }

    /// The object to create, for a site of this class.
    pub fn object(&self, class: Option<&str>) -> Value {
        let (_, name) = split(&self.name);
        let mut spec = self.spec.clone();
        let class = self.class.as_deref().or(class);
        if let Some(class) = class.filter(|class| !class.is_empty())
            && spec["type"] == "LoadBalancer"
        {
            spec["loadBalancerClass"] = class.into();
        }
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": { "name": name, "labels": self.labels, "annotations": self.annotations },
            "spec": spec,
        })
    }

    /// The object that is there, as this one says it should be.
    pub fn edited(&self, mut there: Value) -> Value {
        const POOL: &str = "metallb.io/ip-allocated-from-pool";
        let pool = there["metadata"]["annotations"][POOL].clone();
        there["metadata"]["annotations"] = self.annotations.clone();
        if pool.is_string() {
            there["metadata"]["annotations"][POOL] = pool;
        }
        there["metadata"]["labels"] = self.labels.clone();
        if let (Some(now), Some(spec)) = (there["spec"].as_object_mut(), self.spec.as_object()) {
            let is_load_balancer = spec["type"] == "LoadBalancer";
            now.retain(|field, _| {
                field != "loadBalancerIP"
                    && (is_load_balancer || !OF_LOAD_BALANCERS.contains(&field.as_str()))
                    && field != "healthCheckNodePort"
            });
            now.extend(spec.clone());
        }
        there
    }
}

/// A pool to be.
#[derive(Clone, Debug)]
pub struct Pool {
    pub name: String,
    spec: Value,
    namespaces: Vec<String>,
}

/// A pool of ranges, separated by spaces.
pub fn pool(name: &str, ranges: &str) -> Pool {
    let ranges: Vec<&str> = ranges.split(' ').collect();
    Pool {
        name: name.to_owned(),
        spec: json!({ "addresses": ranges }),
        namespaces: Vec::new(),
    }
}

impl Pool {
    /// Given out on request alone.
    pub fn manual(mut self) -> Self {
        self.spec["autoAssign"] = false.into();
        self
    }

    /// Without addresses that end in 0 or 255.
    pub fn careful(mut self) -> Self {
        self.spec["avoidBuggyIPs"] = true.into();
        self
    }

    /// Pinned to a namespace of the site, a team, or both; empty for neither.
    pub fn pinned(mut self, namespace: &str, team: &str, priority: u32) -> Self {
        let mut pinning = json!({ "priority": priority });
        if !namespace.is_empty() {
            self.namespaces.push(namespace.to_owned());
        }
        if !team.is_empty() {
            pinning["serviceSelectors"] = json!([{ "matchLabels": { "team": team } }]);
        }
        self.spec["serviceAllocation"] = pinning;
        self
    }

    /// Pinned to namespaces with a label `stage`.
    pub fn stage(mut self, stage: &str) -> Self {
        let selectors = json!([{ "matchLabels": { "stage": stage } }]);
        self.spec["serviceAllocation"] = json!({ "namespaceSelectors": selectors });
        self
    }

    /// The object, for a site.
    pub fn object(&self, site: &str) -> Value {
        let mut spec = self.spec.clone();
        if !self.namespaces.is_empty() {
            let names: Vec<String> = self
                .namespaces
                .iter()
                .map(|short| format!("{site}-{short}"))
                .collect();
            spec["serviceAllocation"]["namespaces"] = names.into();
        }
        json!({
            "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
            "metadata": { "name": self.name }, "spec": spec,
        })
    }
}

/// Fixture F of the reference.
pub fn fixture() -> Vec<Pool> {
    vec![
        pool("p1", "1.2.3.0/31"),
        pool("p2", "3.4.5.6/32").manual(),
        pool("p3", "1000::/127"),
        pool("p4", "2000::1/128").manual(),
        pool("p5", "1.2.4.0/31 1000::4:0/127"),
        pool("n10", "7.8.9.0/31").pinned("test-ns1", "", 10),
        pool("n11", "10.11.12.0/31").pinned("test-ns1", "", 11),
        pool("l9", "13.14.15.0/31").pinned("", "metallb", 9),
        pool("l8", "19.20.21.0/31").pinned("", "metallb", 8),
        pool("n2", "16.17.18.0/31").pinned("test-ns2", "", 0),
        pool("b8", "22.23.24.0/31").pinned("test-ns1", "metallb", 8),
        pool("b5", "25.26.27.0/31").pinned("test-ns1", "metallb", 5),
    ]
}

/// The addresses in a Service's status and the pool its annotation names: `1.2.3.0 1000:: @p`.
pub fn standing(service: &Value) -> String {
    let entries = service["status"]["loadBalancer"]["ingress"].as_array();
    let entry = |entry: &Value| match (entry["ip"].as_str(), entry["hostname"].as_str()) {
        (Some(ip), _) => ip.to_owned(),
        (None, host) => format!("host:{}", host.unwrap_or_default()),
    };
    let mut words: Vec<String> = entries.into_iter().flatten().map(entry).collect();
    let pool = &service["metadata"]["annotations"]["metallb.io/ip-allocated-from-pool"];
    words.extend(pool.as_str().map(|pool| format!("@{pool}")));
    words.join(" ")
}
