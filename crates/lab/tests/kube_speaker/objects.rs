// SPDX-License-Identifier: Apache-2.0
//! The objects tests create, and where they lie in the API.

use ferrolb_lab::topology::Host;
use serde_json::{Value, json};

use crate::common::{NODE_AS, ROUTER_AS};

/// The namespace of the `metallb.io` objects.
pub const NAMESPACE: &str = "metallb-system";

/// The label that takes a node out of load balancing.
pub const EXCLUDE: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// Where the objects of this one's kind lie.
pub fn collection(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap();
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    path(kind, namespace, "").trim_end_matches('/').to_owned()
}

/// The path of an object; of all of its kind where it has no name.
pub fn path(kind: &str, namespace: &str, name: &str) -> String {
    let (group, plural) = match kind {
        "Node" => ("/api/v1", "nodes".to_owned()),
        "Service" | "Pod" | "Secret" | "Event" => ("/api/v1", format!("{}s", kind.to_lowercase())),
        "EndpointSlice" => ("/apis/discovery.k8s.io/v1", "endpointslices".to_owned()),
        "BGPPeer" => ("/apis/metallb.io/v1beta2", "bgppeers".to_owned()),
        "Community" => ("/apis/metallb.io/v1beta1", "communities".to_owned()),
        "ServiceL2Status" | "ServiceBGPStatus" => (
            "/apis/metallb.io/v1beta1",
            format!("{}es", kind.to_lowercase()),
        ),
        _ => (
            "/apis/metallb.io/v1beta1",
            format!("{}s", kind.to_lowercase()),
        ),
    };
    match namespace {
        "" => format!("{group}/{plural}/{name}"),
        namespace => format!("{group}/namespaces/{namespace}/{plural}/{name}"),
    }
}

/// The Node of a host, with both addresses.
pub fn node(host: &Host) -> Value {
    let addresses = [host.v4(), host.v6()];
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": host.name(), "labels": { "kubernetes.io/hostname": host.name() } },
        "status": { "addresses": addresses.map(|ip| json!({ "type": "InternalIP", "address": ip })) },
    })
}

fn ours(kind: &str, name: &str, spec: Value) -> Value {
    let version = if kind == "BGPPeer" {
        "v1beta2"
    } else {
        "v1beta1"
    };
    json!({
        "apiVersion": format!("metallb.io/{version}"), "kind": kind,
        "metadata": { "name": name, "namespace": NAMESPACE }, "spec": spec,
    })
}

/// The pools `routed` and `lan`.
pub fn pools() -> [Value; 2] {
    let routed = json!(["203.0.113.0/24", "198.18.0.0/16", "2001:db8:3::/64"]);
    let lan = json!(["192.0.2.200-192.0.2.239", "2001:db8:1::200-2001:db8:1::239"]);
    [
        ours(
            "IPAddressPool",
            "routed",
            json!({ "addresses": routed, "autoAssign": false }),
        ),
        ours("IPAddressPool", "lan", json!({ "addresses": lan })),
    ]
}

/// A BGPAdvertisement of the routed pool; `more` are further fields of its spec.
pub fn bgp_ad(name: &str, more: Value) -> Value {
    ours(
        "BGPAdvertisement",
        name,
        with(json!({ "ipAddressPools": ["routed"] }), more),
    )
}

/// An L2Advertisement of the pool `lan`.
pub fn l2_ad(name: &str, more: Value) -> Value {
    ours(
        "L2Advertisement",
        name,
        with(json!({ "ipAddressPools": ["lan"] }), more),
    )
}

/// A Community object with one alias.
pub fn community(alias: &str, value: &str) -> Value {
    let aliases = json!([{ "name": alias, "value": value }]);
    ours("Community", alias, json!({ "communities": aliases }))
}

/// A peer with short timers; eBGP unless `more` says otherwise.
pub fn peer(name: &str, address: std::net::IpAddr, more: Value) -> Value {
    let spec = json!({
        "myASN": NODE_AS, "peerASN": ROUTER_AS, "peerAddress": address,
        "holdTime": "9s", "keepaliveTime": "3s", "connectTime": "1s",
    });
    ours("BGPPeer", name, with(spec, more))
}

/// A Secret with a password.
pub fn secret(name: &str, password: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "stringData": { "username": "", "password": password },
    })
}

/// A Service of `default` that holds these addresses; `more` are further fields.
pub fn service(name: &str, addresses: &[&str], more: Value) -> Value {
    let ingress: Vec<Value> = addresses.iter().map(|ip| json!({ "ip": ip })).collect();
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "type": "LoadBalancer", "ports": [{ "port": 80 }],
            "allocateLoadBalancerNodePorts": false,
        },
        "status": { "loadBalancer": { "ingress": ingress } },
    });
    with(service, more)
}

/// `externalTrafficPolicy: Local`, for [`service`] and changes of one.
pub fn local() -> Value {
    json!({ "spec": { "externalTrafficPolicy": "Local" } })
}

/// An EndpointSlice of a Service with an endpoint on each of these nodes.
pub fn slice(service: &str, nodes: &[&str]) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": format!("{service}-1"), "namespace": "default",
            "labels": { "kubernetes.io/service-name": service },
        },
        "ports": [{ "name": "", "port": 80, "protocol": "TCP" }],
        "endpoints": endpoints(nodes, true),
    })
}

/// The endpoints of a slice, ready or not.
pub fn endpoints(nodes: &[&str], ready: bool) -> Vec<Value> {
    let one = |(index, node): (usize, &&str)| {
        json!({
            "addresses": [format!("10.244.0.{}", index + 1)], "nodeName": node,
            "conditions": { "ready": ready, "serving": ready, "terminating": false },
        })
    };
    nodes.iter().enumerate().map(one).collect()
}

/// A Service with its slice.
pub fn served(name: &str, addresses: &[&str], nodes: &[&str]) -> [Value; 2] {
    [service(name, addresses, json!({})), slice(name, nodes)]
}

/// Fields laid over an object, one level after another.
fn with(mut object: Value, more: Value) -> Value {
    match (object.as_object_mut(), more) {
        (Some(fields), Value::Object(more)) => {
            for (key, value) in more {
                let old = fields.remove(&key);
                let new = match old {
                    Some(old) if old.is_object() && value.is_object() => with(old, value),
                    _ => value,
                };
                fields.insert(key, new);
            }
            object
        }
        (_, more) => more,
    }
}
