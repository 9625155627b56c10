// SPDX-License-Identifier: Apache-2.0
//! What the lab's own tests share: BIRD speaking for a node in place of a load balancer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]
#![allow(dead_code, reason = "each test uses a part")]

pub mod folder;

use std::{net::IpAddr, time::Duration};

use ferrolb_lab::{
    Run,
    routers::{Bird, Neighbor, RouterConfig, StaticRoute},
    topology::{Host, Shape, Topology},
};
use ferrolb_types::{LargeCommunity, StandardCommunity};
use ipnet::IpNet;

/// The autonomous system of routers.
pub const ROUTER_AS: u32 = 64500;

/// The autonomous system of nodes.
pub const NODE_AS: u32 = 64501;

/// How long anything may take here.
pub const SOON: Duration = Duration::from_secs(20);

/// The Service addresses that nodes announce.
pub const SERVICE: [&str; 2] = ["203.0.113.1", "2001:db8:3::1"];

/// Whether the machine has what a test needs; fails in CI where not.
pub fn able(programs: &[&str]) -> bool {
    let mut wanted = vec!["bird", "birdc"];
    wanted.extend(programs);
    ferrolb_lab::require::able(&wanted).unwrap()
}

/// A network of its own.
pub fn network(nodes: u8, routers: u8) -> Topology {
    let run = Run::new().unwrap();
    Topology::build(&run, Shape { nodes, routers }).unwrap()
}

/// Both Service addresses.
pub fn services() -> [IpAddr; 2] {
    SERVICE.map(|text| text.parse().unwrap())
}

/// The route to a Service, with one community of each form and NO_EXPORT.
pub fn route(address: IpAddr) -> StaticRoute {
    StaticRoute {
        local_pref: Some(150),
        communities: vec![
            StandardCommunity(ROUTER_AS << 16 | 7),
            StandardCommunity(0xFFFF_FF01),
        ],
        large_communities: vec![LargeCommunity {
            global: ROUTER_AS,
            local1: 1,
            local2: 2,
        }],
        ..StaticRoute::new(IpNet::from(address))
    }
}

/// A BIRD on a node that announces the Services to the router at `router`, over a session of each
/// family.
pub fn speak(node: &Host, router: &Host, asn: u32, password: Option<&str>) -> Bird {
    let routes = services().map(route).to_vec();
    let mut config = RouterConfig::announcer(asn, node.id(), routes);
    for (own, peer) in [(node.v4(), router.v4()), (node.v6(), router.v6())] {
        let neighbor = Neighbor::new(own, peer, ROUTER_AS).active();
        config = config.with(match password {
            Some(password) => neighbor.keyed(password),
            None => neighbor,
        });
    }
    Bird::start(node.namespace(), &config).unwrap()
}

/// A router's configuration with both sessions of a node.
pub fn expecting(config: RouterConfig, router: &Host, node: &Host, asn: u32) -> RouterConfig {
    config
        .with(Neighbor::new(router.v4(), node.v4(), asn))
        .with(Neighbor::new(router.v6(), node.v6(), asn))
}
