// SPDX-License-Identifier: Apache-2.0
//! Decisions as tables: a [`Scene`] holds the objects, and every node is asked for its own decision.

mod bgp;
mod incremental;
mod layer2;
mod overruled;
mod properties;
mod shared;

use std::{collections::BTreeSet, sync::Arc};

use ferrolb_api::view::*;
use ferrolb_config::{
    Config,
    compiled::*,
    selector::{AnyOf, Requirement, Selector},
};
use ferrolb_types::{Asn, EndpointSliceKey, Labels, NodeName, PeerName, ServiceKey};

use crate::*;

pub(crate) const EXCLUDE: (&str, &str) =
    (ferrolb_api::annotations::EXCLUDE_FROM_LOAD_BALANCERS, "");

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

pub(crate) fn node(name: &str, pairs: &[(&str, &str)]) -> NodeView {
    let named = pairs.iter().copied().chain([("name", name)]);
    NodeView {
        name: name.into(),
        labels: named.collect(),
        internal_ips: Vec::new(),
        network_unavailable: false,
    }
}

pub(crate) fn key(name: &str) -> ServiceKey {
    ServiceKey::new("default", name)
}

pub(crate) fn service(name: &str, addresses: &[&str]) -> ServiceView {
    let ingress = addresses.iter().map(|a| match a.parse() {
        Ok(address) => Ingress::Address(address),
        Err(_) => Ingress::Hostname((*a).into()),
    });
    ServiceView {
        key: key(name),
        created: None,
        labels: labels(&[("app", name)]),
        annotations: ServiceAnnotations::default(),
        kind: ServiceType::LoadBalancer,
        class: None,
        cluster_ips: Vec::new(),
        ipv6_first: false,
        policy: None,
        load_balancer_ip: None,
        ports: vec![ServicePort {
            protocol: ferrolb_api::view::Protocol::Tcp,
            port: 80,
        }],
        traffic_policy: TrafficPolicy::Cluster,
        selector: labels(&[("app", name)]),
        ingress: ingress.collect(),
    }
}

pub(crate) fn local(mut view: ServiceView) -> ServiceView {
    view.traffic_policy = TrafficPolicy::Local;
    view
}

pub(crate) fn sharing(mut view: ServiceView, port: u16) -> ServiceView {
    view.annotations.allow_shared_ip = Some("key".into());
    view.ports = vec![ServicePort {
        protocol: ferrolb_api::view::Protocol::Tcp,
        port,
    }];
    view
}

pub(crate) fn slice(service: &str, nodes: &[&str]) -> EndpointSliceView {
    EndpointSliceView {
        key: EndpointSliceKey::new("default", format!("{service}-1")),
        service: Some(key(service)),
        usable: nodes
            .iter()
            .map(|node| UsableEndpoint {
                node: Some((*node).into()),
                has_address: true,
            })
            .collect(),
    }
}

pub(crate) fn any_of(key: &str, values: &[&str]) -> Selector {
    let values: BTreeSet<String> = values.iter().map(|v| (*v).into()).collect();
    Selector {
        requirements: vec![Requirement::In(key.into(), values)],
    }
}

/// Nodes by name; none means all.
pub(crate) fn on(nodes: &[&str]) -> AnyOf {
    match nodes {
        [] => AnyOf::default(),
        _ => AnyOf(vec![any_of("name", nodes)]),
    }
}

/// Services by name; none means all.
pub(crate) fn serving(services: &[&str]) -> AnyOf {
    match services {
        [] => AnyOf::default(),
        _ => AnyOf(vec![any_of("app", services)]),
    }
}

pub(crate) fn l2(nodes: &[&str]) -> L2Advertisement {
    L2Advertisement {
        name: "l2".into(),
        nodes: on(nodes),
        ..L2Advertisement::default()
    }
}

pub(crate) fn preferring(mut ad: L2Advertisement, weights: &[(&str, u32)]) -> L2Advertisement {
    let preferences = weights.iter().map(|(name, weight)| Preference {
        nodes: any_of("name", &[name]),
        weight: *weight,
    });
    ad.preferences = preferences.collect();
    ad
}

pub(crate) fn bgp_ad(nodes: &[&str]) -> BgpAdvertisement {
    BgpAdvertisement {
        name: "bgp".into(),
        services: AnyOf::default(),
        nodes: on(nodes),
        peers: BTreeSet::new(),
        aggregation_length: 32,
        aggregation_length_v6: 128,
        local_pref: None,
        communities: BTreeSet::new(),
    }
}

pub(crate) fn peer(name: &str, address: &str) -> Peer {
    Peer {
        name: name.into(),
        nodes: AnyOf::default(),
        my_asn: Asn(64512),
        peer_as: PeerAs::Exactly(Asn(64513)),
        local_asn: None,
        connection: Connection {
            address: address.parse().ok(),
            interface: None,
            port: 179,
            source: None,
            multihop: false,
            vrf: None,
        },
        timers: Timers::default(),
        router_id: None,
        password: None,
        bfd_profile: None,
        graceful_restart: false,
        dual_stack: false,
    }
}

pub(crate) fn pool(
    name: &str,
    ranges: &[&str],
    l2: Vec<L2Advertisement>,
    bgp: Vec<BgpAdvertisement>,
) -> Pool {
    let entries = ranges.iter().enumerate().map(|(index, range)| Entry {
        index,
        range: range.parse().unwrap(),
    });
    Pool {
        name: name.into(),
        entries: entries.collect(),
        auto_assign: true,
        avoid_buggy_ips: false,
        pinning: None,
        l2: l2.into_iter().map(Arc::new).collect(),
        bgp: bgp.into_iter().map(Arc::new).collect(),
    }
}

pub(crate) fn config(pools: Vec<Pool>, peers: Vec<Peer>) -> Config {
    let pools = pools.into_iter().map(|p| (p.name.clone(), Arc::new(p)));
    let peers = peers.into_iter().map(|p| (p.name.clone(), Arc::new(p)));
    Config {
        pools: pools.collect(),
        peers: peers.collect(),
        ..Config::default()
    }
}

/// One pool with everything a test needs.
pub(crate) fn plain(l2: Vec<L2Advertisement>, bgp: Vec<BgpAdvertisement>) -> Config {
    let ranges = ["10.0.0.0/8", "2001:db8::/64"];
    let peers = vec![peer("peer1", "192.0.2.1"), peer("peer2", "192.0.2.2")];
    config(vec![pool("web", &ranges, l2, bgp)], peers)
}

/// The objects of a cluster.
#[derive(Clone, Default)]
pub(crate) struct Scene {
    pub nodes: Vec<NodeView>,
    pub services: Vec<ServiceView>,
    pub slices: Vec<EndpointSliceView>,
    pub config: Arc<Config>,
    pub alive: Liveness,
    pub facts: Vec<NodeFacts>,
    pub ignore_exclude_lb: bool,
}

impl Scene {
    /// Nodes `iris1` and `iris2`, the Service `web` on 10.20.30.1 with endpoints on these nodes.
    pub(crate) fn iris(endpoints: &[&str], config: Config) -> Self {
        Self {
            nodes: vec![node("iris1", &[]), node("iris2", &[])],
            services: vec![service("web", &["10.20.30.1"])],
            slices: vec![slice("web", endpoints)],
            config: Arc::new(config),
            ..Self::default()
        }
    }

    pub(crate) fn world(&self, own: &str) -> World {
        let mut world = World::new(Options {
            node: Some(own.into()),
            lb_class: None,
            ignore_exclude_lb: self.ignore_exclude_lb,
        });
        self.nodes.iter().for_each(|n| world.apply_node(n.clone()));
        self.facts.iter().for_each(|f| world.apply_facts(f.clone()));
        world.set_alive(&self.alive);
        self.services.iter().for_each(|s| world.apply_service(s));
        self.slices
            .iter()
            .for_each(|s| world.apply_endpoint_slice(s));
        world.set_config(Arc::clone(&self.config));
        for kind in [Kind::Services, Kind::EndpointSlices, Kind::Nodes] {
            world.synced(kind);
        }
        assert_consistent(&world, own);
        world
    }

    /// The nodes that announce a Service in layer 2.
    pub(crate) fn owners(&self, name: &str) -> Vec<String> {
        let names = self.nodes.iter().map(|node| node.name.to_string());
        names
            .filter(|n| self.world(n).announced(&key(name)).layer2.is_some())
            .collect()
    }

    /// Why a node does not announce `web`, in MetalLB's words; empty when it does.
    pub(crate) fn why(&self, own: &str, protocol: reason::Protocol) -> &'static str {
        let (layer2, bgp) = self.world(own).refusals(&key("web"));
        let reason = match protocol {
            reason::Protocol::Layer2 => layer2,
            reason::Protocol::Bgp => bgp,
        };
        reason.map_or("", |r| r.metallb(protocol).unwrap_or("none"))
    }
}

pub(crate) fn facts(node: &str, interfaces: &[&str]) -> NodeFacts {
    NodeFacts {
        node: node.into(),
        version: "0.1.0".into(),
        interfaces: Some(interfaces.iter().map(|i| (*i).into()).collect()),
        lacks: BTreeSet::new(),
        refuses: BTreeSet::new(),
        features: BTreeSet::new(),
    }
}

/// What is stored for the own node is what the function for any node says.
pub(crate) fn assert_consistent(world: &World, own: &str) {
    let own = NodeName::from(own);
    for key in world.services() {
        let decision = world.decide(key, &own);
        let announced = world.announced(key);
        let (layer2, bgp) = world.refusals(key);
        assert_eq!(
            decision.layer2.as_ref().err(),
            layer2.as_ref(),
            "{key} layer 2"
        );
        assert_eq!(decision.layer2.ok(), announced.layer2, "{key} layer 2");
        assert_eq!(decision.bgp.as_ref().err(), bgp.as_ref(), "{key} BGP");
        let prefixes: Option<BTreeSet<_>> = decision
            .bgp
            .ok()
            .map(|offers| offers.iter().map(|offer| offer.prefix).collect());
        let stored = announced.bgp.map(|b| b.prefixes.into_iter().collect());
        assert_eq!(prefixes, stored, "{key} BGP");
    }
}

pub(crate) fn drain(world: &mut World) -> Vec<Change> {
    std::iter::from_fn(|| world.poll()).collect()
}

pub(crate) fn peer_names(names: &[&str]) -> BTreeSet<PeerName> {
    names.iter().map(|name| PeerName::from(*name)).collect()
}
