// SPDX-License-Identifier: Apache-2.0
//! Many routes into a BIRD: sent by BIRD, by the engine under a route generator, and by the whole
//! speaker, in turn.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{
    manifests::Shape,
    spread::{Spread, Unit},
    table::{Against, Row},
};
use crate::{
    ferrolb::{Ferrolb, Role},
    measure::Usage,
    process::{Process, Spec},
    reference::{Bench, RECEIVER, RECEIVER_AS, SENDER_AS},
    run::Run,
    tools,
};

/// How long a transfer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// How many routes, and Services of the whole speaker.
    pub routes: u32,
    /// Runs of each sender.
    pub runs: u32,
}

/// One run of one sender.
#[derive(Clone, Copy)]
struct Sent {
    elapsed: Duration,
    used: Usage,
}

/// The runs of each sender.
#[derive(Default)]
struct Runs {
    bird: Vec<Sent>,
    engine: Vec<Sent>,
    speaker: Vec<Sent>,
}

/// Runs the senders in turn and gives their figures.
///
/// # Errors
/// A part cannot be made, or the routes do not arrive.
pub fn rows(counts: Counts) -> Result<Vec<Row>> {
    let run = Run::new()?;
    let bench = Bench::new(&run)?;
    let generator = tools::route_generator()?;
    let (folder, controller) = assign(&run, &bench, counts.routes)?;
    let mut runs = Runs::default();
    for turn in 1..=counts.runs {
        eprintln!(
            "bench: {} routes into BIRD, turn {turn} of {}",
            counts.routes, counts.runs
        );
        runs.bird.push(bird(&bench, counts.routes)?);
        runs.engine.push(engine(&bench, &generator, counts.routes)?);
        runs.speaker.push(speaker(&bench, &folder, counts.routes)?);
    }
    let mut rows = runs.rows(counts.routes);
    rows.extend(figures(
        "controller assigning as many addresses",
        &[controller],
        None,
    ));
    Ok(rows)
}

/// Writes manifests for the speaker and has a controller assign their addresses.
fn assign(run: &Run, bench: &Bench, services: u32) -> Result<(Ferrolb, Sent)> {
    let (manifests, state) = (run.dir().join("manifests"), run.dir().join("state"));
    let shape = Shape {
        node: "sender",
        per_file: 1_000,
        layer2: false,
    };
    shape.services(&manifests, services)?;
    let ferrolb = Ferrolb::new(&manifests, &state)?;
    let begun = Instant::now();
    let controller = ferrolb.start(&bench.sender, Role::Controller)?;
    let wanted = usize::try_from(services)?;
    controller
        .process
        .wait_for("every Service has an address", PATIENCE, || {
            Ok(assigned(&state) >= wanted)
        })?;
    let used = Usage::of(controller.process.pid())?;
    Ok((
        ferrolb,
        Sent {
            elapsed: begun.elapsed(),
            used,
        },
    ))
}

fn assigned(state: &Path) -> usize {
    let text = fs::read_to_string(state.join("addresses")).unwrap_or_default();
    text.lines()
        .filter(|line| line.starts_with("address "))
        .count()
}

fn bird(bench: &Bench, routes: u32) -> Result<Sent> {
    bench.received(0, PATIENCE)?;
    let transfer = bench.bird_sends(routes, PATIENCE)?;
    Ok(Sent {
        elapsed: transfer.elapsed,
        used: transfer.sender,
    })
}

fn engine(bench: &Bench, generator: &PathBuf, routes: u32) -> Result<Sent> {
    let pairs = [
        ("--routes", routes.to_string()),
        ("--peer", RECEIVER.to_string()),
        ("--peer-asn", RECEIVER_AS.to_string()),
        ("--asn", SENDER_AS.to_string()),
    ];
    let arguments = pairs
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value]);
    let spec = Spec::new("generator", generator, arguments);
    send(
        bench,
        routes,
        || Process::start(&bench.sender, &spec),
        |process| process,
    )
}

fn speaker(bench: &Bench, folder: &Ferrolb, routes: u32) -> Result<Sent> {
    send(
        bench,
        routes,
        || folder.start(&bench.sender, Role::Speaker),
        |instance| &instance.process,
    )
}

/// Starts a sender on an empty receiver and reads what it used when everything has arrived.
fn send<T>(
    bench: &Bench,
    routes: u32,
    start: impl FnOnce() -> Result<T>,
    process: impl FnOnce(&T) -> &Process,
) -> Result<Sent> {
    bench.received(0, PATIENCE)?;
    let begun = Instant::now();
    let sender = start()?;
    let process = process(&sender);
    bench
        .received(routes.into(), PATIENCE)
        .with_context(|| process.log())?;
    let elapsed = begun.elapsed();
    Ok(Sent {
        elapsed,
        used: Usage::of(process.pid())?,
    })
}

impl Runs {
    fn rows(&self, routes: u32) -> Vec<Row> {
        let who = |who: &str| format!("{routes} /32 into BIRD, {who}");
        let mut rows = figures(&who("engine"), &self.engine, Some(&self.bird));
        rows.extend(figures(
            &who("whole speaker"),
            &self.speaker,
            Some(&self.bird),
        ));
        rows
    }
}

/// One kind of figure of a run.
struct Kind {
    what: &'static str,
    unit: Unit,
    value: fn(&Sent) -> f64,
}

const KINDS: [Kind; 3] = [
    Kind {
        what: "processor time",
        unit: Unit::Time,
        value: |sent| nanos(sent.used.cpu),
    },
    Kind {
        what: "peak memory",
        unit: Unit::Bytes,
        value: |sent| sent.used.peak_kib as f64 * 1024.0,
    },
    Kind {
        what: "start to end",
        unit: Unit::Time,
        value: |sent| nanos(sent.elapsed),
    },
];

/// The figures of one sender, beside those of a reference.
fn figures(name: &str, runs: &[Sent], reference: Option<&[Sent]>) -> Vec<Row> {
    let row = |kind: &Kind| {
        let spread = |runs: &[Sent]| Spread::new(runs.iter().map(kind.value));
        Some(Row {
            figure: format!("{name}: {}", kind.what),
            unit: kind.unit,
            measured: spread(runs)?,
            against: reference
                .and_then(spread)
                .map_or(Against::Nothing, |spread| {
                    Against::Reference("BIRD", spread)
                }),
        })
    };
    KINDS.iter().filter_map(row).collect()
}

fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
