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
//! | [`roles`] | `standalone`, `controller`, `speaker` |
//! | [`status`] | what a process says of itself |
//! | [`commands`] | `check`, `plan`, `explain`, `status`, `crds`, `codes` |

mod announcing;
pub mod args;
pub mod commands;
pub mod drivers;
mod exclude;
pub mod folder;
pub mod intake;
mod logging;
pub mod model;
pub mod roles;
pub mod state;
pub mod status;

use std::process::ExitCode;

use args::{Cli, Command, RoleArgs};
use commands::Ending;
use roles::Role;

/// Runs what the command line asks for.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Standalone(args) => role(&Role::Standalone(args)),
        Command::Controller(args) => role(&Role::Controller(args)),
        Command::Speaker(args) => role(&Role::Speaker(args)),
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

fn role(role: &Role) -> Ending {
    let RoleArgs {
        log_level,
        log_format,
        ..
    } = role.args();
    logging::init(*log_level, *log_format);
    match roles::run(role) {
        Ok(()) => Ending::Fine,
        Err(error) => commands::failed(&error),
    }
}
