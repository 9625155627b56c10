// SPDX-License-Identifier: Apache-2.0
//! Many objects at once, as calls for [`super::Api::each`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::{Value, json};

use super::Call;

/// Services of type LoadBalancer, named `s0`, `s1`, …
#[derive(Clone, Debug)]
pub struct Services<'a> {
    /// Their namespace, which is there.
    pub namespace: &'a str,
    /// How many.
    pub count: u32,
    /// Their load balancer's class, if any.
    pub class: Option<&'a str>,
    /// `externalTrafficPolicy: Local`.
    pub local: bool,
}

impl Services<'_> {
    /// Their creation.
    #[must_use]
    pub fn create(&self) -> Vec<Call> {
        let path = format!("/api/v1/namespaces/{}/services", self.namespace);
        let one = |index| Call::create(&path, self.object(index));
        (0..self.count).map(one).collect()
    }

    /// The status of each with one address, counted up from `first`.
    #[must_use]
    pub fn assign(&self, first: Ipv4Addr) -> Vec<Call> {
        let one = |index| self.set_status(index, Some(nth(first, index).into()));
        (0..self.count).map(one).collect()
    }

    /// All of them pending again: without status, and without the pool's name beside it.
    #[must_use]
    pub fn clear(&self) -> Vec<Call> {
        let nothing = json!({
            "metadata": { "annotations": { "metallb.io/ip-allocated-from-pool": null } },
            "status": { "loadBalancer": { "ingress": null } },
        });
        let one = |index| Call::merge(&self.status_path(index), nothing.clone());
        (0..self.count).map(one).collect()
    }

    /// The status of one with this address, or with none.
    #[must_use]
    pub fn set_status(&self, index: u32, address: Option<IpAddr>) -> Call {
        let ingress: Vec<Value> = address.iter().map(|ip| json!({ "ip": ip })).collect();
        Call::merge(
            &self.status_path(index),
            json!({ "status": { "loadBalancer": { "ingress": ingress } } }),
        )
    }

    fn status_path(&self, index: u32) -> String {
        format!(
            "/api/v1/namespaces/{}/services/s{index}/status",
            self.namespace
        )
    }

    /// An EndpointSlice for each, with one ready endpoint on a node, by turns.
    #[must_use]
    pub fn endpoints(&self, nodes: &[&str]) -> Vec<Call> {
        let path = format!(
            "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
            self.namespace
        );
        let turns = nodes.iter().cycle();
        let one = |(index, node): (u32, &&str)| Call::create(&path, slice(index, node));
        (0..self.count).zip(turns).map(one).collect()
    }

    /// The same Services, and an EndpointSlice on a node for each, as they lie in the store, for
    /// [`super::Cluster::plant`]; with addresses counted up from `first`, where one is given.
    #[must_use]
    pub fn stored(&self, first: Option<Ipv4Addr>, node: &str) -> Vec<(String, Value)> {
        let one = |index| {
            let service = self.stored_service(index, first);
            let key = format!("/registry/services/specs/{}/s{index}", self.namespace);
            let slice = self.identified(slice(index, node), "5110e", index);
            let slices = format!("/registry/endpointslices/{}/s{index}-1", self.namespace);
            [(key, service), (slices, slice)]
        };
        (0..self.count).flat_map(one).collect()
    }

    fn stored_service(&self, index: u32, first: Option<Ipv4Addr>) -> Value {
        let mut service = self.identified(self.object(index), "5e41c", index);
        let cluster_ip = nth(Ipv4Addr::new(10, 96, 1, 0), index);
        let more = json!({
            "clusterIP": cluster_ip, "clusterIPs": [cluster_ip], "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None", "ports": [{ "port": 80, "protocol": "TCP", "targetPort": 80 }],
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            service["spec"][name] = value.clone();
        }
        service["status"]["loadBalancer"] = match first {
            Some(first) => json!({ "ingress": [{ "ip": nth(first, index), "ipMode": "VIP" }] }),
            None => json!({}),
        };
        service
    }

    /// With what an API server adds to the metadata of a new object.
    fn identified(&self, mut object: Value, kind: &str, index: u32) -> Value {
        object["metadata"]["namespace"] = self.namespace.into();
        object["metadata"]["uid"] = format!("{kind:0>8}-0000-4000-8000-{index:012x}").into();
        object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
        object
    }

    fn object(&self, index: u32) -> Value {
        let policy = if self.local { "Local" } else { "Cluster" };
        let mut spec = json!({
            "type": "LoadBalancer",
            "externalTrafficPolicy": policy,
            // There are fewer node ports than Services.
            "allocateLoadBalancerNodePorts": false,
            "ports": [{ "port": 80, "protocol": "TCP" }],
        });
        if let (Some(class), Some(fields)) = (self.class, spec.as_object_mut()) {
            fields.insert("loadBalancerClass".to_owned(), class.into());
        }
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": { "name": format!("s{index}") }, "spec": spec,
        })
    }
}

/// Counted up from the first.
fn nth(first: Ipv4Addr, index: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(first).wrapping_add(index))
}

fn slice(index: u32, node: &str) -> Value {
    let address = nth(Ipv4Addr::new(10, 244, 0, 0), index);
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": format!("s{index}-1"),
            "labels": { "kubernetes.io/service-name": format!("s{index}") },
        },
        "ports": [{ "name": "", "port": 80, "protocol": "TCP" }],
        "endpoints": [{
            "addresses": [address], "nodeName": node,
            "conditions": { "ready": true, "serving": true, "terminating": false },
        }],
    })
}

/// The EndpointSlice of a Service whose Pods are no objects here, such as the one of our webhooks: the
/// API server calls webhooks at this address, which cannot be one of loopback.
#[must_use]
pub fn endpoint(namespace: &str, service: &str, port_name: &str, at: SocketAddr) -> Call {
    let family = if at.is_ipv4() { "IPv4" } else { "IPv6" };
    let object = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
        "metadata": {
            "generateName": format!("{service}-"),
            "labels": { "kubernetes.io/service-name": service },
        },
        "ports": [{ "name": port_name, "port": at.port(), "protocol": "TCP" }],
        "endpoints": [{ "addresses": [at.ip()], "conditions": { "ready": true } }],
    });
    let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
    Call::create(&path, object)
}

/// A ready Node with its address.
#[must_use]
pub fn node(name: &str, address: IpAddr) -> Call {
    let object = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
        "status": {
            "addresses": [{ "type": "InternalIP", "address": address }],
            "conditions": [
                { "type": "Ready", "status": "True", "reason": "KubeletReady" },
                { "type": "NetworkUnavailable", "status": "False", "reason": "RouteCreated" },
            ],
        },
    });
    Call::create("/api/v1/nodes", object)
}

/// A running Pod of a role on the host's network of a node, with the labels of its workload.
#[must_use]
pub fn pod(namespace: &str, role: &str, name: &str, node: &str, address: IpAddr) -> [Call; 2] {
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": { "app": "metallb", "component": role } },
        "spec": {
            "nodeName": node, "hostNetwork": true, "serviceAccountName": role,
            "containers": [{ "name": role, "image": "ferrolb" }],
        },
    });
    let status = json!({ "status": {
        "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }],
        "conditions": [{ "type": "Ready", "status": "True" }],
    }});
    [
        Call::create(&pods, object),
        Call::merge(&format!("{pods}/{name}/status"), status),
    ]
}
