// SPDX-License-Identifier: Apache-2.0
//! A configuration in OpenBGPD's language.

use std::{
    collections::BTreeSet,
    fmt::{Result as Written, Write},
    net::IpAddr,
    path::Path,
};

use anyhow::Result;

use super::super::{Neighbor, RouterConfig, StaticRoute};

pub(super) fn render(config: &RouterConfig, socket: &Path) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "AS {}", config.asn)?;
    writeln!(text, "router-id {}", config.router_id)?;
    writeln!(text, "fib-update no")?;
    writeln!(text, "socket \"{}\"", socket.display())?;
    // A second, restricted socket would otherwise be made in a folder shared by all instances.
    writeln!(
        text,
        "socket \"{}.restricted\" restricted",
        socket.display()
    )?;
    let locals: BTreeSet<IpAddr> = config.neighbors.iter().map(|n| n.local).collect();
    for local in locals {
        writeln!(text, "listen on {local} port {}", config.port)?;
    }
    for route in &config.statics {
        network(&mut text, route)?;
    }
    for neighbor in &config.neighbors {
        session(&mut text, neighbor)?;
    }
    writeln!(text, "allow from any\nallow to any")?;
    Ok(text)
}

fn network(text: &mut String, route: &StaticRoute) -> Written {
    write!(text, "network {}", route.prefix)?;
    if *route == StaticRoute::new(route.prefix) {
        return writeln!(text);
    }
    write!(text, " set {{")?;
    if let Some(value) = route.local_pref {
        write!(text, " localpref {value}")?;
    }
    for c in &route.communities {
        write!(text, " community {}:{}", c.0 >> 16, c.0 & 0xFFFF)?;
    }
    for c in &route.large_communities {
        let (global, local1, local2) = (c.global, c.local1, c.local2);
        write!(text, " large-community {global}:{local1}:{local2}")?;
    }
    writeln!(text, " }}")
}

fn session(text: &mut String, neighbor: &Neighbor) -> Written {
    writeln!(text, "neighbor {} {{", neighbor.address)?;
    writeln!(text, "  remote-as {}", neighbor.asn)?;
    if neighbor.password.is_none() {
        // On Linux, a key together with a local address never reaches the listening socket.
        writeln!(text, "  local-address {}", neighbor.local)?;
    }
    if neighbor.port != 179 {
        writeln!(text, "  port {}", neighbor.port)?;
    }
    writeln!(text, "  holdtime {}", neighbor.timers.hold)?;
    if neighbor.passive {
        writeln!(text, "  passive")?;
    }
    if let Some(hops) = neighbor.multihop {
        writeln!(text, "  multihop {hops}")?;
    }
    for (family, carried) in [
        ("IPv4", neighbor.families.v4()),
        ("IPv6", neighbor.families.v6()),
    ] {
        let what = if carried { "unicast" } else { "none" };
        writeln!(text, "  announce {family} {what}")?;
    }
    if let Some(password) = &neighbor.password {
        writeln!(text, "  tcp md5sig password \"{password}\"")?;
    }
    writeln!(text, "}}")
}
