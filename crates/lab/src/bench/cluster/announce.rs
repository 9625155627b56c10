// SPDX-License-Identifier: Apache-2.0
//! The speaker: from its start until BIRD has a route for every Service, and from the status PATCH that
//! takes a Service's address until its route is gone.

use std::{
    net::Ipv4Addr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    Counts, Rules,
    assign::MANY,
    birdc::Birdc,
    stage::{CONNECTIONS, PATIENCE, Stage},
};
use crate::{
    bench::{
        spread::{Spread, Unit},
        table::{Against, Row},
    },
    cluster::load::Services,
    measure::Usage,
    process::Process,
    reference::{Bench, RECEIVER, RECEIVER_AS, SENDER_AS},
    run::Run,
};

/// The address of the first Service.
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);
/// Between two withdrawals.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a speaker must have written nothing to count as at rest.
const REST: Duration = Duration::from_secs(3);

/// What one turn gave.
struct Turn {
    arrived: Duration,
    used: Usage,
    settled: Usage,
    /// Of each withdrawal, from the PATCH to the route gone.
    gone: Vec<Duration>,
    /// Processor time of all withdrawals.
    cpu: Duration,
    /// Requests that the speaker made because of them.
    requests: u64,
}

/// The figures of a speaker.
pub(super) fn rows(counts: Counts, rules: Rules) -> Result<Vec<Row>> {
    let run = Run::new()?;
    let bench = Bench::new(&run)?;
    let stage = Stage::new(&bench.sender, rules)?;
    let services = prepare(&stage, counts.services)?;
    let mut turns = Vec::new();
    for turn in 1..=counts.runs {
        eprintln!(
            "bench: speaker with {} Services ({rules:?}), turn {turn} of {}",
            counts.services, counts.runs
        );
        turns.push(measure(&bench, &stage, &services, counts)?);
    }
    Ok(figures(counts.services, rules, &turns))
}

fn prepare(stage: &Stage, count: u32) -> Result<Services<'static>> {
    let peer = json!({
        "apiVersion": "metallb.io/v1beta2", "kind": "BGPPeer", "metadata": { "name": "bird" },
        "spec": { "myASN": SENDER_AS, "peerASN": RECEIVER_AS, "peerAddress": RECEIVER },
    });
    stage.create("v1beta2", "bgppeers", peer)?;
    let advertisement = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "BGPAdvertisement",
        "metadata": { "name": "all" }, "spec": { "ipAddressPools": ["all"] },
    });
    stage.create("v1beta1", "bgpadvertisements", advertisement)?;
    stage.namespace("ours")?;
    let services = Services {
        namespace: "ours",
        count,
        class: None,
        local: false,
    };
    if count > MANY {
        stage
            .cluster
            .plant(&services.stored(Some(FIRST), "sender"))?;
        return Ok(services);
    }
    let admin = stage.cluster.admin();
    admin.each(CONNECTIONS, services.create())?;
    admin.each(CONNECTIONS, services.endpoints(&["sender"]))?;
    admin.each(CONNECTIONS, services.assign(FIRST))?;
    Ok(services)
}

fn measure(bench: &Bench, stage: &Stage, services: &Services<'_>, counts: Counts) -> Result<Turn> {
    bench.received(0, PATIENCE)?;
    let begun = Instant::now();
    let speaker = stage.start("speaker", &["--node-name", "sender"])?;
    bench.received(counts.services.into(), PATIENCE)?;
    let arrived = begun.elapsed();
    let used = Usage::of(speaker.pid())?;
    rest(stage, counts.services)?;
    let settled = Usage::of(speaker.pid())?;
    let before = stage.about_services()?;
    let gone = withdraw(bench, stage, services, counts.withdrawals, &speaker)?;
    let cpu = Usage::of(speaker.pid())?.cpu - settled.cpu;
    rest(stage, counts.services)?;
    // Each withdrawal and each return was one request of ours.
    let ours = 2 * u64::from(counts.withdrawals);
    Ok(Turn {
        arrived,
        used,
        settled,
        cpu,
        gone,
        requests: (stage.about_services()? - before).saturating_sub(ours),
    })
}

/// Waits until the statuses and Events that follow the routes are written: in a cluster that runs they
/// are long since.
fn rest(stage: &Stage, services: u32) -> Result<()> {
    // A status object is two requests, an Event one; a few run at a time.
    let patience = PATIENCE + services * Duration::from_millis(20);
    let writes = || -> Result<u64> {
        let statuses = stage.requests("PATCH", "servicebgpstatuses")?;
        Ok(statuses + stage.requests("POST", "events")?)
    };
    let begun = Instant::now();
    let mut before = writes()?;
    loop {
        thread::sleep(REST);
        let now = writes()?;
        // The first statuses come some seconds after the session is up.
        if now == before && begun.elapsed() > 4 * REST {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < patience,
            "the speaker does not come to rest"
        );
        before = now;
    }
}

/// Takes the address of one Service after the other, and gives it back.
fn withdraw(
    bench: &Bench,
    stage: &Stage,
    services: &Services<'_>,
    times: u32,
    speaker: &Process,
) -> Result<Vec<Duration>> {
    let mut birdc = Birdc::connect(bench.receiver.control())?;
    let admin = stage.cluster.admin();
    let mut gone = Vec::new();
    for turn in 0..times {
        let index = turn.wrapping_mul(7919) % services.count;
        let address = Ipv4Addr::from(u32::from(FIRST) + index);
        let prefix = format!("{address}/32");
        ensure!(birdc.has(&prefix)?, "BIRD has no route {prefix}");
        let begun = Instant::now();
        admin.call(&services.set_status(index, None))?.ok()?;
        wait_until(&mut birdc, &prefix, false, speaker)?;
        gone.push(begun.elapsed());
        admin
            .call(&services.set_status(index, Some(address.into())))?
            .ok()?;
        wait_until(&mut birdc, &prefix, true, speaker)?;
        thread::sleep(PAUSE);
    }
    Ok(gone)
}

fn wait_until(birdc: &mut Birdc, prefix: &str, there: bool, speaker: &Process) -> Result<()> {
    let begun = Instant::now();
    while birdc.has(prefix)? != there {
        ensure!(
            begun.elapsed() < PATIENCE,
            "{prefix}: still {}\n{}",
            if there { "missing" } else { "there" },
            speaker.log()
        );
    }
    Ok(())
}

fn figures(count: u32, rules: Rules, turns: &[Turn]) -> Vec<Row> {
    let nanos = |time: Duration| time.as_secs_f64() * 1e9;
    let bytes = |kib: u64| kib as f64 * 1024.0;
    let small = count <= MANY;
    let row = |figure: String, unit, values: Vec<f64>, most: Option<f64>| {
        let (figure, against) = rules.named(&figure, most.unwrap_or_default());
        Some(Row {
            figure,
            unit,
            measured: Spread::new(values)?,
            against: if most.is_some() {
                against
            } else {
                Against::Nothing
            },
        })
    };
    let each = |value: &dyn Fn(&Turn) -> f64| turns.iter().map(value).collect::<Vec<f64>>();
    let mut gone: Vec<f64> = turns
        .iter()
        .flat_map(|turn| turn.gone.iter().map(|time| nanos(*time)))
        .collect();
    gone.sort_by(f64::total_cmp);
    let quantile = |share: usize| {
        gone.get(gone.len() * share / 100)
            .copied()
            .into_iter()
            .collect()
    };
    let changes = |turn: &Turn| 2.0 * turn.gone.len().max(1) as f64;
    [
        row(
            format!("speaker: start until {count} routes are in BIRD"),
            Unit::Time,
            each(&|turn| nanos(turn.arrived)),
            small.then_some(2e9),
        ),
        row(
            format!("speaker: processor time until {count} routes are in BIRD"),
            Unit::Time,
            each(&|turn| nanos(turn.used.cpu)),
            small.then_some(1.5e9),
        ),
        row(
            format!("speaker with {count} Services: resident memory when routes are in BIRD"),
            Unit::Bytes,
            each(&|turn| bytes(turn.used.resident_kib)),
            Some(if small { 30e6 } else { 100e6 }),
        ),
        row(
            format!("speaker with {count} Services: resident memory once statuses are written"),
            Unit::Bytes,
            each(&|turn| bytes(turn.settled.resident_kib)),
            None,
        ),
        row(
            format!("one of {count} Services withdrawn, PATCH to gone in BIRD: p50"),
            Unit::Time,
            quantile(50),
            Some(10e6),
        ),
        row(
            format!("one of {count} Services withdrawn, PATCH to gone in BIRD: p99"),
            Unit::Time,
            quantile(99),
            Some(25e6),
        ),
        row(
            format!("speaker with {count} Services: API requests of one change"),
            Unit::Count,
            each(&|turn| turn.requests as f64 / changes(turn)),
            None,
        ),
        row(
            "speaker: processor time of one change".to_owned(),
            Unit::Time,
            each(&|turn| nanos(turn.cpu) / changes(turn)),
            None,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
