// SPDX-License-Identifier: Apache-2.0
//! The demo: the whole of it on one machine, in about a minute.
//!
//! Three nodes, an FRR and a BIRD router, a client in the LAN and one beyond the routers. It shows what
//! it does, what the routers and the clients see, a broken manifest and its diagnostic, and measures
//! what the clients notice when nodes die. Ctrl-C takes everything down at any moment.

mod faults;
mod manifests;
mod scenes;
mod screen;
mod stage;

use std::path::Path;

use anyhow::{Result, bail};

use crate::{require, routers::Kind, run::Run, signals, tools};
use screen::Screen;
use stage::Stage;

/// Runs the demo on a folder of manifests.
///
/// # Errors
/// Something is missing, or a step shows not what it should.
pub fn demo(manifests: &Path) -> Result<()> {
    check_requirements()?;
    let run = Run::new()?;
    let owner = run.clone();
    let interrupted = signals::on_interrupt(move || owner.close())?;
    let shown = show(&run, manifests);
    if shown.is_err() {
        // The signal closed the run under our feet: its clean-up has the last word.
        interrupted.give_way();
    }
    run.close();
    shown
}

fn show(run: &Run, manifests: &Path) -> Result<()> {
    let mut screen = Screen::new();
    let mut stage = Stage::build(run, manifests, &mut screen)?;
    scenes::silence(&stage, &mut screen)?;
    stage.start_ferrolb(&mut screen)?;
    scenes::addresses(&mut stage, &mut screen)?;
    scenes::layer2(&stage, &mut screen)?;
    scenes::bgp(&stage, &mut screen)?;
    manifests::broken(&stage, &mut screen)?;
    faults::layer2(&mut stage, &mut screen)?;
    faults::bgp(&mut stage, &mut screen)?;
    screen.summary()
}

fn check_requirements() -> Result<()> {
    let mut programs = vec!["arping", "ping"];
    programs.extend(Kind::Bird.programs());
    programs.extend(Kind::Frr.programs());
    let missing = require::missing(&programs);
    if !missing.is_empty() {
        bail!("the demo needs: {}", missing.join(", "));
    }
    tools::ferrolb().map(drop)
}
