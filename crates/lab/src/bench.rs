// SPDX-License-Identifier: Apache-2.0
//! The figures the project answers for: measures the program, gathers what the crates' own benchmarks
//! left, and renders one table.
//!
//! Nothing here judges: a figure that misses its target stands in the table with its ratio. References
//! run in turn with what is compared to them, in the same run.

mod cluster;
mod criterion;
mod figures;
mod machine;
mod manifests;
mod program;
mod spread;
mod table;
mod transfer;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{require, routers::Kind, tools};
use table::Row;

/// What to measure, and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the crates' benchmarks left their samples and logs, if they ran.
    pub results: Option<PathBuf>,
    /// Manifests of `check`.
    pub manifests: usize,
    /// Routes into BIRD.
    pub routes: u32,
    /// Services of `standalone`.
    pub services: u32,
    /// Services of the roles on an API server.
    pub cluster_services: u32,
    /// Withdrawals timed on an API server.
    pub withdrawals: u32,
    /// The only part to measure; without one, all.
    pub only: Option<Part>,
    /// Runs of each.
    pub runs: u32,
}

/// A part of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The program on a folder.
    Program,
    /// Many routes into BIRD.
    Transfer,
    /// The roles on an API server, with the rules we ship.
    Cluster,
    /// The same with MetalLB's rules.
    Metallb,
}

impl Plan {
    fn has(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

/// Measures and prints the table.
///
/// # Errors
/// Something is missing, or a measurement cannot be made.
pub fn bench(plan: &Plan) -> Result<()> {
    check_requirements()?;
    let before = machine::load();
    let rows = measure(plan)?;
    println!("{}", machine::describe());
    println!(
        "load average before and after: {before}, {}\n",
        machine::load()
    );
    print!("{}", table::render(&rows));
    Ok(())
}

fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let mut rows = match &plan.results {
        Some(results) => figures::rows(results)?,
        None => Vec::new(),
    };
    if plan.has(Part::Program) {
        rows.extend(program::size()?);
        rows.extend(program::check(plan.manifests, plan.runs)?);
        rows.extend(program::standalone(plan.services, plan.runs)?);
    }
    if plan.has(Part::Transfer) {
        rows.extend(transfer::rows(transfer::Counts {
            routes: plan.routes,
            runs: plan.runs,
        })?);
    }
    let counts = cluster::Counts {
        services: plan.cluster_services,
        withdrawals: plan.withdrawals,
        runs: plan.runs,
    };
    if plan.has(Part::Cluster) {
        rows.extend(cluster::rows(counts, cluster::Rules::Ours)?);
    }
    if plan.has(Part::Metallb) {
        rows.extend(cluster::rows(counts, cluster::Rules::MetalLb)?);
    }
    Ok(rows)
}

fn check_requirements() -> Result<()> {
    let missing = require::missing(Kind::Bird.programs());
    if !missing.is_empty() {
        bail!("the benchmarks need: {}", missing.join(", "));
    }
    tools::ferrolb().map(drop)
}
