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
    bare: Vec<Duration>,
    assigned: Vec<Duration>,
    used: Usage,
    /// From a start with all of them held until a new one has its address.
    serving: Duration,
    /// Writes but that one.
    writes: u64,
    restarted: Usage,
}

/// Services that wait for addresses on an API server.
struct Pending {
    stage: Stage,
    services: Services<'static>,
    /// The one that is served last.
    last: String,
}

/// The figures of a controller.
pub(super) fn rows(counts: Counts, rules: Rules) -> Result<Vec<Row>> {
    let mut turns = Vec::new();
    // Each turn assigns twice.
    let most = counts.runs.div_ceil(2);
    for turn in 1..=most {
        eprintln!(
            "bench: controller with {} Services ({rules:?}), turn {turn} of {most}",
            counts.services
        );
        turns.push(measure(counts.services, rules)?);
    }
    Ok(figures(counts.services, rules, &turns))
}

/// The API server takes longer for each write, the more it has taken. So the bare loop comes first and
/// last, and the controller twice between.
fn measure(count: u32, rules: Rules) -> Result<Turn> {
    let run = Run::new()?;
    let host = Namespace::create(&run, "controller")?;
    let pending = Pending::new(&host, count, rules)?;
    let compared = count <= MANY;
    let mut bare = Vec::new();
    if compared {
        bare.push(pending.bare_loop()?);
        pending.clear()?;
    }
    let (first, controller) = pending.assigned()?;
    let mut assigned = vec![first];
    thread::sleep(SETTLE);
    let used = Usage::of(controller.pid())?;
    controller.terminate(PATIENCE)?;
    let (serving, writes, restarted) = pending.restarted()?;
    if compared {
        pending.clear()?;
        let (second, controller) = pending.assigned()?;
        assigned.push(second);
        controller.terminate(PATIENCE)?;
        pending.clear()?;
        bare.push(pending.bare_loop()?);
    }
    Ok(Turn {
        bare,
        assigned,
        used,
        serving,
        writes,
        restarted,
    })
}

impl Turn {
    /// How many times as long as the bare loop the controller took, both on the same API server: what it has
    /// taken before weighs on both alike.
    fn ratio(&self) -> Option<f64> {
        let mean = |times: &[Duration]| {
            let sum: Duration = times.iter().sum();
            (!times.is_empty()).then(|| sum.as_secs_f64() / times.len() as f64)
        };
        Some(mean(&self.assigned)? / mean(&self.bare)?)
    }
}

impl Pending {
    fn new(host: &Namespace, count: u32, rules: Rules) -> Result<Self> {
        let stage = Stage::new(host, rules)?;
        stage.namespace("pending")?;
        let services = services("pending", count);
        if count > MANY {
            stage.cluster.plant(&services.stored(None, "sender"))?;
        } else {
            stage.cluster.admin().each(CONNECTIONS, services.create())?;
        }
        let last = stage.last_served(services.namespace)?;
        Ok(Self {
            stage,
            services,
            last,
        })
    }

    /// The same statuses, written by nobody in particular: what the API server can take.
    fn bare_loop(&self) -> Result<Duration> {
        let writes = self.services.assign(Ipv4Addr::new(10, 8, 0, 0));
        self.stage.cluster.admin().each(CONNECTIONS, writes)
    }

    fn clear(&self) -> Result<()> {
        let writes = self.services.clear();
        let admin = self.stage.cluster.admin();
        admin.each(CONNECTIONS, writes).map(drop)
    }

    /// From the start of a controller until all have an address. To be told to end: one that is killed
    /// leaves a Lease that the next has to wait out.
    fn assigned(&self) -> Result<(Duration, Process)> {
        let begun = Instant::now();
        let controller = start(&self.stage)?;
        let since = self.stage.assigned(self.services.namespace, &self.last)?;
        Ok((since.duration_since(begun), controller))
    }

    /// The same with all of them held, until a new Service has its address; other writes; memory.
    fn restarted(&self) -> Result<(Duration, u64, Usage)> {
        let stage = &self.stage;
        stage.namespace("late")?;
        let late = services("late", 1);
        stage.cluster.admin().each(1, late.create())?;
        let before = writes(stage)?;
        let begun = Instant::now();
        let controller = start(stage)?;
        let serving = stage.assigned("late", "s0")?.duration_since(begun);
        thread::sleep(SETTLE);
        let others = (writes(stage)? - before).saturating_sub(1);
        let used = Usage::of(controller.pid())?;
        controller.terminate(PATIENCE)?;
        Ok((serving, others, used))
    }
}

fn start(stage: &Stage) -> Result<Process> {
    stage.start("controller", &["--webhook-mode", "disabled"])
}

fn services(namespace: &str, count: u32) -> Services<'_> {
    Services {
        namespace,
        count,
        class: None,
        local: false,
    }
}

fn writes(stage: &Stage) -> Result<u64> {
    Ok(stage.requests("PATCH", "services")? + stage.requests("PUT", "services")?)
}

fn figures(count: u32, rules: Rules, turns: &[Turn]) -> Vec<Row> {
    let each = |value: &dyn Fn(&Turn) -> f64| Spread::new(turns.iter().map(value));
    let nanos = |time: Duration| time.as_secs_f64() * 1e9;
    let bytes = |usage: &Usage| usage.resident_kib as f64 * 1024.0;
    let suffix = match rules {
        Rules::Ours => "",
        Rules::MetalLb => ", MetalLB's rules",
    };
    let all = |values: fn(&Turn) -> &[Duration]| {
        Spread::new(turns.iter().flat_map(values).copied().map(nanos))
    };
    let row = |figure: String, unit, measured: Option<Spread>, against| {
        Some(Row {
            figure: figure + suffix,
            unit,
            measured: measured?,
            against,
        })
    };
    let most = |most: f64| match rules {
        Rules::Ours => Against::AtMost(most),
        Rules::MetalLb => Against::Nothing,
    };
    let beside = all(|turn| &turn.bare).map_or(Against::Nothing, |bare| {
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
            all(|turn| &turn.assigned),
            beside,
        ),
        row(
            format!("the same for {count} Services, as a multiple of the bare loop's of its turn"),
            Unit::Count,
            Spread::new(turns.iter().filter_map(Turn::ratio)),
            most(1.3),
        ),
        row(
            format!("controller: processor time for {count} Services"),
            Unit::Time,
            each(&|turn| nanos(turn.used.cpu)),
            Against::Nothing,
        ),
        row(
            format!("controller with {count} Services: resident memory"),
            Unit::Bytes,
            each(&|turn| bytes(&turn.used)),
            memory,
        ),
        row(
            format!("controller restarted with {count} held: until a new Service has its address"),
            Unit::Time,
            each(&|turn| nanos(turn.serving)),
            restart,
        ),
        row(
            format!("controller restarted with {count} held: resident memory"),
            Unit::Bytes,
            each(&|turn| bytes(&turn.restarted)),
            Against::Nothing,
        ),
        row(
            format!("controller restarted with {count} held: status writes"),
            Unit::Count,
            each(&|turn| turn.writes as f64),
            most(0.0),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
