// SPDX-License-Identifier: Apache-2.0
//! The roles that run on a folder, made of two halves.
//!
//! | role | `assigning` | `announcing` |
//! |---|---|---|
//! | `controller` | yes, writes the state file | |
//! | `speaker` | | yes, follows the state file |
//! | `standalone` | yes | yes, in the same process |
//!
//! ```text
//!  folder thread ──files──►┐
//!  state thread ──state───►│              ┌─► Layer2 task ──► ARP, NDP
//!  (speaker)               ├─► process ───┼─► BGP task ─────► sessions
//!  heartbeat task ─alive──►│   (1 task)   └─► heartbeat task ► UDP
//!  status socket ─question►┘
//! ```
//!
//! The process task owns the model, the engine and the world; it waits for none of the others except
//! where a queue of theirs is full, and none of them waits for a peer or a disk.

mod assigning;
mod inputs;
mod process;
mod report;
mod roster;

pub(crate) use process::end_on_signal;
pub(crate) use roster::Roster;

use std::path::PathBuf;

use ferrolb_types::{Diagnostic, NodeName, ObjectRef, codes};

use crate::args::{RoleArgs, SpeakerArgs};

/// What a process is.
#[derive(Clone, Debug)]
pub enum Role {
    /// Assigns and announces.
    Standalone(SpeakerArgs),
    /// Assigns.
    Controller(RoleArgs),
    /// Announces.
    Speaker(SpeakerArgs),
}

impl Role {
    /// The word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Standalone(_) => "standalone",
            Self::Controller(_) => "controller",
            Self::Speaker(_) => "speaker",
        }
    }

    /// The arguments every role has.
    #[must_use]
    pub fn args(&self) -> &RoleArgs {
        match self {
            Self::Standalone(args) | Self::Speaker(args) => &args.role,
            Self::Controller(args) => args,
        }
    }

    fn assigns(&self) -> bool {
        matches!(self, Self::Standalone(_) | Self::Controller(_))
    }

    fn speaker(&self) -> Option<&SpeakerArgs> {
        match self {
            Self::Standalone(args) | Self::Speaker(args) => Some(args),
            Self::Controller(_) => None,
        }
    }

    /// What tells the processes of one folder apart: `controller`, or the name of the node.
    fn instance(&self) -> Result<String, Box<Diagnostic>> {
        match self.speaker() {
            None => Ok("controller".to_owned()),
            Some(args) => node_name(args).map(|name| name.to_string()),
        }
    }

    fn socket(&self, instance: &str) -> PathBuf {
        let args = self.args();
        let default = || args.source.state_dir().join(format!("{instance}.sock"));
        args.socket.clone().unwrap_or_else(default)
    }
}

/// The name of this node: as told, or the host's.
fn node_name(args: &SpeakerArgs) -> Result<NodeName, Box<Diagnostic>> {
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = args
        .node_name
        .clone()
        .unwrap_or_else(|| host().trim().to_owned());
    // It names files in the state directory.
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        let object = ObjectRef::new("flag", "", "--node-name");
        let cause = "it is not the name of a Node";
        let remedy = "give the name of this machine's Node object";
        return Err(Box::new(
            Diagnostic::error(codes::command::X002, object, cause, remedy).value(name),
        ));
    }
    Ok(NodeName::from(name))
}

/// Runs a role until it is told to end.
///
/// # Errors
/// What keeps it from starting: an unusable folder or state directory, another controller, a socket
/// that cannot be opened.
pub fn run(role: &Role) -> anyhow::Result<()> {
    run_to_end(process::run(role))
}

/// Runs a role of a folder or a cluster on threads of its own.
pub(crate) fn run_to_end(role: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(role);
    // Threads that wait for files, and requests under way, are not waited for.
    runtime.shutdown_background();
    result
}
