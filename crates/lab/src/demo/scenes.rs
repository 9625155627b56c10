// SPDX-License-Identifier: Apache-2.0
//! The scenes without faults: silence before, addresses, ARP, BGP.

use std::{net::IpAddr, thread, time::Duration};

use anyhow::{Result, ensure};

use super::{
    screen::{Screen, ms},
    stage::{PATIENCE, Stage},
};
use crate::{
    probe::{Prober, child::Pace},
    routers::Router,
    topology::{Host, LAN},
    wait,
};

/// The Service in the LAN.
pub(super) const WEB: &str = "default/web";

/// The Service behind the routers.
pub(super) const SHOP: &str = "default/shop";

/// How long requests are counted to see how they spread.
const COUNTED: Duration = Duration::from_millis(1500);

/// Before any speaker runs, nobody answers for the addresses to come.
pub(super) fn silence(stage: &Stage, screen: &mut Screen) -> Result<()> {
    screen.scene("Before FerroLB runs, nobody answers for the addresses")?;
    let addresses = ["192.0.2.200", "2001:db8:1::200"];
    let parsed: Vec<IpAddr> = addresses.iter().filter_map(|a| a.parse().ok()).collect();
    stage.net.assert_silent(&parsed)?;
    screen.say(&format!(
        "asked by ARP and NDP for {}: silence",
        addresses.join(" and ")
    ))
}

/// Services get addresses.
pub(super) fn addresses(stage: &mut Stage, screen: &mut Screen) -> Result<()> {
    screen.scene("Every Service gets its addresses")?;
    let took = stage.settle_addresses()?;
    for (service, held) in &stage.services {
        let held: Vec<String> = held.iter().map(ToString::to_string).collect();
        screen.say(&format!("{service:<14} {}", held.join("  ")))?;
    }
    screen.say(&format!(
        "seen {} after asking, and put on the nodes' loopback",
        ms(took)
    ))
}

/// The client in the LAN reaches a Service by ARP and by NDP.
pub(super) fn layer2(stage: &Stage, screen: &mut Screen) -> Result<()> {
    screen.scene("Layer 2: the client in the LAN finds the owner by ARP and NDP")?;
    let client = &stage.net.client;
    for v4 in [true, false] {
        let page = stage.page(WEB, v4)?;
        let (node, _) = wait::arrival("a page in the LAN", PATIENCE, || {
            crate::probe::get(client.namespace(), page).map(Some)
        })?;
        screen.command(&format!("curl http://{page}/"), &node, 1)?;
        let address = page.ip().to_string();
        let neighbour = client
            .namespace()
            .ip(&format!("neigh show {address} dev {LAN}"))?;
        screen.command(&format!("ip neigh show {address}"), &neighbour, 1)?;
        let seen = client.neighbour(page.ip())?;
        let own = stage.net.node(&node)?.mac()?;
        ensure!(
            seen.as_ref() == Some(&own),
            "{node} has {own}, the client knows {seen:?}"
        );
    }
    Ok(())
}

/// The routers learn the routes, and the client outside is spread over the nodes.
pub(super) fn bgp(stage: &Stage, screen: &mut Screen) -> Result<()> {
    screen
        .scene("BGP: the routers learn the routes of all nodes and spread connections over them")?;
    let shop = stage.address(SHOP, true)?;
    let shop6 = stage.address(SHOP, false)?;
    for router in &stage.net.routers {
        for address in [shop, shop6] {
            next_hops(router, address, stage.net.nodes.len())?;
        }
    }
    routers_say(stage, screen, shop, shop6)?;
    let r1 = stage.net.routers.first().map_or("r1", Host::name);
    spread(stage, screen, true, r1)?;
    stage.net.outside_via(1)?;
    spread(stage, screen, false, "r2")?;
    stage.net.outside_via(0)?;
    let speaker = stage.speaker("n1")?;
    screen.command("ferrolb status    # on n1", &speaker.status_text()?, 30)
}

fn routers_say(stage: &Stage, screen: &Screen, shop: IpAddr, shop6: IpAddr) -> Result<()> {
    let command = "show bgp ipv4 unicast";
    let table: String = stage
        .frr
        .cli(command)?
        .lines()
        .skip_while(|line| !line.contains("Network"))
        .map(|line| format!("{line}\n"))
        .collect();
    screen.command(&format!("vtysh -c '{command}'    # r1, FRR"), &table, 8)?;
    let command = format!("show bgp ipv4 unicast {shop}/32");
    let detail: String = stage
        .frr
        .cli(&command)?
        .lines()
        .filter(|line| line.contains("ommunity") || line.contains(" from "))
        .take(3)
        .map(|line| format!("{line}\n"))
        .collect();
    screen.command(
        &format!("vtysh -c '{command}'    # the first path"),
        &detail,
        3,
    )?;
    let command = format!("show route {shop6}/128");
    let table: String = stage
        .bird
        .cli(&command)?
        .lines()
        .skip(2)
        .map(|line| format!("{line}\n"))
        .collect();
    screen.command(&format!("birdc {command}    # r2, BIRD"), &table, 6)?;
    let routes = stage
        .net
        .routers
        .first()
        .map(|router| router.namespace().ip(&format!("route show {shop}")));
    screen.command(
        &format!("ip route show {shop}    # r1's kernel"),
        &routes.transpose()?.unwrap_or_default(),
        4,
    )
}

/// Counts who answers the client outside.
fn spread(stage: &Stage, screen: &mut Screen, v4: bool, router: &str) -> Result<()> {
    let page = stage.page(SHOP, v4)?;
    let prober = Prober::start(stage.outside()?.namespace(), page, Pace::default())?;
    prober.answering(PATIENCE)?;
    let mark = prober.mark()?;
    thread::sleep(COUNTED);
    let shares = prober.samples().shares(mark);
    let text: Vec<String> = shares
        .iter()
        .map(|(node, n)| format!("{node} {n}"))
        .collect();
    screen.figure(
        &format!("requests to {page} through {router}, answered by"),
        &text.join(", "),
    )?;
    ensure!(
        shares.len() == stage.net.nodes.len(),
        "a node answered none: {shares:?}"
    );
    Ok(())
}

/// Waits until a router's kernel has this many next hops; returns the time that took.
pub(super) fn next_hops(router: &Host, address: IpAddr, count: usize) -> Result<Duration> {
    let what = format!("{} has {count} next hops to {address}", router.name());
    wait::until(&what, PATIENCE, || {
        Ok(router.next_hops(address)?.len() == count)
    })
}
