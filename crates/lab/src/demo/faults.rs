// SPDX-License-Identifier: Apache-2.0
//! The scenes of faults: owners and speakers die, cables are pulled, and clients measure it.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{
    scenes::{SHOP, WEB, next_hops},
    screen::{Screen, ms},
    stage::{PATIENCE, Stage},
};
use crate::{
    faults,
    probe::{Prober, child::Pace},
};

/// How long requests must succeed before an outage counts as over: longer than the hold time.
const CALM: Duration = Duration::from_secs(4);

/// How long requests must succeed before a fault or its end counts as behind us.
const SETTLED: Duration = Duration::from_millis(500);

/// The owner of an address in the LAN dies, by its process and by its cable.
pub(super) fn layer2(stage: &mut Stage, screen: &mut Screen) -> Result<()> {
    screen.scene("The owner of a layer 2 address dies")?;
    let client = stage.net.client.namespace();
    let prober = Prober::start(client, stage.page(WEB, true)?, Pace::default())?;
    owner_killed(stage, &prober, screen)?;
    let owner = settled_owner(&prober)?;
    owner_unplugged(stage, &prober, screen, &owner)
}

fn owner_killed(stage: &mut Stage, prober: &Prober, screen: &mut Screen) -> Result<()> {
    let owner = prober.answering(PATIENCE)?;
    screen.say(&format!("kill -9 the speaker on {owner}"))?;
    let mark = prober.mark()?;
    faults::kill(&stage.speaker(&owner)?.process)?;
    let (heir, took) = prober.wait_for("another node answers", PATIENCE, |seen| {
        seen.moved_from(&owner, mark)
    })?;
    let outage = prober.outage_since(mark, SETTLED, PATIENCE)?;
    screen.figure(
        "layer 2 owner's speaker killed, until another node answers",
        &format!(
            "{} ({owner} to {heir}, {} requests failed)",
            ms(took),
            outage.failed
        ),
    )?;
    stage.start_speaker(&owner)?;
    stage.speaker(&owner)?.wait_ready(PATIENCE).map(drop)
}

/// Who answers once nobody's return changes it any more.
fn settled_owner(prober: &Prober) -> Result<String> {
    let mark = prober.mark()?;
    prober.wait_for("one owner for two seconds", PATIENCE, |seen| {
        let newest = seen.all().last()?.begun;
        let begun = newest.checked_sub(Duration::from_secs(2))?;
        let recent = seen.shares(crate::probe::Mark(begun));
        let long = begun > mark.0;
        let mut owners = recent.into_keys();
        let owner = owners.next()?;
        (long && owners.next().is_none()).then_some(owner)
    })
}

fn owner_unplugged(stage: &Stage, prober: &Prober, screen: &mut Screen, owner: &str) -> Result<()> {
    screen.say(&format!("pull the cable of {owner}"))?;
    let port = stage.net.port(stage.net.node(owner)?);
    let mark = prober.mark()?;
    faults::unplug(port)?;
    let (heir, _) = prober.wait_for("another node answers", PATIENCE, |seen| {
        seen.moved_from(owner, mark)
    })?;
    let outage = prober.outage_since(mark, SETTLED, PATIENCE)?;
    screen.figure(
        "layer 2 owner's cable pulled, gap at the client",
        &format!(
            "{} ({owner} to {heir}, {} requests failed)",
            ms(outage.gap),
            outage.failed
        ),
    )?;
    faults::plug(port)
}

/// A node that announces by BGP dies, by its process and by its cable.
pub(super) fn bgp(stage: &mut Stage, screen: &mut Screen) -> Result<()> {
    screen.scene("A node that announces by BGP dies")?;
    let shop = stage.address(SHOP, true)?;
    let all = stage.net.nodes.len();
    let router = stage.net.routers.first().context("no router")?;
    next_hops(router, shop, all)?;
    let outside = stage.outside()?.namespace();
    let prober = Prober::start(outside, stage.page(SHOP, true)?, Pace::default())?;
    let first = prober.mark()?;
    prober.outage_since(first, SETTLED, PATIENCE)?;

    screen.say("kill -9 the speaker on n2")?;
    let mark = prober.mark()?;
    faults::kill(&stage.speaker("n2")?.process)?;
    next_hops(router, shop, all - 1)?;
    let outage = prober.outage_since(mark, SETTLED, PATIENCE)?;
    let last = prober.samples().last_from("n2", mark);
    screen.figure(
        "BGP speaker killed, until the router sends n2 nothing more",
        &format!(
            "{} ({} requests failed)",
            ms(last.unwrap_or_default()),
            outage.failed
        ),
    )?;
    stage.start_speaker("n2")?;
    node_unplugged(stage, &prober, screen)
}

fn node_unplugged(stage: &Stage, prober: &Prober, screen: &mut Screen) -> Result<()> {
    let shop = stage.address(SHOP, true)?;
    let router = stage.net.routers.first().context("no router")?;
    let back = next_hops(router, shop, stage.net.nodes.len())?;
    screen.say(&format!(
        "n2 is back in the router {} after its start",
        ms(back)
    ))?;
    let settled = prober.mark()?;
    prober.outage_since(settled, SETTLED, PATIENCE)?;
    screen.say("pull the cable of n3")?;
    let port = stage.net.port(stage.net.node("n3")?);
    let mark = prober.mark()?;
    faults::unplug(port)?;
    next_hops(router, shop, stage.net.nodes.len() - 1)?;
    let outage = prober.outage_since(mark, CALM, PATIENCE)?;
    screen.figure(
        "BGP node's cable pulled (hold time 3 s), until no request fails",
        &format!(
            "{} ({} of {} requests failed)",
            ms(outage.until_clean),
            outage.failed,
            outage.failed + outage.answered
        ),
    )?;
    faults::plug(port)
}
