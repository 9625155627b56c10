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

/// More Services than these are a size of its own, with its own targets.
const MANY: u32 = 10_000;
/// Where health is asked: inside the namespace nobody else listens.
const HEALTH: &str = "17472";
/// From the last write until memory is read.
const SETTLE: Duration = Duration::from_secs(3);

/// What one turn gave.
struct Turn {
    bare: Option<Duration>,
    assigned: Duration,
    used: Usage,
    ready: Duration,
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
    // A new Service costs the API server the more, the more it has: twice as many take a quarter of an hour.
    let bare = (count <= MANY).then(|| bare_loop(&stage, count));
    let bare = bare.transpose()?;
    stage.namespace("ours")?;
    let services = pending("ours", count, None);
    stage.cluster.admin().each(CONNECTIONS, services.create())?;
    let last = stage.last_served("ours")?;
    let begun = Instant::now();
    let controller = start(&stage)?;
    let assigned = stage.assigned("ours", &last)?.duration_since(begun);
    thread::sleep(SETTLE);
    let used = Usage::of(controller.pid())?;
    controller.kill()?;
    drop(controller);
    let before = writes(&stage)?;
    let begun = Instant::now();
    let controller = start(&stage)?;
    controller.wait_for("the controller is ready", PATIENCE, || is_ready(&host))?;
    let ready = begun.elapsed();
    thread::sleep(SETTLE);
    Ok(Turn {
        bare,
        assigned,
        used,
        ready,
        writes: writes(&stage)? - before,
        restarted: Usage::of(controller.pid())?,
    })
}

fn start(stage: &Stage) -> Result<Process> {
    stage.start(
        "controller",
        &["--webhook-mode", "disabled", "--health-probe-port", HEALTH],
    )
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

fn is_ready(host: &Namespace) -> Result<bool> {
    let url = format!("http://127.0.0.1:{HEALTH}/readyz");
    let mut command = host.command("curl");
    command.args(["-sf", "-o", "/dev/null", &url]);
    Ok(command.status()?.success())
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
            format!("controller restarted with {count} held: ready"),
            Unit::Time,
            &|turn| nanos(turn.ready),
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
