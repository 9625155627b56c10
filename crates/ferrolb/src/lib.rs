// SPDX-License-Identifier: Apache-2.0
//! The binary's parts: the drivers that join the cores to the world outside, the roles made of them,
//! and the commands.
//!
//! | module | what it owns |
//! |---|---|
//! | [`args`] | the command line |
//! | [`folder`] | finding and reading manifests on disk |
//! | [`intake`] | objects of any source, compiled |
//! | [`model`] | what a folder says |
//! | [`state`] | who holds which address, across restarts |
//! | [`drivers`] | sockets and clocks under the cores |
//! | [`roles`] | `standalone`, `controller`, `speaker` on a folder |
//! | `cluster` | `controller`, `speaker` on an API server |
//! | `announcing` | the half of a process that announces, for both |
//! | [`serve`] | health, metrics, state and webhooks by HTTP |
//! | [`status`] | what a process says of itself |
//! | [`commands`] | `check`, `plan`, `explain`, `status`, `crds`, `codes` |

mod announcing;
pub mod args;
mod cluster;
pub mod commands;
pub mod drivers;
mod exclude;
pub mod folder;
pub mod intake;
pub mod model;
mod refused_bgp;
pub mod roles;
pub mod serve;
pub mod state;
pub mod status;

use std::process::ExitCode;

use args::{Cli, Command, ControllerFlags, Place, SpeakerFlags, Surroundings};
use commands::Ending;
use roles::Role;

/// Runs what the command line asks for.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    serve::tls::install_provider();
    match cli.command {
        Command::Standalone(flags) => standalone(&flags),
        Command::Controller(flags) => controller(&flags),
        Command::Speaker(flags) => speaker(&flags),
        Command::Check(args) => commands::check::run(&args),
        Command::Plan(args) => commands::plan::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Crds => commands::crds(),
        Command::Codes { code } => commands::codes::run(code.as_deref()),
        Command::Completion { shell } => commands::completion(shell),
    }
    .into()
}

fn standalone(flags: &SpeakerFlags) -> Ending {
    match flags.resolve_standalone(&Surroundings::of_process()) {
        Ok(args) => role(&Role::Standalone(args)),
        Err(refusal) => commands::refused(&refusal),
    }
}

fn controller(flags: &ControllerFlags) -> Ending {
    match flags.resolve(&Surroundings::of_process()) {
        Ok(Place::Folder(args)) => role(&Role::Controller(args)),
        Ok(Place::Cluster(args)) => {
            args.role.voice.raise();
            ended(cluster::controller(args))
        }
        Err(refusal) => commands::refused(&refusal),
    }
}

fn speaker(flags: &SpeakerFlags) -> Ending {
    match flags.resolve(&Surroundings::of_process()) {
        Ok(Place::Folder(args)) => role(&Role::Speaker(args)),
        Ok(Place::Cluster(args)) => {
            args.role.voice.raise();
            ended(cluster::speaker(args))
        }
        Err(refusal) => commands::refused(&refusal),
    }
}

fn role(role: &Role) -> Ending {
    role.args().voice.raise();
    ended(roles::run(role))
}

fn ended(result: anyhow::Result<()>) -> Ending {
    match result {
        Ok(()) => Ending::Fine,
        Err(error) => commands::failed(&error),
    }
}
