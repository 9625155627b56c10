// SPDX-License-Identifier: Apache-2.0
//! The flags of the commands that look.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ClusterArgs, Refusal, SourceArgs, SourceChoice, SourceFlags, excluded, missing};

/// The flag that names the namespace of the `metallb.io` objects in every command that looks.
const OWN_NAMESPACE: &str = "metallb-namespace";

/// Text for people, JSON for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// An API server to look at, beside files and sockets.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterFlags {
    /// The API server and how to log in [default: KUBECONFIG, the Pod, ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Namespace of the metallb.io objects [env: METALLB_NAMESPACE; default: that of the Pod, or
    /// metallb-system].
    #[arg(short, long, visible_alias = OWN_NAMESPACE, value_name = "NAME")]
    pub namespace: Option<String>,
}

impl ClusterFlags {
    fn source(&self, dir: Option<&PathBuf>) -> SourceFlags {
        SourceFlags {
            dir: dir.cloned(),
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            ..SourceFlags::default()
        }
    }

    /// The API server, or that there is none to be found.
    fn cluster(&self) -> Result<ClusterArgs, Refusal> {
        match self.source(None).choose()? {
            SourceChoice::Cluster(cluster) => Ok(cluster),
            SourceChoice::Folder(_) => Err(missing(
                "--kubeconfig",
                "no API server is named",
                "name one",
            )),
        }
    }

    fn refuse_beside(&self, other: &str) -> Result<(), Refusal> {
        if self.kubeconfig.is_some() {
            return Err(excluded(other, "--kubeconfig"));
        }
        match self.context {
            Some(_) => Err(excluded(other, "--context")),
            None => Ok(()),
        }
    }
}

/// `ferrolb check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and folders [default: an API server].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The API server, where no PATH is given.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    pub output: Form,
}

/// What `check` is to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckChoice {
    /// Files and folders, and the namespace of the `metallb.io` objects.
    Paths(Vec<PathBuf>, String),
    /// The objects of an API server.
    Cluster(ClusterArgs),
}

impl CheckArgs {
    /// What to check.
    ///
    /// # Errors
    /// Paths and an API server, or neither.
    pub fn choose(&self) -> Result<CheckChoice, Refusal> {
        let Some(first) = self.paths.first() else {
            let cluster = self.cluster.cluster().map_err(|mut refusal| {
                refusal.object.name = "PATH or --kubeconfig".to_owned();
                refusal
            });
            return cluster.map(CheckChoice::Cluster);
        };
        self.cluster.refuse_beside("PATH")?;
        match self.cluster.source(Some(first)).choose()? {
            SourceChoice::Folder(folder) => {
                Ok(CheckChoice::Paths(self.paths.clone(), folder.namespace))
            }
            SourceChoice::Cluster(cluster) => Ok(CheckChoice::Cluster(cluster)),
        }
    }
}

/// `ferrolb plan`.
#[derive(Debug, Args)]
#[command(mut_arg("namespace", |flag| flag.short('n').visible_alias(OWN_NAMESPACE)))]
pub struct PlanArgs {
    /// Where objects come from.
    #[command(flatten)]
    pub source: SourceFlags,
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

/// `ferrolb explain`. Whoever explains a Service means its namespace by `-n`, as with kubectl.
#[derive(Debug, Args)]
#[command(mut_arg("namespace", |flag| flag.long(OWN_NAMESPACE)))]
pub struct ExplainArgs {
    /// The Service: svc/NAME, svc/NAMESPACE/NAME, NAMESPACE/NAME or NAME.
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// Its namespace, where SERVICE names none [default: that of the kubeconfig's context, in a
    /// Pod the Pod's, or default].
    #[arg(
        short = 'n',
        short_alias = 's',
        long = "namespace",
        alias = "service-namespace",
        value_name = "NAME"
    )]
    pub service_namespace: Option<String>,
    /// Where objects come from.
    #[command(flatten)]
    pub source: SourceFlags,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    pub output: Form,
}

/// `ferrolb status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Socket of one process.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Folder of manifests: ask every process that serves it from this machine.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Folder of the assigned addresses, where it is not DIR/.ferrolb.
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The API server, where none of these is given: ask every process of the cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    pub output: Form,
}

/// Whom `status` is to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusChoice {
    /// The process behind this socket.
    Socket(PathBuf),
    /// Every process with a socket in this state directory.
    StateDir(PathBuf),
    /// Every process of a cluster.
    Cluster(ClusterArgs),
}

impl StatusArgs {
    /// Whom to ask.
    ///
    /// # Errors
    /// Flags that exclude each other, or nothing that names anybody.
    pub fn choose(&self) -> Result<StatusChoice, Refusal> {
        let place = [
            ("--socket", self.socket.is_some()),
            ("--dir", self.dir.is_some()),
            ("--state-dir", self.state_dir.is_some()),
        ];
        if let Some((flag, _)) = place.iter().find(|(_, given)| *given) {
            self.cluster.refuse_beside(flag)?;
        }
        if let Some(socket) = &self.socket {
            return Ok(StatusChoice::Socket(socket.clone()));
        }
        let by_dir = || self.dir.as_ref().map(|dir| dir.join(".ferrolb"));
        if let Some(place) = self.state_dir.clone().or_else(by_dir) {
            return Ok(StatusChoice::StateDir(place));
        }
        let cluster = self.cluster.cluster().map_err(|mut refusal| {
            refusal.object.name = "--dir, --socket or --kubeconfig".to_owned();
            refusal
        });
        cluster.map(StatusChoice::Cluster)
    }
}

impl SourceFlags {
    /// The folder, of a command that knows nothing else.
    ///
    /// # Errors
    /// No folder is named.
    pub fn folder(&self) -> Result<SourceArgs, Refusal> {
        match self.choose()? {
            SourceChoice::Folder(folder) => Ok(folder),
            SourceChoice::Cluster(_) => Err(missing(
                "--dir",
                "it needs a folder of manifests",
                "name one with --dir",
            )),
        }
    }
}
