// SPDX-License-Identifier: Apache-2.0
//! The controller: many pending Services until all have an address, beside a bare loop that writes the
//! same statuses; and a restart with all of them held.

use std::{
    net::Ipv4Addr,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    Counts, Rules,
    stage::{CONNECTIONS, PATIENCE, Stage},
};
use crate::{
    bench::{
        spread::{Spread, Unit},
        table::{Against, Row},
    },
    cluster::load::Services,
    measure::Usage,
    netns::Namespace,
    process::Process,
    run::Run,
};

/// More Services than these are a size of its own, with its own targets. The API server would take longer
/// for each, the more it has, so they are put into its store.
pub(super) const MANY: u32 = 10_000;
/// From the last write until memory is read.
const SETTLE: Duration = Duration::from_secs(3);

/// What one turn gave.
struct Turn {
    bare: Option<Duration>,
    assigned: Duration,
    used: Usage,
    /// From a start with all of them held until a new one has its address.
    serving: Duration,
    /// Writes but that one.
    writes: u64,
    restarted: Usage,
}

/// The figures of a controller.
pub(super) fn rows(counts: Counts, rules: Rules) -> Result<Vec<Row>> {
    let mut turns = Vec::new();
    for turn in 1..=counts.runs {
        eprintln!(
            "bench: controller with {} Services ({rules:?}), turn {turn} of {}",
            counts.services, counts.runs
        );
        turns.push(measure(counts.services, rules)?);
    }
    Ok(figures(counts.services, rules, &turns))
}

fn measure(count: u32, rules: Rules) -> Result<Turn> {
    let run = Run::new()?;
    let host = Namespace::create(&run, "controller")?;
    let stage = Stage::new(&host, rules)?;
    let bare = (count <= MANY).then(|| bare_loop(&stage, count));
    let bare = bare.transpose()?;
    stage.namespace("ours")?;
    let services = pending("ours", count, None);
    if count > MANY {
        stage.cluster.plant(&services.stored(None, "sender"))?;
    } else {
        stage.cluster.admin().each(CONNECTIONS, services.create())?;
    }
    let last = stage.last_served("ours")?;
    let begun = Instant::now();
    let controller = start(&stage)?;
    let assigned = stage.assigned("ours", &last)?.duration_since(begun);
    thread::sleep(SETTLE);
    let used = Usage::of(controller.pid())?;
    // It gives its Lease back: one that is killed is followed by a controller that stands by.
    controller.terminate(PATIENCE)?;
    drop(controller);
    stage.namespace("late")?;
    stage
        .cluster
        .admin()
        .each(1, pending("late", 1, None).create())?;
    let before = writes(&stage)?;
    let begun = Instant::now();
    let controller = start(&stage)?;
    let serving = stage.assigned("late", "s0")?.duration_since(begun);
    thread::sleep(SETTLE);
    Ok(Turn {
        bare,
        assigned,
        used,
        serving,
        writes: (writes(&stage)? - before).saturating_sub(1),
        restarted: Usage::of(controller.pid())?,
    })
}

fn start(stage: &Stage) -> Result<Process> {
    stage.start("controller", &["--webhook-mode", "disabled"])
}

/// The same statuses, written by nobody in particular: what the API server can take.
fn bare_loop(stage: &Stage, count: u32) -> Result<Duration> {
    stage.namespace("bare")?;
    let services = pending("bare", count, Some("example.com/nobody"));
    let admin = stage.cluster.admin();
    admin.each(CONNECTIONS, services.create())?;
    admin.each(CONNECTIONS, services.assign(Ipv4Addr::new(10, 8, 0, 0)))
}

fn pending<'a>(namespace: &'a str, count: u32, class: Option<&'a str>) -> Services<'a> {
    Services {
        namespace,
        count,
        class,
        local: false,
    }
}

fn writes(stage: &Stage) -> Result<u64> {
    Ok(stage.requests("PATCH", "services")? + stage.requests("PUT", "services")?)
}

fn figures(count: u32, rules: Rules, turns: &[Turn]) -> Vec<Row> {
    let spread = |value: &dyn Fn(&Turn) -> f64| Spread::new(turns.iter().map(value));
    let nanos = |time: Duration| time.as_secs_f64() * 1e9;
    let bytes = |usage: &Usage| usage.resident_kib as f64 * 1024.0;
    let suffix = match rules {
        Rules::Ours => "",
        Rules::MetalLb => ", MetalLB's rules",
    };
    let row = |figure: String, unit, value: &dyn Fn(&Turn) -> f64, against| {
        Some(Row {
            figure: figure + suffix,
            unit,
            measured: spread(value)?,
            against,
        })
    };
    let most = |most: f64| match rules {
        Rules::Ours => Against::AtMost(most),
        Rules::MetalLb => Against::Nothing,
    };
    let bare = turns.iter().filter_map(|turn| turn.bare).map(nanos);
    let bare = Spread::new(bare);
    let beside = bare.map_or(Against::Nothing, |bare| {
        Against::Reference("bare loop of 16 connections", bare)
    });
    let (memory, restart) = if count > MANY {
        (most(200e6), Against::Nothing)
    } else {
        (most(40e6), most(2e9))
    };
    [
        row(
            format!("controller: start until {count} Services have addresses"),
            Unit::Time,
            &|turn| nanos(turn.assigned),
            beside,
        ),
        row(
            format!("controller: processor time for {count} Services"),
            Unit::Time,
            &|turn| nanos(turn.used.cpu),
            Against::Nothing,
        ),
        row(
            format!("controller with {count} Services: resident memory"),
            Unit::Bytes,
            &|turn| bytes(&turn.used),
            memory,
        ),
        row(
            format!("controller restarted with {count} held: until a new Service has its address"),
            Unit::Time,
            &|turn| nanos(turn.serving),
            restart,
        ),
        row(
            format!("controller restarted with {count} held: resident memory"),
            Unit::Bytes,
            &|turn| bytes(&turn.restarted),
            Against::Nothing,
        ),
        row(
            format!("controller restarted with {count} held: status writes"),
            Unit::Count,
            &|turn| turn.writes as f64,
            most(0.0),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
