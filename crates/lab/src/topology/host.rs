// SPDX-License-Identifier: Apache-2.0
//! One host: a namespace with its cables, its part in the network and the page it serves.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::Result;
use ipnet::IpNet;

use super::address::{Place, lan, lan_v4, wan};
use crate::{
    link::{self, End},
    netns::Namespace,
    process::{Process, Spec},
    run::Run,
    serve, tools,
};

/// The name of a host's interface in the LAN.
pub const LAN: &str = "eth0";

/// The name of a host's interface in the WAN.
pub const WAN: &str = "eth1";

/// A host of the lab.
pub struct Host {
    namespace: Namespace,
    place: Place,
}

impl Host {
    /// Makes a host without any cable.
    ///
    /// # Errors
    /// The namespace cannot be made.
    pub fn create(run: &Run, name: &str) -> Result<Self> {
        Ok(Self {
            namespace: Namespace::create(run, name)?,
            place: Place::of(name),
        })
    }

    /// Its short name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.namespace.host()
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The last part of its addresses.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Its IPv4 address in the LAN.
    #[must_use]
    pub fn v4(&self) -> IpAddr {
        self.id().into()
    }

    /// The same as its BGP Identifier.
    #[must_use]
    pub fn id(&self) -> Ipv4Addr {
        lan_v4(self.place)
    }

    /// Its IPv6 address in the LAN.
    #[must_use]
    pub fn v6(&self) -> IpAddr {
        let [_, v6] = lan(self.place);
        v6.addr()
    }

    /// One of its interfaces.
    #[must_use]
    pub fn end<'a>(&'a self, interface: &'a str) -> End<'a> {
        End {
            namespace: &self.namespace,
            interface,
        }
    }

    /// The hardware address of its LAN interface.
    ///
    /// # Errors
    /// It is not plugged in.
    pub fn mac(&self) -> Result<String> {
        link::mac(self.end(LAN))
    }

    /// Gives it a Service address, on its loopback: it takes packets for it and answers for it to
    /// nobody.
    ///
    /// # Errors
    /// It has it already.
    pub fn hold(&self, address: IpAddr) -> Result<()> {
        link::add_address(self.end("lo"), IpNet::from(address))
    }

    /// Takes a Service address from it.
    ///
    /// # Errors
    /// It does not have it.
    pub fn release(&self, address: IpAddr) -> Result<()> {
        link::remove_address(self.end("lo"), IpNet::from(address))
    }

    /// Serves a page with its name on this port of all its addresses.
    ///
    /// # Errors
    /// The lab's program is not built, or the port is taken.
    pub fn serve(&self, port: u16) -> Result<Process> {
        // An IPv6 socket takes IPv4 connections too, unless told otherwise.
        let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).to_string();
        let arguments = ["serve", self.name(), &all];
        let spec = Spec::new(&format!("serve{port}"), tools::lab()?, arguments);
        let process = Process::start(&self.namespace, &spec)?;
        process.wait_for_log(serve::READY, Duration::from_secs(5))?;
        Ok(process)
    }

    /// Its neighbour table's hardware address for an address of its link, if it has one.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn neighbour(&self, address: IpAddr) -> Result<Option<String>> {
        let said = self.namespace.ip(&format!("-json neigh show {address}"))?;
        let table: serde_json::Value = serde_json::from_str(said.trim()).unwrap_or_default();
        let mac = table.pointer("/0/lladdr").and_then(|mac| mac.as_str());
        Ok(mac.map(str::to_owned))
    }

    /// Lays its cable to a bridge of the switch and gives it its addresses there. The port at the
    /// switch bears the host's name.
    pub(super) fn plug(&mut self, switch: &Namespace, bridge: &str, interface: &str) -> Result<()> {
        let (port, addresses) = match interface {
            LAN => (self.name().to_owned(), lan(self.place)),
            _ => (format!("{}-wan", self.name()), wan(self.place)),
        };
        let port = End {
            namespace: switch,
            interface: &port,
        };
        link::veth(self.end(interface), port)?;
        link::enslave(port, bridge)?;
        for address in addresses {
            link::add_address(self.end(interface), address)?;
        }
        Ok(())
    }

    pub(super) fn set_gateway(&self, interface: &str, router: [IpNet; 2]) -> Result<()> {
        let [v4, v6] = router.map(|net| net.addr());
        self.namespace.ip_batch(&format!(
            "route replace 0.0.0.0/0 via {v4} dev {interface}\n\
             route replace ::/0 via {v6} dev {interface}\n"
        ))
    }

    /// Service addresses on loopback stay unanswered by the kernel (`arp_ignore`), and its own ARP
    /// requests bear its own address (`arp_announce`), as load balancers ask of nodes.
    pub(super) fn be_node(&self) -> Result<()> {
        self.namespace.sysctl(&[
            ("net.ipv4.conf.all.arp_ignore", "1"),
            ("net.ipv4.conf.all.arp_announce", "2"),
            // Replies leave by the default route, whichever router the request came from.
            ("net.ipv4.conf.all.rp_filter", "0"),
            ("net.core.somaxconn", "4096"),
        ])
    }

    pub(super) fn be_client(&self) -> Result<()> {
        self.namespace
            .sysctl(&[("net.ipv4.ip_local_port_range", "1024 65535")])
    }

    pub(super) fn be_router(&self) -> Result<()> {
        self.namespace.sysctl(&[
            ("net.ipv4.ip_forward", "1"),
            ("net.ipv6.conf.all.forwarding", "1"),
            ("net.ipv4.conf.all.rp_filter", "0"),
            // Each connection is a flow of its own, not each pair of addresses.
            ("net.ipv4.fib_multipath_hash_policy", "1"),
            ("net.ipv6.fib_multipath_hash_policy", "1"),
        ])
    }

    /// The route its kernel would take to an address: the next hops, sorted.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn next_hops(&self, destination: IpAddr) -> Result<Vec<IpAddr>> {
        let family = if destination.is_ipv4() { "-4" } else { "-6" };
        let prefix = IpNet::from(destination);
        let said = self
            .namespace
            .ip(&format!("-json {family} route show {prefix}"))?;
        Ok(gateways(&serde_json::from_str(&said)?))
    }
}

/// The gateways in the JSON of `ip route show`, of one or of several next hops or routes.
fn gateways(table: &serde_json::Value) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for route in table.as_array().into_iter().flatten() {
        let hops = route.get("nexthops").and_then(|hops| hops.as_array());
        let single = [route];
        for hop in hops.into_iter().flatten().chain(single) {
            let gateway = hop.get("gateway").or_else(|| hop.pointer("/via/host"));
            found.extend(gateway.and_then(|text| text.as_str()?.parse::<IpAddr>().ok()));
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_single_and_multiple_next_hops() {
        let cases = [
            (r#"[]"#, vec![]),
            (
                r#"[{"dst":"a","gateway":"192.0.2.11"}]"#,
                vec!["192.0.2.11"],
            ),
            (
                r#"[{"nexthops":[{"gateway":"192.0.2.12"},{"gateway":"192.0.2.11"}]}]"#,
                vec!["192.0.2.11", "192.0.2.12"],
            ),
            (
                r#"[{"via":{"family":"inet6","host":"2001:db8:1::11"}}]"#,
                vec!["2001:db8:1::11"],
            ),
        ];
        for (json, expected) in cases {
            let found: Vec<String> = gateways(&serde_json::from_str(json).unwrap())
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(found, expected, "{json}");
        }
    }
}
