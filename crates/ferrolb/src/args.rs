// SPDX-License-Identifier: Apache-2.0
//! The command line.
//!
//! MetalLB's programs take Go-style flags, `-node-name` and `--node-name` alike: [`normalise`] makes
//! the second form of the first before clap sees it.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

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
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Assign addresses and announce them, in one process, from a folder of manifests.
    Standalone(SpeakerArgs),
    /// Assign addresses to the Services of a folder. One per folder.
    Controller(RoleArgs),
    /// Announce from this node the addresses that a controller assigned. Any number per folder.
    Speaker(SpeakerArgs),
    /// Check manifests and say every fault with file, line and column.
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

/// What every role needs.
#[derive(Clone, Debug, Args)]
pub struct RoleArgs {
    /// Where manifests and state lie.
    #[command(flatten)]
    pub source: SourceArgs,
    /// How much to log.
    #[arg(long, value_enum, default_value = "info", value_name = "LEVEL")]
    pub log_level: LogLevel,
    /// How log lines look.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// Where to answer `ferrolb status` [default: NAME.sock in the state directory].
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

/// What a role that announces needs besides.
#[derive(Clone, Debug, Args)]
pub struct SpeakerArgs {
    /// What every role needs.
    #[command(flatten)]
    pub role: RoleArgs,
    /// Name of this node, as its Node object says [default: the host name].
    #[arg(long, env = "METALLB_NODE_NAME", value_name = "NAME")]
    pub node_name: Option<String>,
    /// UDP port of the heartbeat between the nodes.
    #[arg(long, default_value_t = 7947, value_name = "PORT")]
    pub heartbeat_port: u16,
    /// File with the interfaces that layer 2 leaves alone (announcedInterfacesToExclude).
    #[arg(
        long,
        default_value = "/etc/metallb/excludel2.yaml",
        value_name = "FILE"
    )]
    pub exclude_l2: PathBuf,
}

/// Where manifests and state lie, and which Services are ours.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// Folder of manifests.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Folder of the assigned addresses [default: DIR/.ferrolb].
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Namespace of the metallb.io objects.
    #[arg(
        long,
        env = "METALLB_NAMESPACE",
        default_value = "metallb-system",
        value_name = "NAME"
    )]
    pub namespace: String,
    /// Care for Services of this spec.loadBalancerClass alone; without it, for those without one.
    #[arg(long, value_name = "CLASS", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub lb_class: Option<String>,
    /// Announce from nodes labelled node.kubernetes.io/exclude-from-external-load-balancers too.
    #[arg(long)]
    pub ignore_exclude_lb: bool,
}

impl SourceArgs {
    /// The state directory, named or by default.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.state_dir
            .clone()
            .unwrap_or_else(|| self.dir.join(".ferrolb"))
    }
}

/// `ferrolb check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and folders.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Namespace of the metallb.io objects.
    #[arg(
        long,
        env = "METALLB_NAMESPACE",
        default_value = "metallb-system",
        value_name = "NAME"
    )]
    pub namespace: String,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    pub output: Form,
}

/// `ferrolb plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Where manifests and state lie.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Only what this node would announce.
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Say only what differs from this: a state file, or a plan saved with -o json.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    pub output: Form,
}

/// `ferrolb explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The Service: svc/NAME, svc/NAMESPACE/NAME, NAMESPACE/NAME or NAME.
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// Its namespace, where SERVICE names none.
    #[arg(short, long, default_value = "default", value_name = "NAME")]
    pub service_namespace: String,
    /// Where manifests and state lie.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    pub output: Form,
}

/// `ferrolb status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Socket of one process.
    #[arg(long, value_name = "PATH", required_unless_present_any = ["dir", "state_dir"])]
    pub socket: Option<PathBuf>,
    /// Folder of manifests: ask every process that serves it from this machine.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Folder of the assigned addresses, where it is not DIR/.ferrolb.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    pub output: Form,
}

/// Text for people, JSON for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// MetalLB's log levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Everything.
    All,
    /// What helps to find a fault.
    Debug,
    /// What happens.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
    /// Nothing.
    None,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The long flags that MetalLB's users may write with one dash.
const GO_STYLE: &[&str] = &[
    "node-name",
    "namespace",
    "lb-class",
    "ignore-exclude-lb",
    "log-level",
];

/// Turns `-node-name=n1` into `--node-name=n1`, for the flags MetalLB has.
pub fn normalise(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    arguments.into_iter().map(normalise_one).collect()
}

fn normalise_one(argument: OsString) -> OsString {
    let Some(rest) = argument.to_str().and_then(|text| text.strip_prefix('-')) else {
        return argument;
    };
    let name = rest.split('=').next().unwrap_or_default();
    if GO_STYLE.contains(&name) {
        format!("--{rest}").into()
    } else {
        argument
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        let arguments = arguments.iter().map(OsString::from);
        Cli::try_parse_from(normalise(arguments))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn go_style_flags_are_taken() {
        let cli = parse(&["ferrolb", "speaker", "-dir", "x"]);
        assert!(
            cli.is_err(),
            "a flag MetalLB does not have keeps its two dashes"
        );
        let line = [
            "ferrolb",
            "speaker",
            "--dir",
            "x",
            "-node-name=n1",
            "-lb-class",
            "mine",
        ];
        let Command::Speaker(speaker) = parse(&line).unwrap().command else {
            panic!()
        };
        assert_eq!(speaker.node_name.as_deref(), Some("n1"));
        assert_eq!(speaker.role.source.lb_class.as_deref(), Some("mine"));
    }

    #[test]
    fn an_error_names_the_flag() {
        let error = parse(&["ferrolb", "speaker", "--dir", "x", "--log-level=loud"]).unwrap_err();
        assert!(error.to_string().contains("--log-level"), "{error}");
    }
}
