// SPDX-License-Identifier: Apache-2.0
//! A configuration in BIRD's language.

use std::{
    collections::BTreeMap,
    fmt::{Result as Written, Write},
    net::IpAddr,
};

use anyhow::Result;
use ipnet::IpNet;

use super::super::{Neighbor, RouterConfig, StaticRoute};

/// The name of each BGP protocol, with the peer it speaks to.
pub(super) fn names(config: &RouterConfig) -> BTreeMap<String, IpAddr> {
    config
        .neighbors
        .iter()
        .map(|neighbor| (name(neighbor), neighbor.address))
        .collect()
}

pub(super) fn render(config: &RouterConfig) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "router id {};", config.router_id)?;
    writeln!(text, "log stderr all;")?;
    writeln!(text, "protocol device {{ scan time 1; }}")?;
    for family in ["ipv4", "ipv6"] {
        statics(&mut text, family, config)?;
        if config.install {
            kernel(&mut text, family, config.multipath)?;
        }
    }
    for neighbor in &config.neighbors {
        bgp(&mut text, neighbor, config)?;
    }
    Ok(text)
}

fn kernel(text: &mut String, family: &str, multipath: u8) -> Written {
    writeln!(
        text,
        "protocol kernel kernel_{family} {{ merge paths on limit {multipath}; scan time 1; \
         {family} {{ import none; export where source = RTS_BGP; }}; }}"
    )
}

fn statics(text: &mut String, family: &str, config: &RouterConfig) -> Written {
    writeln!(text, "protocol static static_{family} {{ {family};")?;
    let own = |route: &&StaticRoute| matches!(route.prefix, IpNet::V4(_)) == (family == "ipv4");
    for route in config.statics.iter().filter(own) {
        write!(text, "  route {} blackhole", route.prefix)?;
        attributes(text, route)?;
        writeln!(text, ";")?;
    }
    writeln!(text, "}}")
}

fn attributes(text: &mut String, route: &StaticRoute) -> Written {
    let mut lines = String::new();
    if let Some(value) = route.local_pref {
        write!(lines, " bgp_local_pref = {value};")?;
    }
    for community in &route.communities {
        let (high, low) = (community.0 >> 16, community.0 & 0xFFFF);
        write!(lines, " bgp_community.add(({high},{low}));")?;
    }
    for large in &route.large_communities {
        let (a, b, c) = (large.global, large.local1, large.local2);
        write!(lines, " bgp_large_community.add(({a},{b},{c}));")?;
    }
    if lines.is_empty() {
        return Ok(());
    }
    write!(text, " {{{lines} }}")
}

fn bgp(text: &mut String, neighbor: &Neighbor, config: &RouterConfig) -> Written {
    let Neighbor { local, address, .. } = neighbor;
    writeln!(text, "protocol bgp {} {{", name(neighbor))?;
    writeln!(
        text,
        "  local {local} port {} as {};",
        config.port, config.asn
    )?;
    writeln!(
        text,
        "  neighbor {address} port {} as {};",
        neighbor.port, neighbor.asn
    )?;
    let timers = neighbor.timers;
    writeln!(text, "  hold time {};", timers.hold)?;
    if timers.keepalive > 0 {
        writeln!(text, "  keepalive time {};", timers.keepalive)?;
    }
    writeln!(
        text,
        "  connect delay time 0; connect retry time {};",
        timers.connect
    )?;
    writeln!(text, "  error wait time 1, 2;")?;
    options(text, neighbor)?;
    for (family, carried) in [
        ("ipv4", neighbor.families.v4()),
        ("ipv6", neighbor.families.v6()),
    ] {
        // IPv4 over IPv6: next hops of either family (RFC 8950).
        let either = if family == "ipv4" && address.is_ipv6() {
            " extended next hop on;"
        } else {
            ""
        };
        if carried {
            writeln!(
                text,
                "  {family} {{{either} import all; export where source = RTS_STATIC; next hop self; }};"
            )?;
        }
    }
    writeln!(text, "}}")
}

fn options(text: &mut String, neighbor: &Neighbor) -> Written {
    if neighbor.passive {
        writeln!(text, "  passive;")?;
    }
    if let Some(password) = &neighbor.password {
        writeln!(text, "  password \"{password}\";")?;
    }
    if let Some(hops) = neighbor.multihop {
        writeln!(text, "  multihop {hops};")?;
    }
    Ok(())
}

fn name(neighbor: &Neighbor) -> String {
    let address = neighbor.address.to_string().replace(['.', ':'], "_");
    format!("peer_{address}")
}
