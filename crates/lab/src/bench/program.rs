// SPDX-License-Identifier: Apache-2.0
//! The program itself: its size, `check` over a folder, and the memory of a standalone process at rest.

use std::{fs, thread, time::Duration, time::Instant};

use anyhow::{Result, ensure};

use super::{
    manifests::Shape,
    spread::{Spread, Unit},
    table::{Against, Row},
};
use crate::{
    ferrolb::{Ferrolb, Role},
    measure::Usage,
    reference::Bench,
    run::Run,
    tools,
};

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// From the last route until memory is read: the announcements of layer 2 are over by then.
const SETTLE: Duration = Duration::from_secs(8);

/// The size of the program.
///
/// # Errors
/// It is not built.
pub fn size() -> Result<Option<Row>> {
    let bytes = fs::metadata(tools::ferrolb()?)?.len();
    Ok(row("binary", Unit::Bytes, vec![bytes as f64], 12e6))
}

/// The time of `ferrolb check` over a folder with this many manifests, one in each file.
///
/// # Errors
/// The folder cannot be written, or the check finds fault with it.
pub fn check(manifests: usize, runs: u32) -> Result<Option<Row>> {
    eprintln!("bench: check of {manifests} manifests");
    let run = Run::new()?;
    let dir = run.dir().join("manifests");
    let shape = Shape {
        node: "sender",
        per_file: 1,
        layer2: true,
    };
    shape.objects(&dir, manifests)?;
    let ferrolb = Ferrolb::new(&dir, &run.dir().join("state"))?;
    let path = dir.to_string_lossy().into_owned();
    let mut times = Vec::new();
    for _ in 0..runs {
        let begun = Instant::now();
        let said = ferrolb.command(&["check", &path])?.success()?;
        times.push(begun.elapsed().as_secs_f64() * 1e9);
        ensure!(
            said.starts_with(&format!("{manifests} files, 0 errors")),
            "check: {said}"
        );
    }
    Ok(row(
        &format!("check of {manifests} manifests"),
        Unit::Time,
        times,
        1e9,
    ))
}

/// The resident memory of `standalone` that has assigned and announces this many Services, by layer 2
/// and to one BGP peer.
///
/// # Errors
/// A part cannot be made, or the routes do not arrive.
pub fn standalone(services: u32, runs: u32) -> Result<Option<Row>> {
    let mut resident = Vec::new();
    for turn in 1..=runs {
        eprintln!("bench: standalone with {services} Services, turn {turn} of {runs}");
        resident.push(at_rest(services)? as f64 * 1024.0);
    }
    let figure = format!("standalone with {services} Services: resident memory");
    Ok(row(&figure, Unit::Bytes, resident, 15e6))
}

/// KiB held at rest.
fn at_rest(services: u32) -> Result<u64> {
    let run = Run::new()?;
    let bench = Bench::new(&run)?;
    let manifests = run.dir().join("manifests");
    let shape = Shape {
        node: "sender",
        per_file: 100,
        layer2: true,
    };
    shape.services(&manifests, services)?;
    let ferrolb = Ferrolb::new(&manifests, &run.dir().join("state"))?;
    let standalone = ferrolb.start(&bench.sender, Role::Standalone)?;
    bench.received(services.into(), PATIENCE)?;
    thread::sleep(SETTLE);
    Ok(Usage::of(standalone.process.pid())?.resident_kib)
}

fn row(figure: &str, unit: Unit, values: Vec<f64>, most: f64) -> Option<Row> {
    Some(Row {
        figure: figure.to_owned(),
        unit,
        measured: Spread::new(values)?,
        against: Against::AtMost(most),
    })
}
