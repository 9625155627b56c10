// SPDX-License-Identifier: Apache-2.0
//! A network with an API server in its LAN, and the calls that tests make there as the administrator.

use std::{path::PathBuf, time::Duration};

use ferrolb_lab::{
    Run,
    cluster::{Call, Cluster, METALLB_RBAC, Options, Request, able, deploy},
    routers::Router,
    topology::{Host, Shape, Topology},
    wait,
};
use serde_json::{Value, json};

use crate::{
    objects::{self, NAMESPACE},
    seen,
};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// The user that speakers are.
pub const SPEAKER: &str = "system:serviceaccount:metallb-system:speaker";

/// Whose rules hold.
pub enum Rules {
    /// Those of `deploy/`.
    Ours,
    /// Those of MetalLB.
    Metallb,
}

/// The network, the API server, nothing announced yet.
pub struct Lab {
    pub net: Topology,
    pub cluster: Cluster,
    /// What speakers come in with.
    pub kubeconfig: PathBuf,
    /// Where the API server runs.
    pub api: Host,
}

impl Lab {
    /// Builds it with a Node for each node; nothing where the machine lacks what it takes.
    pub fn new(nodes: u8, routers: u8, rules: &Rules) -> Option<Self> {
        let programs = ["bird", "birdc", "arping", "ping", "tcpdump", "curl"];
        if !able(&programs).unwrap() {
            return None;
        }
        let net = Topology::build(&Run::new().unwrap(), Shape { nodes, routers }).unwrap();
        let api = net.join("api").unwrap();
        let cluster = Cluster::at(&api, &Options::default()).unwrap();
        cluster
            .install(&deploy("overlays/without-webhooks"))
            .unwrap();
        if matches!(rules, Rules::Metallb) {
            replace_rules(&cluster);
        }
        let lab = Self {
            kubeconfig: cluster.service_account(NAMESPACE, "speaker").unwrap(),
            net,
            cluster,
            api,
        };
        for node in &lab.net.nodes {
            lab.create(objects::node(node));
        }
        Some(lab)
    }

    /// Makes a call that has to succeed.
    pub fn call(&self, call: &Call) -> Value {
        self.cluster.admin().call(call).unwrap().ok().unwrap()
    }

    /// Creates an object, its status too where the API server takes that apart.
    pub fn create(&self, object: Value) {
        let path = objects::collection(&object);
        let status = object.get("status").cloned();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let kind = object["kind"].as_str().unwrap().to_owned();
        self.call(&Call::create(&path, object));
        if let Some(status) = status.filter(|_| ["Service", "Pod"].contains(&kind.as_str())) {
            let path = format!("{path}/{name}/status");
            self.call(&Call::merge(&path, json!({ "status": status })));
        }
    }

    /// Creates several.
    pub fn create_all(&self, objects: impl IntoIterator<Item = Value>) {
        objects.into_iter().for_each(|object| self.create(object));
    }

    /// Merges fields into an object.
    pub fn merge(&self, kind: &str, namespace: &str, name: &str, fields: Value) {
        let path = objects::path(kind, namespace, name);
        self.call(&Call::merge(&path, fields));
    }

    /// Merges fields into the spec of one of our objects.
    pub fn change(&self, kind: &str, name: &str, spec: Value) {
        self.merge(kind, NAMESPACE, name, json!({ "spec": spec }));
    }

    /// The addresses of a Service of `default` are these now.
    pub fn assign(&self, service: &str, addresses: &[&str]) {
        let ingress: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
        let path = objects::path("Service", "default", service) + "/status";
        let status = json!({ "status": { "loadBalancer": { "ingress": ingress } } });
        self.call(&Call::merge(&path, status));
    }

    /// Labels of a Node; null takes one away.
    pub fn label(&self, node: &str, labels: Value) {
        let fields = json!({ "metadata": { "labels": labels } });
        self.merge("Node", "", node, fields);
    }

    /// Says whether a node's network is unavailable.
    pub fn set_network(&self, node: &str, unavailable: &str) {
        let condition = json!({
            "type": "NetworkUnavailable", "status": unavailable, "reason": "Test", "message": "",
            "lastHeartbeatTime": null, "lastTransitionTime": null,
        });
        let path = objects::path("Node", "", node) + "/status";
        let status = json!({ "status": { "conditions": [condition] } });
        self.call(&Call::merge(&path, status));
    }

    /// Deletes an object.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) {
        self.call(&Call::delete(&objects::path(kind, namespace, name)));
    }

    /// The objects of a kind in a namespace.
    pub fn list(&self, kind: &str, namespace: &str) -> Vec<Value> {
        let path = objects::path(kind, namespace, "");
        let list = self.call(&Call::get(path.trim_end_matches('/')));
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until the objects of a kind in our namespace satisfy a condition.
    pub fn await_list(
        &self,
        what: &str,
        kind: &str,
        holds: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let mut last = Vec::new();
        let seen = wait::until(what, PATIENCE, || {
            last = self.list(kind, NAMESPACE);
            Ok(holds(&last))
        });
        seen.unwrap_or_else(|error| panic!("{error:#}\n{last:#?}"));
        last
    }

    /// The node that answers for an address, as the client sees it.
    pub fn holder(&self, address: &str) -> Option<String> {
        seen::holder(&self.net, address.parse().unwrap())
    }

    /// Waits until this node, or nobody, answers for an address.
    pub fn await_holder(&self, address: &str, expected: Option<&str>) {
        let mut last = None;
        let seen = wait::until("the holder", PATIENCE, || {
            last = self.holder(address);
            Ok(last.as_deref() == expected)
        });
        seen.unwrap_or_else(|error| panic!("{error:#}: {address} by {last:?}, not {expected:?}"));
        assert!(
            seen::is_held_once(&self.net, address.parse().unwrap()),
            "{address}: two answer"
        );
    }

    /// Waits until some node answers for an address, and says which.
    pub fn await_some_holder(&self, address: &str) -> String {
        let seen = wait::arrival("a holder", PATIENCE, || Ok(self.holder(address)));
        seen.unwrap_or_else(|error| panic!("{error:#}: {address}"))
            .0
    }

    /// What speakers wrote so far, but reviews of tokens.
    pub fn writes(&self) -> Vec<Request> {
        let all = self.cluster.requests_of(SPEAKER).unwrap();
        let review = |one: &Request| one.resource.ends_with("reviews");
        all.into_iter()
            .filter(|one| one.is_write() && !review(one))
            .collect()
    }

    /// Waits until speakers write nothing for a while; gives what they wrote until then.
    pub fn settled(&self) -> Vec<Request> {
        let mut writes = self.writes();
        let (_, _) = wait::arrival("nothing is written", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(1500));
            let now = self.writes();
            let same = now.len() == writes.len();
            writes = now;
            Ok(same.then_some(()))
        })
        .unwrap();
        writes
    }

    /// The Events on a Service of `default`, as reason, reporting node and message, with their counts.
    pub fn events(&self, service: &str) -> Vec<(String, String, String, u64)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = self.list("Event", "default").into_iter();
        let ours = all.filter(|event| {
            event["involvedObject"]["name"] == service
                && event["source"]["component"] == "metallb-speaker"
        });
        let mut ours: Vec<_> = ours
            .map(|event| {
                let reason = format!("{} {}", text(&event["type"]), text(&event["reason"]));
                let host = text(&event["source"]["host"]);
                (
                    reason,
                    host,
                    text(&event["message"]),
                    event["count"].as_u64().unwrap_or(1),
                )
            })
            .collect();
        ours.sort();
        ours
    }
}

/// Waits until a router has these prefixes, and no others, from a peer.
pub fn await_routes(router: &dyn Router, peer: std::net::IpAddr, expected: &[&str]) {
    let wanted = expected.iter().map(|text| text.parse().unwrap()).collect();
    let what = format!("{expected:?} from {peer}");
    router
        .wait_for(&what, PATIENCE, &mut |view| {
            view.prefixes_from(peer) == wanted
        })
        .unwrap_or_else(|error| panic!("{error:#}"));
}

/// Takes our roles away and gives the accounts MetalLB's.
fn replace_rules(cluster: &Cluster) {
    for kind in ["rolebindings", "roles"] {
        cluster
            .kubectl(&["delete", kind, "--all", "-n", NAMESPACE])
            .unwrap();
    }
    for kind in ["clusterrolebindings", "clusterroles"] {
        cluster
            .kubectl(&["delete", kind, "-l", "app=metallb"])
            .unwrap();
    }
    cluster.apply(METALLB_RBAC).unwrap();
}
