// SPDX-License-Identifier: Apache-2.0
//! The network most tests want: a LAN with nodes, a client and routers, and a client beyond them.
//!
//! ```text
//!    n1 … nN      client                 LAN  192.0.2.0/24     2001:db8:1::/64
//!     └──┬──┘       │
//!     ═══╧══════════╧═══╤════════        (a bridge in the namespace "switch")
//!                    r1 … rM
//!     ══════════════════╧═════╤══        WAN  198.51.100.0/24  2001:db8:2::/64
//!                          outside
//! ```
//!
//! IPv4 and IPv6 everywhere. Nodes send replies back through `r1`; `outside` reaches everything
//! through the router it is told to use. Routers spread flows by their ports.

mod address;
mod host;
mod silence;

pub use address::{Place, lan, wan};
pub use host::{Host, LAN, WAN};

use anyhow::{Context, Result};

use crate::{
    link::{self, End},
    netns::Namespace,
    run::Run,
};

/// The bridge of the LAN, in the namespace [`Topology::switch`].
pub const LAN_BRIDGE: &str = "lan";

/// The bridge of the WAN, in the namespace [`Topology::switch`].
pub const WAN_BRIDGE: &str = "wan";

/// How many of each.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Nodes that announce Services, 1 to 80.
    pub nodes: u8,
    /// Routers between LAN and WAN, 0 to 9; without one there is no WAN.
    pub routers: u8,
}

/// A built network; dropping it takes it down.
pub struct Topology {
    /// Where the bridges are.
    pub switch: Namespace,
    /// `n1`, `n2`, …
    pub nodes: Vec<Host>,
    /// `r1`, `r2`, …
    pub routers: Vec<Host>,
    /// A client in the LAN.
    pub client: Host,
    /// A client beyond the routers.
    pub outside: Option<Host>,
    run: Run,
}

impl Topology {
    /// Builds the network.
    ///
    /// # Errors
    /// The kernel refuses a part of it, or the run is over.
    pub fn build(run: &Run, shape: Shape) -> Result<Self> {
        let switch = Namespace::create(run, "switch")?;
        for name in [LAN_BRIDGE, WAN_BRIDGE] {
            link::bridge(End {
                namespace: &switch,
                interface: name,
            })?;
        }
        let host = |name: &str| Host::create(run, name);
        let mut topology = Self {
            client: host("client")?,
            outside: (shape.routers > 0).then(|| host("outside")).transpose()?,
            nodes: numbered(shape.nodes, "n", host)?,
            routers: numbered(shape.routers, "r", host)?,
            switch,
            run: run.clone(),
        };
        topology.join_lan()?;
        topology.join_wan()?;
        Ok(topology)
    }

    /// The run it belongs to.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The node of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn node(&self, name: &str) -> Result<&Host> {
        let found = self.nodes.iter().find(|node| node.name() == name);
        found.with_context(|| format!("no node {name}"))
    }

    /// Plugs one more host into the LAN, by the name [`Place::of`] knows, such as `api`.
    ///
    /// # Errors
    /// The kernel refuses, or a host of this name is there.
    pub fn join(&self, name: &str) -> Result<Host> {
        let mut host = Host::create(&self.run, name)?;
        host.plug(&self.switch, LAN_BRIDGE, LAN)?;
        host.be_client()?;
        Ok(host)
    }

    /// The port of the switch a host's LAN cable is plugged into.
    #[must_use]
    pub fn port<'a>(&'a self, host: &'a Host) -> End<'a> {
        End {
            namespace: &self.switch,
            interface: host.name(),
        }
    }

    /// Sends everything `outside` does not know through one router.
    ///
    /// # Errors
    /// There is no such router.
    pub fn outside_via(&self, router: usize) -> Result<()> {
        let router = self.routers.get(router).context("no such router")?;
        let outside = self.outside.as_ref().context("no WAN")?;
        outside.set_gateway(WAN, wan(router.place()))
    }

    fn join_lan(&mut self) -> Result<()> {
        let gateway = self.routers.first().map(Host::place);
        for node in &mut self.nodes {
            node.plug(&self.switch, LAN_BRIDGE, LAN)?;
            node.be_node()?;
        }
        self.client.plug(&self.switch, LAN_BRIDGE, LAN)?;
        self.client.be_client()?;
        for router in &mut self.routers {
            router.plug(&self.switch, LAN_BRIDGE, LAN)?;
        }
        if let Some(gateway) = gateway {
            for host in self.nodes.iter().chain([&self.client]) {
                host.set_gateway(LAN, lan(gateway))?;
            }
        }
        Ok(())
    }

    fn join_wan(&mut self) -> Result<()> {
        for router in &mut self.routers {
            router.plug(&self.switch, WAN_BRIDGE, WAN)?;
            router.be_router()?;
        }
        if let Some(outside) = &mut self.outside {
            outside.plug(&self.switch, WAN_BRIDGE, WAN)?;
            outside.be_client()?;
            self.outside_via(0)?;
        }
        Ok(())
    }
}

fn numbered(count: u8, letter: &str, host: impl Fn(&str) -> Result<Host>) -> Result<Vec<Host>> {
    (1..=count)
        .map(|number| host(&format!("{letter}{number}")))
        .collect()
}
