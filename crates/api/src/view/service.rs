// SPDX-License-Identifier: Apache-2.0
//! A Service: what allocation and announcement depend on.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use ferrolb_types::{Family, Labels, ServiceKey};
use k8s_openapi::api::core::v1::{LoadBalancerIngress, Service, ServiceSpec};

use super::{Nameless, labels, name, namespace};
use crate::annotations::{
    ADDRESS_POOL, ALLOCATED_FROM_POOL, ALLOW_SHARED_IP, LEGACY_PREFIX, LOAD_BALANCER_IPS, PREFIX,
};

/// A Service as allocation and announcement see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    /// Namespace and name.
    pub key: ServiceKey,
    /// Creation time in seconds since 1970; absent for objects from a folder. The older holder of a
    /// doubled address keeps it.
    pub created: Option<i64>,
    /// Labels.
    pub labels: Labels,
    /// The annotations that mean something to us.
    pub annotations: ServiceAnnotations,
    /// `spec.type`.
    pub kind: ServiceType,
    /// `spec.loadBalancerClass`.
    pub class: Option<Box<str>>,
    /// `spec.clusterIPs`, or `spec.clusterIP` where that is empty.
    pub cluster_ips: Vec<ClusterIp>,
    /// Whether `spec.ipFamilies` begins with IPv6.
    pub ipv6_first: bool,
    /// `spec.ipFamilyPolicy`.
    pub policy: Option<FamilyPolicy>,
    /// `spec.loadBalancerIP`, as typed; empty counts as absent.
    pub load_balancer_ip: Option<Box<str>>,
    /// `spec.ports`, in order.
    pub ports: Vec<ServicePort>,
    /// `spec.externalTrafficPolicy`.
    pub traffic_policy: TrafficPolicy,
    /// `spec.selector`.
    pub selector: Labels,
    /// `status.loadBalancer.ingress`.
    pub ingress: Vec<Ingress>,
}

/// The annotations that mean something, new prefix before old one. Values are as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAnnotations {
    /// `address-pool`; present but empty hides the old prefix and asks for nothing.
    pub address_pool: Option<Box<str>>,
    /// `loadBalancerIPs`; likewise.
    pub load_balancer_ips: Option<Box<str>>,
    /// `allow-shared-ip`; its mere presence matters to layer 2.
    pub allow_shared_ip: Option<Box<str>>,
    /// `ip-allocated-from-pool`, new prefix only: what we wrote earlier.
    pub allocated_from_pool: Option<Box<str>>,
    /// Every annotation key with the old prefix, in order.
    pub deprecated: Vec<Box<str>>,
}

/// `spec.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceType {
    /// `ClusterIP`, also when absent.
    ClusterIp,
    /// `NodePort`.
    NodePort,
    /// `LoadBalancer`.
    LoadBalancer,
    /// `ExternalName`.
    ExternalName,
}

/// One cluster address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterIp {
    /// An address.
    Address(IpAddr),
    /// Anything else: `None` for a headless Service, or a text that is no address.
    Other(Box<str>),
}

/// `spec.ipFamilyPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyPolicy {
    /// `SingleStack`.
    SingleStack,
    /// `PreferDualStack`.
    PreferDualStack,
    /// `RequireDualStack`.
    RequireDualStack,
}

/// `spec.externalTrafficPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrafficPolicy {
    /// Every node may take the traffic.
    #[default]
    Cluster,
    /// Only nodes with an endpoint may.
    Local,
}

/// A port that clients use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServicePort {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Port number.
    pub port: u16,
}

/// Transport protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP, also when absent.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// An entry of `status.loadBalancer.ingress`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ingress {
    /// `ip` holds an address.
    Address(IpAddr),
    /// `ip` holds a text that is no address.
    Invalid(Box<str>),
    /// Only `hostname`, or nothing.
    Hostname(Box<str>),
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        })
    }
}

impl fmt::Display for ServicePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.protocol, self.port)
    }
}

impl ServiceView {
    /// The addresses its status holds, in order, leaving out what is no address.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.ingress.iter().filter_map(|entry| match entry {
            Ingress::Address(address) => Some(*address),
            Ingress::Invalid(_) | Ingress::Hostname(_) => None,
        })
    }

    /// Whether the Service is of type `LoadBalancer`.
    #[must_use]
    pub fn is_load_balancer(&self) -> bool {
        self.kind == ServiceType::LoadBalancer
    }
}

impl TryFrom<&Service> for ServiceView {
    type Error = Nameless;

    fn try_from(object: &Service) -> Result<Self, Nameless> {
        let meta = &object.metadata;
        let key = ServiceKey::new(namespace(meta), name(meta)?);
        let empty = ServiceSpec::default();
        let spec = object.spec.as_ref().unwrap_or(&empty);
        let status = object
            .status
            .as_ref()
            .and_then(|status| status.load_balancer.as_ref());
        Ok(Self {
            key,
            created: meta
                .creation_timestamp
                .as_ref()
                .map(|time| time.0.as_second()),
            labels: labels(meta),
            annotations: meta
                .annotations
                .as_ref()
                .map(annotations)
                .unwrap_or_default(),
            kind: kind(spec.type_.as_deref()),
            class: spec.load_balancer_class.as_deref().map(Box::from),
            cluster_ips: cluster_ips(spec),
            ipv6_first: ipv6_first(spec),
            policy: spec.ip_family_policy.as_deref().and_then(policy),
            load_balancer_ip: some_text(spec.load_balancer_ip.as_deref()),
            ports: spec.ports.iter().flatten().filter_map(port).collect(),
            traffic_policy: traffic_policy(spec),
            selector: spec.selector.as_ref().map(Labels::from).unwrap_or_default(),
            ingress: status
                .iter()
                .flat_map(|s| s.ingress.iter().flatten())
                .map(ingress)
                .collect(),
        })
    }
}

fn annotations(map: &BTreeMap<String, String>) -> ServiceAnnotations {
    let input = |key: &'static str| {
        let legacy = || map.get(&key.replacen(PREFIX, LEGACY_PREFIX, 1));
        map.get(key)
            .or_else(legacy)
            .map(|value| Box::from(value.as_str()))
    };
    ServiceAnnotations {
        address_pool: input(ADDRESS_POOL),
        load_balancer_ips: input(LOAD_BALANCER_IPS),
        allow_shared_ip: input(ALLOW_SHARED_IP),
        allocated_from_pool: map
            .get(ALLOCATED_FROM_POOL)
            .map(|value| Box::from(value.as_str())),
        deprecated: map
            .keys()
            .filter(|key| key.starts_with(LEGACY_PREFIX))
            .map(|key| Box::from(key.as_str()))
            .collect(),
    }
}

fn kind(text: Option<&str>) -> ServiceType {
    match text {
        Some("LoadBalancer") => ServiceType::LoadBalancer,
        Some("NodePort") => ServiceType::NodePort,
        Some("ExternalName") => ServiceType::ExternalName,
        _ => ServiceType::ClusterIp,
    }
}

fn policy(text: &str) -> Option<FamilyPolicy> {
    match text {
        "SingleStack" => Some(FamilyPolicy::SingleStack),
        "PreferDualStack" => Some(FamilyPolicy::PreferDualStack),
        "RequireDualStack" => Some(FamilyPolicy::RequireDualStack),
        _ => None,
    }
}

fn cluster_ips(spec: &ServiceSpec) -> Vec<ClusterIp> {
    let listed = spec.cluster_ips.iter().flatten().map(String::as_str);
    let mut texts: Vec<&str> = listed.filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        texts.extend(spec.cluster_ip.as_deref().filter(|text| !text.is_empty()));
    }
    let parse = |text: &str| match text.parse() {
        Ok(address) => ClusterIp::Address(address),
        Err(_) => ClusterIp::Other(text.into()),
    };
    texts.into_iter().map(parse).collect()
}

fn ipv6_first(spec: &ServiceSpec) -> bool {
    let families = spec.ip_families.as_deref().unwrap_or_default();
    families
        .first()
        .is_some_and(|family| *family == Family::IPv6.to_string())
}

fn port(port: &k8s_openapi::api::core::v1::ServicePort) -> Option<ServicePort> {
    let protocol = match port.protocol.as_deref() {
        Some("UDP") => Protocol::Udp,
        Some("SCTP") => Protocol::Sctp,
        _ => Protocol::Tcp,
    };
    // A port outside 1 to 65535 cannot collide with anything a client could send to.
    u16::try_from(port.port)
        .ok()
        .map(|port| ServicePort { protocol, port })
}

fn traffic_policy(spec: &ServiceSpec) -> TrafficPolicy {
    match spec.external_traffic_policy.as_deref() {
        Some("Local") => TrafficPolicy::Local,
        _ => TrafficPolicy::Cluster,
    }
}

fn ingress(entry: &LoadBalancerIngress) -> Ingress {
    match some_text(entry.ip.as_deref()) {
        None => Ingress::Hostname(entry.hostname.as_deref().unwrap_or_default().into()),
        Some(text) => match text.parse() {
            Ok(address) => Ingress::Address(address),
            Err(_) => Ingress::Invalid(text),
        },
    }
}

fn some_text(text: Option<&str>) -> Option<Box<str>> {
    text.filter(|text| !text.is_empty()).map(Box::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn read(pairs: Pairs<'_>) -> ServiceAnnotations {
        let pairs = pairs
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()));
        annotations(&pairs.collect())
    }

    #[test]
    fn old_keys_are_read_where_the_new_one_is_absent() {
        type Field = fn(&ServiceAnnotations) -> Option<&str>;
        let inputs: [(&str, Field); 3] = [
            ("address-pool", |all| all.address_pool.as_deref()),
            ("loadBalancerIPs", |all| all.load_balancer_ips.as_deref()),
            ("allow-shared-ip", |all| all.allow_shared_ip.as_deref()),
        ];
        for (name, field) in inputs {
            let (new, old) = (format!("{PREFIX}{name}"), format!("{LEGACY_PREFIX}{name}"));
            let table: [(Pairs<'_>, _, bool); 4] = [
                (&[], None, false),
                (&[(&new, "a")], Some("a"), false),
                (&[(&old, "b")], Some("b"), true),
                // An empty value counts as well.
                (&[(&new, ""), (&old, "b")], Some(""), true),
            ];
            for (pairs, value, deprecated) in table {
                let found = read(pairs);
                assert_eq!(field(&found), value, "{pairs:?}");
                assert_eq!(found.deprecated.len(), usize::from(deprecated), "{pairs:?}");
            }
        }
    }

    #[test]
    fn the_pool_of_an_old_release_is_no_input() {
        let found = read(&[("metallb.universe.tf/ip-allocated-from-pool", "a")]);
        assert_eq!(found.allocated_from_pool, None);
        assert_eq!(found.deprecated.len(), 1);
    }
}
