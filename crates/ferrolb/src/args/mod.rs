// SPDX-License-Identifier: Apache-2.0
//! The command line: what it may say, and what it amounts to. Nothing here opens or starts anything.
//!
//! Flags are read into `…Flags`; `resolve` and `choose` make of them, together with the environment,
//! the checked `…Args` that the rest of the program works with. Long flags that MetalLB has are taken
//! with one dash or two, with `=` or a space; booleans in the forms of Go (`-x`, `-x=false`).
//!
//! | MetalLB's flag or variable | of | here |
//! |---|---|---|
//! | `--port`, `--metrics-cert-dir` | both | effective |
//! | `--health-probe-port` | both | effective; readiness tells the truth, where MetalLB's is always ready |
//! | `--namespace`, `METALLB_NAMESPACE`, the account's namespace | both | effective |
//! | `--pod-name`, `METALLB_POD_NAME` | both | effective; may be missing outside a Pod |
//! | `--log-level`, `--lb-class`, `--kubeconfig` | both | effective |
//! | `--tls-min-version` | both | effective; 1.0 and 1.1 are not offered and mean 1.2 |
//! | `--tls-cipher-suites` | both | effective; refused with TLS 1.3 as the lowest version, and for suites not offered |
//! | `--tls-curve-preferences` | both | effective for 23, 24 and 29; refused for what is not offered |
//! | `--pprof-bind-address` | both | taken without effect: there is no Go profiler |
//! | `METALLB_BGP_TYPE` | both | `native` and `frr` are the same engine, and `frr` is said in the log; `frr-k8s`: speakers refuse BGP (FLB-X011), layer 2 works, and a controller says so in its log |
//! | `--ml-secret-name`, `--deployment` and their variables | controller | effective |
//! | `--webhook-mode`, `--webhook-http2`, `--webhook-secret` | controller | effective |
//! | `--cert-dir`, `--cert-service-name`, `--disable-cert-rotation` | controller | effective |
//! | `--node-name`, `METALLB_NODE_NAME` | speaker | effective; required on an API server |
//! | `--ignore-exclude-lb` | speaker | effective |
//! | `--ml-bindaddr`, `METALLB_ML_BIND_ADDR` | speaker | the own address of the heartbeat, which is not memberlist's |
//! | `--ml-bindport`, `--ml-labels`, `--ml-secret-key-path`, `--ml-wan-config` and their variables | speaker | checked, without effect: who is alive is known by a heartbeat of our own |
//! | `--bgp-debounce-timeout`, `METALLB_BGP_DEBOUNCE_TIMEOUT` | speaker | checked, without effect: a change needs no reload |
//! | `FRR_CONFIG_FILE`, `FRR_RELOADER_PID_FILE`, `FRR_LOGGING_LEVEL` | speaker | without effect: there is no FRR |
//! | `--frrk8s-namespace`, `FRRK8S_NAMESPACE`, `--frrk8s-secret-passthrough` | speaker | checked, without effect: no FRRConfiguration is written |
//! | `--host`, `METALLB_HOST` | speaker | without effect, as in MetalLB |
//!
//! What is taken without effect is said once in the log (FLB-X003).

mod go;
mod looking;
mod metallb;
mod roles;
mod serving;
mod source;
mod surroundings;
#[cfg(test)]
mod tests;

use std::{ffi::OsString, path::Path};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use ferrolb_types::{Diagnostic, ObjectRef, codes};

pub use looking::{
    CheckArgs, CheckChoice, ClusterFlags, ExplainArgs, Form, PlanArgs, StatusArgs, StatusChoice,
};
pub use metallb::{BgpType, CommonFlags, SpeakerOnlyFlags};
pub use roles::{
    ClusterController, ClusterRole, ClusterSpeaker, ControllerFlags, LogFormat, LogLevel, Place,
    RoleArgs, RoleFlags, SpeakerArgs, SpeakerFlags, Voice, WebhookMode,
};
pub use serving::ServingFlags;
pub use source::{ClusterArgs, SourceArgs, SourceChoice, SourceFlags};
pub use surroundings::Surroundings;

/// Why a command line is refused.
pub type Refusal = Box<Diagnostic>;

/// FerroLB: a load balancer for bare-metal Kubernetes, and without Kubernetes.
#[derive(Debug, Parser)]
#[command(
    name = "ferrolb",
    version,
    about,
    max_term_width = 100,
    propagate_version = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The roles that run, and the commands that look.
// Made once a process.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Assign addresses and announce them, in one process, from a folder of manifests.
    #[command(args_override_self = true)]
    Standalone(SpeakerFlags),
    /// Assign addresses to the Services of an API server or of a folder.
    #[command(args_override_self = true)]
    Controller(ControllerFlags),
    /// Announce from this node the addresses that a controller assigned.
    #[command(args_override_self = true)]
    Speaker(SpeakerFlags),
    /// Check objects and say every fault; of manifests with file, line and column.
    Check(CheckArgs),
    /// Say which address each Service would get or keep, and who would announce it to whom.
    Plan(PlanArgs),
    /// Say why a Service has the address it has, and why each node announces it or not.
    Explain(ExplainArgs),
    /// Ask running processes what they do: sessions, routes, addresses, interfaces, faults.
    Status(StatusArgs),
    /// Print the CustomResourceDefinitions of the nine kinds.
    Crds,
    /// List the reason codes, or say what one of them means.
    Codes {
        /// A code, for example FLB-P005.
        code: Option<String>,
    },
    /// Print a completion script for a shell.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Reads a command line, the name of the program first. Started as `controller` or `speaker` it takes
/// that role; started as `kubectl-ferrolb` its help speaks of `kubectl ferrolb`.
///
/// # Errors
/// What clap has to say, help and version among it.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let (called, arguments) = go::normalise(arguments);
    let name = match called {
        go::CalledAs::Plugin => "kubectl ferrolb",
        go::CalledAs::Itself | go::CalledAs::Role(_) => "ferrolb",
    };
    let mut command = Cli::command().bin_name(name);
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Two flags that cannot both be given.
pub(crate) fn excluded(one: &str, other: &str) -> Refusal {
    let object = ObjectRef::new("flag", "", format!("{one} and {other}"));
    let cause = "they exclude each other";
    Box::new(Diagnostic::error(
        codes::command::X008,
        object,
        cause,
        "give one of them",
    ))
}

/// Something the process must be told.
pub(crate) fn missing(flag: &'static str, cause: &str, remedy: &str) -> Refusal {
    let object = ObjectRef::new("flag", "", flag);
    Box::new(Diagnostic::error(
        codes::command::X009,
        object,
        cause,
        remedy,
    ))
}

/// A value that a flag does not take.
pub(crate) fn bad_value(flag: &'static str, value: &str, cause: &str, remedy: &str) -> Refusal {
    let object = ObjectRef::new("flag", "", flag);
    Box::new(Diagnostic::error(codes::command::X002, object, cause, remedy).value(value))
}

/// A path that a flag names and that is no use.
pub(crate) fn bad_path(flag: &'static str, path: &Path, cause: &str, remedy: &str) -> Refusal {
    let object = ObjectRef::new("flag", "", flag);
    let refusal = Diagnostic::error(codes::command::X004, object, cause, remedy);
    Box::new(refusal.value(path.display()))
}
