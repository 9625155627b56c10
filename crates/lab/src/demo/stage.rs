// SPDX-License-Identifier: Apache-2.0
//! What the demo plays on: the network, the routers, the pages, and FerroLB's processes.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use super::screen::Screen;
use crate::{
    ferrolb::{Ferrolb, Instance, Role},
    process::Process,
    routers::{Bird, Frr, Neighbor, RouterConfig, Timers},
    run::Run,
    topology::{Host, Shape, Topology},
    wait,
};

/// How long any step may take before the demo fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The port pages are served on.
pub(super) const PORT: u16 = 80;

const NODE_AS: u32 = 64501;
const FRR_AS: u32 = 64500;
const BIRD_AS: u32 = 64502;
const BIRD_KEY: &str = "a-key-for-the-lab";

pub(super) struct Stage {
    pub(super) net: Topology,
    pub(super) frr: Frr,
    pub(super) bird: Bird,
    pub(super) ferrolb: Ferrolb,
    pub(super) controller: Option<Instance>,
    pub(super) speakers: BTreeMap<String, Instance>,
    pub(super) services: BTreeMap<String, Vec<IpAddr>>,
    _pages: Vec<Process>,
}

impl Stage {
    /// Builds the network, and starts the routers and the pages.
    pub(super) fn build(run: &Run, manifests: &Path, screen: &mut Screen) -> Result<Self> {
        screen.scene("A network: nodes n1 n2 n3 and a client in a LAN, routers r1 (FRR) and r2 (BIRD), a client outside")?;
        let shape = Shape {
            nodes: 3,
            routers: 2,
        };
        let net = Topology::build(run, shape)?;
        let [r1, r2] = net.routers.as_slice() else {
            anyhow::bail!("two routers were asked for");
        };
        let frr = Frr::start(r1.namespace(), &config(FRR_AS, r1, &net.nodes, None))?;
        let bird = Bird::start(
            r2.namespace(),
            &config(BIRD_AS, r2, &net.nodes, Some(BIRD_KEY)),
        )?;
        let pages = net
            .nodes
            .iter()
            .map(|node| node.serve(PORT))
            .collect::<Result<_>>()?;
        screen.say(&format!(
            "namespaces {}-*, each node serves a page with its name",
            run.label()
        ))?;
        let state = run.dir().join("state");
        fs::create_dir_all(&state)?;
        Ok(Self {
            ferrolb: Ferrolb::new(&copy(manifests, run.dir())?, &state)?,
            net,
            frr,
            bird,
            controller: None,
            speakers: BTreeMap::new(),
            services: BTreeMap::new(),
            _pages: pages,
        })
    }

    /// Starts one controller and a speaker on each node.
    pub(super) fn start_ferrolb(&mut self, screen: &mut Screen) -> Result<()> {
        screen.scene("FerroLB: one controller, a speaker on each node, one folder of manifests")?;
        let controller = self.ferrolb.start(&self.net.switch, Role::Controller)?;
        controller.wait_ready(PATIENCE)?;
        self.controller = Some(controller);
        let names: Vec<String> = self.net.nodes.iter().map(|n| n.name().to_owned()).collect();
        for name in &names {
            self.start_speaker(name)?;
        }
        for speaker in self.speakers.values() {
            speaker.wait_ready(PATIENCE)?;
        }
        let checked = self.check()?;
        screen.command("ferrolb check examples/demo", &checked.1, 12)
    }

    /// Starts the speaker of a node, in place of one that died.
    pub(super) fn start_speaker(&mut self, node: &str) -> Result<()> {
        let host = self.net.node(node)?.namespace();
        let speaker = self.ferrolb.start(host, Role::Speaker)?;
        self.speakers.insert(node.to_owned(), speaker);
        Ok(())
    }

    /// The speaker of a node.
    pub(super) fn speaker(&self, node: &str) -> Result<&Instance> {
        self.speakers
            .get(node)
            .with_context(|| format!("no speaker on {node}"))
    }

    /// Checks the folder: the exit code and what was printed, with the folder's name as a reader
    /// knows it.
    pub(super) fn check(&self) -> Result<(i32, String)> {
        let folder = self.ferrolb.manifests().to_string_lossy().into_owned();
        let done = self.ferrolb.command(&["check", &folder])?;
        let printed = format!("{}{}", done.stdout, done.stderr);
        Ok((
            done.status.code().unwrap_or(-1),
            printed.replace(&folder, "examples/demo"),
        ))
    }

    /// Waits until every Service has its addresses, and lets the nodes hold them.
    pub(super) fn settle_addresses(&mut self) -> Result<Duration> {
        let controller = self.controller.as_ref().context("no controller")?;
        let (services, took) = wait::arrival("every Service has an address", PATIENCE, || {
            let services = controller.services()?;
            let all = !services.is_empty() && services.values().all(|held| !held.is_empty());
            Ok(all.then_some(services))
        })?;
        for node in &self.net.nodes {
            for &address in services.values().flatten() {
                node.hold(address)?;
            }
        }
        self.services = services;
        Ok(took)
    }

    /// The address of a Service in one family.
    pub(super) fn address(&self, service: &str, v4: bool) -> Result<IpAddr> {
        let held = self.services.get(service);
        let found = held.and_then(|held| held.iter().find(|address| address.is_ipv4() == v4));
        found
            .copied()
            .with_context(|| format!("{service} has no such address"))
    }

    /// Where a Service's page is asked for.
    pub(super) fn page(&self, service: &str, v4: bool) -> Result<SocketAddr> {
        Ok((self.address(service, v4)?, PORT).into())
    }

    /// The client beyond the routers.
    pub(super) fn outside(&self) -> Result<&Host> {
        self.net.outside.as_ref().context("no client outside")
    }
}

fn config(asn: u32, router: &Host, nodes: &[Host], key: Option<&str>) -> RouterConfig {
    let IpAddr::V4(id) = router.v4() else {
        return RouterConfig::new(asn, Ipv4Addr::LOCALHOST);
    };
    let timers = Timers {
        hold: 3,
        keepalive: 1,
        connect: 1,
    };
    let pairs = nodes
        .iter()
        .flat_map(|node| [(router.v4(), node.v4()), (router.v6(), node.v6())]);
    pairs.fold(RouterConfig::new(asn, id), |config, (own, peer)| {
        let neighbor = Neighbor::new(own, peer, NODE_AS).timed(timers);
        config.with(match key {
            Some(key) => neighbor.keyed(key),
            None => neighbor,
        })
    })
}

/// The demo breaks a manifest on purpose: in a copy.
fn copy(manifests: &Path, dir: &Path) -> Result<PathBuf> {
    let target = dir.join("manifests");
    fs::create_dir_all(&target)?;
    let entries =
        fs::read_dir(manifests).with_context(|| format!("cannot read {}", manifests.display()))?;
    for entry in entries {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::copy(&path, target.join(name))?;
        }
    }
    Ok(target)
}
