// SPDX-License-Identifier: Apache-2.0
//! A configuration in the language of FRR's bgpd.

use std::{
    collections::BTreeMap,
    fmt::{Result as Written, Write},
};

use anyhow::Result;
use ipnet::IpNet;

use super::super::{Neighbor, RouterConfig, StaticRoute};

pub(super) fn render(config: &RouterConfig) -> Result<String> {
    let mut text = String::new();
    let maps = maps(config);
    for (name, route) in &maps {
        route_map(&mut text, name, route)?;
    }
    writeln!(text, "router bgp {}", config.asn)?;
    writeln!(text, " bgp router-id {}", config.router_id)?;
    for line in [
        // What it is told here is all the policy there is.
        "no bgp ebgp-requires-policy",
        "no bgp default ipv4-unicast",
        "no bgp network import-check",
        // Paths from several autonomous systems are equal when their lengths are.
        "bgp bestpath as-path multipath-relax",
    ] {
        writeln!(text, " {line}")?;
    }
    for neighbor in &config.neighbors {
        session(&mut text, neighbor)?;
    }
    for family in ["ipv4", "ipv6"] {
        address_family(&mut text, family, config, &maps)?;
    }
    Ok(text)
}

type Maps<'a> = BTreeMap<String, &'a StaticRoute>;

/// A route map for each static route that has attributes.
fn maps(config: &RouterConfig) -> Maps<'_> {
    let plain = |route: &&StaticRoute| **route == StaticRoute::new(route.prefix);
    config
        .statics
        .iter()
        .filter(|route| !plain(route))
        .map(|route| (map_name(route.prefix), route))
        .collect()
}

fn map_name(prefix: IpNet) -> String {
    format!("own-{}", prefix.to_string().replace(['.', ':', '/'], "-"))
}

fn route_map(text: &mut String, name: &str, route: &StaticRoute) -> Written {
    writeln!(text, "route-map {name} permit 10")?;
    if let Some(value) = route.local_pref {
        writeln!(text, " set local-preference {value}")?;
    }
    let standard = route
        .communities
        .iter()
        .map(|c| format!("{}:{}", c.0 >> 16, c.0 & 0xFFFF));
    let large = route
        .large_communities
        .iter()
        .map(|c| format!("{}:{}:{}", c.global, c.local1, c.local2));
    for (keyword, values) in [
        ("community", standard.collect::<Vec<_>>()),
        ("large-community", large.collect()),
    ] {
        if !values.is_empty() {
            writeln!(text, " set {keyword} {}", values.join(" "))?;
        }
    }
    writeln!(text, "exit")
}

fn session(text: &mut String, neighbor: &Neighbor) -> Written {
    let peer = neighbor.address;
    let mut line = |rest: String| writeln!(text, " neighbor {peer} {rest}");
    line(format!("remote-as {}", neighbor.asn))?;
    line(format!("port {}", neighbor.port))?;
    line(format!("update-source {}", neighbor.local))?;
    let timers = neighbor.timers;
    line(format!("timers {} {}", timers.keepalive, timers.hold))?;
    line(format!("timers connect {}", timers.connect))?;
    // Routes are sent as they come instead of in batches.
    line("advertisement-interval 0".to_owned())?;
    if neighbor.passive {
        line("passive".to_owned())?;
    }
    if let Some(password) = &neighbor.password {
        line(format!("password {password}"))?;
    }
    if neighbor.families.v4() && peer.is_ipv6() {
        line("capability extended-nexthop".to_owned())?;
    }
    if let Some(hops) = neighbor.multihop {
        line(format!("ebgp-multihop {hops}"))?;
    }
    Ok(())
}

fn address_family(
    text: &mut String,
    family: &str,
    config: &RouterConfig,
    maps: &Maps<'_>,
) -> Written {
    let is_v4 = family == "ipv4";
    writeln!(text, " address-family {family} unicast")?;
    for route in &config.statics {
        if matches!(route.prefix, IpNet::V4(_)) == is_v4 {
            let name = map_name(route.prefix);
            let map = maps
                .get(&name)
                .map_or(String::new(), |_| format!(" route-map {name}"));
            writeln!(text, "  network {}{map}", route.prefix)?;
        }
    }
    for neighbor in &config.neighbors {
        let families = neighbor.families;
        if if is_v4 { families.v4() } else { families.v6() } {
            writeln!(text, "  neighbor {} activate", neighbor.address)?;
        }
    }
    writeln!(text, "  maximum-paths {}", config.multipath)?;
    writeln!(text, "  maximum-paths ibgp {}", config.multipath)?;
    writeln!(text, " exit-address-family")
}
