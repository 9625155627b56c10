// SPDX-License-Identifier: Apache-2.0
//! The commands that look: each reads, prints and ends.

pub mod check;
pub mod codes;
pub mod explain;
mod listed;
mod live;
mod outlook;
pub mod plan;
mod running;
pub mod status;

use std::io::Write as _;

use clap::CommandFactory as _;
use ferrolb_types::Diagnostic;

use crate::args::Cli;

/// How a command ended, as the exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All is well.
    Fine,
    /// The command did its work and found faults.
    Faults,
    /// The command could not do its work.
    Failed,
}

impl From<Ending> for std::process::ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Fine => 0,
            Ending::Faults => 1,
            Ending::Failed => 2,
        })
    }
}

/// Waits for what an API server answers.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(work)
}

/// Says why a command could not do its work.
pub(crate) fn failed(error: &anyhow::Error) -> Ending {
    eprintln!("error: {error:#}");
    Ending::Failed
}

/// The same for a diagnostic.
pub(crate) fn refused(diagnostic: &Diagnostic) -> Ending {
    eprintln!("error: {diagnostic}");
    Ending::Failed
}

/// Prints without failing when the reader has gone (`ferrolb plan | head`).
pub(crate) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// `ferrolb crds`: the nine definitions, ready for `kubectl apply -f -`.
#[must_use]
pub fn crds() -> Ending {
    let all: Vec<&str> = ferrolb_api::crds::all()
        .iter()
        .map(|crd| crd.yaml.trim_end())
        .collect();
    print(&(all.join("\n---\n") + "\n"));
    Ending::Fine
}

/// `ferrolb completion`.
#[must_use]
pub fn completion(shell: clap_complete::Shell) -> Ending {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ferrolb", &mut script);
    print(&String::from_utf8_lossy(&script));
    Ending::Fine
}
