// SPDX-License-Identifier: Apache-2.0
//! Links between namespaces: veth pairs, bridges, addresses.

use anyhow::{Context, Result};
use ipnet::IpNet;

use crate::netns::Namespace;

/// One end of a link: an interface's name in a namespace.
#[derive(Clone, Copy)]
pub struct End<'a> {
    /// The namespace it is in.
    pub namespace: &'a Namespace,
    /// The interface's name there, at most 15 bytes.
    pub interface: &'a str,
}

/// Lays a cable between two namespaces; both ends are up.
///
/// # Errors
/// The kernel refuses, for example because a name is taken.
pub fn veth(a: End<'_>, b: End<'_>) -> Result<()> {
    a.namespace.ip(&format!(
        "link add {} type veth peer name {} netns {}",
        a.interface,
        b.interface,
        b.namespace.name(),
    ))?;
    set_up(a)?;
    set_up(b)
}

/// Makes a switch: a bridge without spanning tree or multicast snooping, so that every frame reaches
/// every port at once.
///
/// # Errors
/// The kernel refuses.
pub fn bridge(end: End<'_>) -> Result<()> {
    let name = end.interface;
    end.namespace.ip_batch(&format!(
        "link add {name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n\
         link set {name} up\n"
    ))
}

/// Plugs an interface into a bridge of the same namespace.
///
/// # Errors
/// The kernel refuses.
pub fn enslave(port: End<'_>, bridge: &str) -> Result<()> {
    port.namespace
        .ip(&format!("link set {} master {bridge}", port.interface))
        .map(drop)
}

/// Gives an interface an address, usable at once.
///
/// # Errors
/// The kernel refuses.
pub fn add_address(end: End<'_>, address: IpNet) -> Result<()> {
    let nodad = if address.addr().is_ipv6() {
        " nodad"
    } else {
        ""
    };
    end.namespace
        .ip(&format!(
            "address add {address} dev {}{nodad}",
            end.interface
        ))
        .map(drop)
}

/// Takes an address from an interface.
///
/// # Errors
/// The kernel refuses, for example because it was not there.
pub fn remove_address(end: End<'_>, address: IpNet) -> Result<()> {
    end.namespace
        .ip(&format!("address del {address} dev {}", end.interface))
        .map(drop)
}

/// Switches an interface on.
///
/// # Errors
/// No such interface.
pub fn set_up(end: End<'_>) -> Result<()> {
    end.namespace
        .ip(&format!("link set {} up", end.interface))
        .map(drop)
}

/// Switches an interface off; the other end of the cable loses its carrier.
///
/// # Errors
/// No such interface.
pub fn set_down(end: End<'_>) -> Result<()> {
    end.namespace
        .ip(&format!("link set {} down", end.interface))
        .map(drop)
}

/// Sets the largest packet an interface takes, in bytes.
///
/// # Errors
/// No such interface, or a size it can't have.
pub fn set_mtu(end: End<'_>, bytes: u16) -> Result<()> {
    end.namespace
        .ip(&format!("link set {} mtu {bytes}", end.interface))
        .map(drop)
}

/// Gives an interface another hardware address.
///
/// # Errors
/// No such interface, or no unicast address.
pub fn set_mac(end: End<'_>, mac: &str) -> Result<()> {
    end.namespace
        .ip(&format!("link set {} address {mac}", end.interface))
        .map(drop)
}

/// The hardware address of an interface, in lower case with colons.
///
/// # Errors
/// No such interface.
pub fn mac(end: End<'_>) -> Result<String> {
    attribute(end, "address")
}

/// Whether an interface is on and has a carrier.
///
/// # Errors
/// No such interface.
pub fn is_up(end: End<'_>) -> Result<bool> {
    Ok(attribute(end, "operstate")? == "UP")
}

fn attribute(end: End<'_>, name: &str) -> Result<String> {
    let said = end
        .namespace
        .ip(&format!("-json link show dev {}", end.interface))?;
    let links: serde_json::Value = serde_json::from_str(&said)?;
    links
        .pointer(&format!("/0/{name}"))
        .and_then(|value| value.as_str())
        .map(str::to_owned)
        .with_context(|| format!("{} has no {name}", end.interface))
}
