// SPDX-License-Identifier: Apache-2.0
//! A configuration in GoBGP's TOML, and its routes as commands.

use std::fmt::{Result as Written, Write};

use anyhow::Result;

use super::super::{Neighbor, RouterConfig, StaticRoute};

pub(super) fn render(config: &RouterConfig) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "[global.config]")?;
    writeln!(text, "as = {}", config.asn)?;
    writeln!(text, "router-id = \"{}\"", config.router_id)?;
    writeln!(text, "port = {}", config.port)?;
    if config.multipath > 1 {
        writeln!(text, "[global.use-multiple-paths.config]\nenabled = true")?;
    }
    for neighbor in &config.neighbors {
        session(&mut text, neighbor)?;
    }
    Ok(text)
}

fn session(text: &mut String, neighbor: &Neighbor) -> Written {
    writeln!(text, "[[neighbors]]\n[neighbors.config]")?;
    writeln!(text, "neighbor-address = \"{}\"", neighbor.address)?;
    writeln!(text, "peer-as = {}", neighbor.asn)?;
    if let Some(password) = &neighbor.password {
        writeln!(text, "auth-password = \"{password}\"")?;
    }
    writeln!(text, "[neighbors.transport.config]")?;
    writeln!(text, "local-address = \"{}\"", neighbor.local)?;
    writeln!(text, "passive-mode = {}", neighbor.passive)?;
    writeln!(text, "remote-port = {}", neighbor.port)?;
    let timers = neighbor.timers;
    writeln!(text, "[neighbors.timers.config]")?;
    writeln!(text, "hold-time = {}", timers.hold)?;
    writeln!(text, "keepalive-interval = {}", timers.keepalive)?;
    writeln!(text, "connect-retry = {}", timers.connect)?;
    // How long it stays away from a peer after a session ended; 30 s by default.
    writeln!(text, "idle-hold-time-after-reset = 1")?;
    if let Some(hops) = neighbor.multihop {
        writeln!(text, "[neighbors.ebgp-multihop.config]")?;
        writeln!(text, "enabled = true\nmultihop-ttl = {hops}")?;
    }
    for (family, carried) in [
        ("ipv4", neighbor.families.v4()),
        ("ipv6", neighbor.families.v6()),
    ] {
        if carried {
            writeln!(
                text,
                "[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]"
            )?;
            writeln!(text, "afi-safi-name = \"{family}-unicast\"")?;
        }
    }
    Ok(())
}

/// The command that originates a route.
pub(super) fn add(route: &StaticRoute) -> String {
    let family = if route.prefix.addr().is_ipv4() {
        "ipv4"
    } else {
        "ipv6"
    };
    let mut command = format!("global rib add -a {family} {}", route.prefix);
    if let Some(value) = route.local_pref {
        command.push_str(&format!(" local-pref {value}"));
    }
    let standard: Vec<String> = route
        .communities
        .iter()
        .map(|c| format!("{}:{}", c.0 >> 16, c.0 & 0xFFFF))
        .collect();
    let large: Vec<String> = route
        .large_communities
        .iter()
        .map(|c| format!("{}:{}:{}", c.global, c.local1, c.local2))
        .collect();
    for (keyword, values) in [("community", standard), ("large-community", large)] {
        if !values.is_empty() {
            command.push_str(&format!(" {keyword} {}", values.join(",")));
        }
    }
    command
}
