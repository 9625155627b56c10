// SPDX-License-Identifier: Apache-2.0
//! The roles on a real API server, with the rules we ship or with MetalLB's: how long many Services
//! wait for an address, how long routes take to arrive and to go, and what the processes use.

mod announce;
mod assign;
mod birdc;
mod stage;

use anyhow::Result;

use super::table::Row;

/// Whose rules the accounts of the roles have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those of `deploy`.
    Ours,
    /// Those of MetalLB's manifests.
    MetalLb,
}

/// How much, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Services.
    pub services: u32,
    /// Withdrawals that are timed.
    pub withdrawals: u32,
    /// Runs of each.
    pub runs: u32,
}

/// Measures both roles.
///
/// # Errors
/// A part cannot be made, or does not do its work in time.
pub fn rows(counts: Counts, rules: Rules) -> Result<Vec<Row>> {
    let mut rows = assign::rows(counts, rules)?;
    rows.extend(announce::rows(counts, rules)?);
    Ok(rows)
}

impl Rules {
    /// A figure's name, and the most it should be: a target is one with our own rules alone.
    fn named(self, figure: &str, most: f64) -> (String, super::table::Against) {
        match self {
            Self::Ours => (figure.to_owned(), super::table::Against::AtMost(most)),
            Self::MetalLb => (
                format!("{figure}, MetalLB's rules"),
                super::table::Against::Nothing,
            ),
        }
    }
}
