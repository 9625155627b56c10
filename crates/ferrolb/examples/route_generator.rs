// SPDX-License-Identifier: Apache-2.0
//! The BGP driver alone under a list of made-up routes: what the engine costs without manifests, world
//! and layer 2. The benchmark runs it beside a BIRD that sends the same routes.
//!
//! Announces that many host routes from 10.0.0.0 on to one peer until SIGTERM.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser;
use ferrolb::drivers::bgp::{Command, Driver};
use ferrolb_bgp::{Options, PeerConfig};
use ferrolb_types::{Asn, RouteAttributes, RouteTargets, RouterId};
use ipnet::{IpNet, Ipv4Net};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Announce made-up host routes to one peer.
#[derive(Parser)]
struct Args {
    /// How many.
    #[arg(long, default_value_t = 100_000)]
    routes: u32,
    /// Our autonomous system.
    #[arg(long, default_value_t = 64501)]
    asn: u32,
    /// The peer's.
    #[arg(long, default_value_t = 64500)]
    peer_asn: u32,
    /// The peer's address.
    #[arg(long)]
    peer: IpAddr,
}

/// As the binary's own runtime.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let stop = CancellationToken::new();
    let mut term = signal(SignalKind::terminate())?;
    let options = Options {
        fallback_router_id: RouterId(Ipv4Addr::new(192, 0, 2, 2)),
        seed: 1,
    };
    let driver = Driver::start(options, stop.clone()).context("BGP")?;
    announce(&driver, &args).await?;
    term.recv().await;
    stop.cancel();
    driver.finished().await;
    Ok(())
}

async fn announce(driver: &Driver, args: &Args) -> anyhow::Result<()> {
    let targets = RouteTargets::All(Arc::new(RouteAttributes::default()));
    for n in 0..args.routes {
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + n);
        let prefix = IpNet::V4(Ipv4Net::from(address));
        let route = Command::Route(prefix, Some(targets.clone()));
        driver.commands.send(route).await?;
    }
    driver.commands.send(Command::Synced).await?;
    let mut peer = PeerConfig::new(
        "receiver".into(),
        Asn(args.asn),
        Asn(args.peer_asn),
        args.peer,
    );
    peer.connect_time = Some(Duration::from_secs(1));
    driver.commands.send(Command::Peer(Box::new(peer))).await?;
    Ok(())
}
