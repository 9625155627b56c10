// SPDX-License-Identifier: Apache-2.0
//! The flags of the roles, and what they amount to.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use clap::{ArgAction, Args, ValueEnum};
use ferrolb_telemetry::log;
use ferrolb_types::{Diagnostic, NodeName};

use super::{
    BgpType, ClusterArgs, Refusal, SourceArgs, SourceChoice, SourceFlags, Surroundings, excluded,
    metallb::{CommonFlags, SpeakerOnlyFlags},
    missing,
    serving::ServingFlags,
};
use crate::serve;

/// Where MetalLB's controller finds the certificate of its webhooks, and where it listens.
const CERT_DIR: &str = "/tmp/k8s-webhook-server/serving-certs";
const CERT_SERVICE: &str = "metallb-webhook-service";
const CERT_SECRET: &str = "metallb-webhook-cert";
const WEBHOOKS: u16 = 9443;

/// The flags of every role.
#[derive(Clone, Debug, Args)]
pub struct RoleFlags {
    /// Where objects come from.
    #[command(flatten)]
    pub source: SourceFlags,
    /// How much to log.
    #[arg(long, value_enum, default_value = "info", value_name = "LEVEL")]
    pub log_level: LogLevel,
    /// How log lines look [default: json; text with --dir].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Where to answer `ferrolb status` [default with --dir: NAME.sock in the state directory].
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// The own Pod, which owns what is written about this process [env: METALLB_POD_NAME].
    #[arg(long, value_name = "NAME")]
    pub pod_name: Option<String>,
    /// Health, metrics, TLS.
    #[command(flatten)]
    pub serving: ServingFlags,
    /// Taken for MetalLB's sake.
    #[command(flatten)]
    pub metallb: CommonFlags,
}

/// The flags of the controller.
#[derive(Clone, Debug, Args)]
pub struct ControllerFlags {
    /// Those of every role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// Secret to make for the memberlist of MetalLB's speakers; without it none is made [env:
    /// METALLB_ML_SECRET_NAME].
    #[arg(long, value_name = "NAME")]
    pub ml_secret_name: Option<String>,
    /// The own Deployment, which owns that Secret [env: METALLB_DEPLOYMENT].
    #[arg(long, value_name = "NAME")]
    pub deployment: Option<String>,
    /// Which halves run [default: enabled].
    #[arg(long, value_enum, value_name = "MODE")]
    pub webhook_mode: Option<WebhookMode>,
    /// Serve webhooks by HTTP/2 too [default: false].
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = super::go::boolean, value_name = "BOOL")]
    pub webhook_http2: Option<bool>,
    /// Folder with the tls.crt and tls.key of the webhooks [default:
    /// /tmp/k8s-webhook-server/serving-certs].
    #[arg(long, value_name = "DIR")]
    pub cert_dir: Option<PathBuf>,
    /// Leave making and renewing the webhooks' certificate to somebody else [default: false].
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = super::go::boolean, value_name = "BOOL")]
    pub disable_cert_rotation: Option<bool>,
    /// Service the webhooks are called by [default: metallb-webhook-service].
    #[arg(long, value_name = "NAME")]
    pub cert_service_name: Option<String>,
    /// Secret that keeps the webhooks' certificate [default: metallb-webhook-cert].
    #[arg(long, value_name = "NAME")]
    pub webhook_secret: Option<String>,
}

/// The flags of a role that announces.
#[derive(Clone, Debug, Args)]
pub struct SpeakerFlags {
    /// Those of every role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// Name of this node, as its Node object says [env: METALLB_NODE_NAME; default with --dir: the
    /// host name].
    #[arg(long, value_name = "NAME")]
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
    /// Taken for MetalLB's sake.
    #[command(flatten)]
    pub metallb: SpeakerOnlyFlags,
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
    /// A line for people, on standard error.
    Text,
    /// A JSON object a line; on an API server on standard output, where MetalLB's lines are.
    Json,
}

/// Which halves of the controller run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WebhookMode {
    /// Assigning and webhooks.
    #[default]
    Enabled,
    /// Assigning alone.
    Disabled,
    /// Webhooks alone.
    #[value(name = "onlywebhook")]
    OnlyWebhook,
}

/// What a process says of itself, and to whom.
#[derive(Clone, Debug)]
pub struct Voice {
    /// How much to log.
    pub level: log::Level,
    /// How log lines look.
    pub format: log::Format,
    /// What the command line asks for and does not get, to be logged once.
    pub notes: Vec<Diagnostic>,
}

impl Voice {
    /// Installs the log and says what is to be said once.
    pub fn raise(&self) {
        log::init(self.level, self.format);
        for note in &self.notes {
            tracing::warn!("{note}");
        }
    }
}

/// A role on a folder.
#[derive(Clone, Debug)]
pub struct RoleArgs {
    /// Where manifests and state lie.
    pub source: SourceArgs,
    /// What it says.
    pub voice: Voice,
    /// Where to answer `ferrolb status`, where it is not in the state directory.
    pub socket: Option<PathBuf>,
    /// Health and metrics.
    pub serve: serve::Settings,
}

/// A role that announces, on a folder.
#[derive(Clone, Debug)]
pub struct SpeakerArgs {
    /// What every role needs.
    pub role: RoleArgs,
    /// Name of this node, where it is not the host's.
    pub node_name: Option<String>,
    /// UDP port of the heartbeat between the nodes.
    pub heartbeat_port: u16,
    /// The own address of the heartbeat, where it is not to be found out.
    pub heartbeat_address: Option<IpAddr>,
    /// File with the interfaces that layer 2 leaves alone.
    pub exclude_l2: PathBuf,
    /// Who speaks BGP.
    pub bgp: BgpType,
}

/// A role on an API server.
#[derive(Clone, Debug)]
pub struct ClusterRole {
    /// The API server.
    pub source: ClusterArgs,
    /// What it says.
    pub voice: Voice,
    /// Where to answer `ferrolb status`, if anywhere.
    pub socket: Option<PathBuf>,
    /// The own Pod.
    pub pod: Option<String>,
    /// Who speaks BGP.
    pub bgp: BgpType,
    /// Health and metrics.
    pub serve: serve::Settings,
}

/// The controller of an API server.
#[derive(Clone, Debug)]
pub struct ClusterController {
    /// What every role needs.
    pub role: ClusterRole,
    /// Which halves run.
    pub mode: WebhookMode,
    /// Name of the Secret for memberlist; none is made without it.
    pub memberlist_secret: Option<String>,
    /// The Deployment that owns it.
    pub deployment: Option<String>,
    /// Where webhooks listen and their certificate comes from.
    pub webhooks: serve::WebhookSettings,
}

/// The speaker of a node of an API server.
#[derive(Clone, Debug)]
pub struct ClusterSpeaker {
    /// What every role needs.
    pub role: ClusterRole,
    /// This node.
    pub node: NodeName,
    /// UDP port of the heartbeat between the nodes.
    pub heartbeat_port: u16,
    /// The own address of the heartbeat, where it is not to be found out.
    pub heartbeat_address: Option<IpAddr>,
    /// File with the interfaces that layer 2 leaves alone.
    pub exclude_l2: PathBuf,
}

/// A role on a folder or on an API server.
#[derive(Clone, Debug)]
pub enum Place<F, C> {
    /// On a folder.
    Folder(F),
    /// On an API server.
    Cluster(C),
}

impl RoleFlags {
    fn place(
        &self,
        around: &Surroundings<'_>,
        announces: bool,
    ) -> Result<(Place<RoleArgs, ClusterRole>, BgpType), Refusal> {
        let mut notes = Vec::new();
        let bgp = CommonFlags::bgp_type(around, &mut notes)?;
        self.metallb.notes(&mut notes);
        notes.extend(bgp.note_of_controller().filter(|_| !announces));
        let place = match self.source.choose_to_serve(around)? {
            SourceChoice::Folder(source) => Place::Folder(RoleArgs {
                source,
                voice: self.voice(log::Format::Text, log::Format::Json, notes),
                socket: self.socket.clone(),
                serve: self.serving.on_folder()?,
            }),
            SourceChoice::Cluster(source) => Place::Cluster(ClusterRole {
                source,
                voice: self.voice(log::Format::JsonOut, log::Format::JsonOut, notes),
                socket: self.socket.clone(),
                pod: around.or(self.pod_name.as_ref(), "METALLB_POD_NAME"),
                bgp,
                serve: self.serving.on_cluster(announces)?,
            }),
        };
        Ok((place, bgp))
    }

    fn voice(&self, default: log::Format, json: log::Format, notes: Vec<Diagnostic>) -> Voice {
        Voice {
            level: self.log_level.into(),
            format: match self.log_format {
                None => default,
                Some(LogFormat::Text) => log::Format::Text,
                Some(LogFormat::Json) => json,
            },
            notes,
        }
    }
}

impl ControllerFlags {
    /// What these flags amount to.
    ///
    /// # Errors
    /// A flag or a variable with a value it does not take, one that is missing, or two that exclude each other.
    pub fn resolve(
        &self,
        around: &Surroundings<'_>,
    ) -> Result<Place<RoleArgs, ClusterController>, Refusal> {
        match self.role.place(around, false)?.0 {
            Place::Folder(role) => {
                self.refuse_cluster_flags()?;
                Ok(Place::Folder(role))
            }
            Place::Cluster(role) => Ok(Place::Cluster(ClusterController {
                role,
                mode: self.webhook_mode.unwrap_or_default(),
                memberlist_secret: around
                    .or(self.ml_secret_name.as_ref(), "METALLB_ML_SECRET_NAME"),
                deployment: around.or(self.deployment.as_ref(), "METALLB_DEPLOYMENT"),
                webhooks: self.webhooks(),
            })),
        }
    }

    /// On a folder there is no API server that would call a webhook or keep a Secret.
    fn refuse_cluster_flags(&self) -> Result<(), Refusal> {
        let given = [
            ("--webhook-mode", self.webhook_mode.is_some()),
            ("--webhook-http2", self.webhook_http2.is_some()),
            ("--cert-dir", self.cert_dir.is_some()),
            (
                "--disable-cert-rotation",
                self.disable_cert_rotation.is_some(),
            ),
            ("--cert-service-name", self.cert_service_name.is_some()),
            ("--webhook-secret", self.webhook_secret.is_some()),
            ("--ml-secret-name", self.ml_secret_name.is_some()),
            ("--deployment", self.deployment.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(excluded("--dir", flag)),
            None => Ok(()),
        }
    }

    fn webhooks(&self) -> serve::WebhookSettings {
        let name = |flag: &Option<String>, default: &str| {
            let given = flag.clone().filter(|name| !name.is_empty());
            given.unwrap_or_else(|| default.to_owned())
        };
        serve::WebhookSettings {
            address: SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), WEBHOOKS),
            http2: self.webhook_http2.unwrap_or_default(),
            cert_dir: self.cert_dir.clone().unwrap_or_else(|| CERT_DIR.into()),
            rotates: !self.disable_cert_rotation.unwrap_or_default(),
            service: name(&self.cert_service_name, CERT_SERVICE),
            secret: name(&self.webhook_secret, CERT_SECRET),
        }
    }
}

impl SpeakerFlags {
    /// What these flags amount to, of a speaker.
    ///
    /// # Errors
    /// As [`ControllerFlags::resolve`]; on an API server also no name of a node.
    pub fn resolve(
        &self,
        around: &Surroundings<'_>,
    ) -> Result<Place<SpeakerArgs, ClusterSpeaker>, Refusal> {
        let (place, bgp) = self.role.place(around, true)?;
        let mut notes = Vec::new();
        self.metallb.check(bgp, around, &mut notes)?;
        let heartbeat_address = self.metallb.bind_address(around)?;
        let node_name = self
            .node_name
            .clone()
            .or_else(|| around.variable("METALLB_NODE_NAME"));
        match place {
            Place::Folder(mut role) => {
                role.voice.notes.append(&mut notes);
                Ok(Place::Folder(SpeakerArgs {
                    role,
                    node_name,
                    heartbeat_port: self.heartbeat_port,
                    heartbeat_address,
                    exclude_l2: self.exclude_l2.clone(),
                    bgp,
                }))
            }
            Place::Cluster(mut role) => {
                role.voice.notes.append(&mut notes);
                Ok(Place::Cluster(ClusterSpeaker {
                    role,
                    node: node(node_name)?,
                    heartbeat_port: self.heartbeat_port,
                    heartbeat_address,
                    exclude_l2: self.exclude_l2.clone(),
                }))
            }
        }
    }

    /// What these flags amount to, of a process that does both halves: it serves a folder alone.
    ///
    /// # Errors
    /// As [`SpeakerFlags::resolve`], and flags of an API server.
    pub fn resolve_standalone(&self, around: &Surroundings<'_>) -> Result<SpeakerArgs, Refusal> {
        if self.role.source.dir.is_none() {
            let cause = "standalone serves a folder of manifests";
            return Err(missing(
                "--dir",
                cause,
                "name one; on an API server run controller and speaker",
            ));
        }
        match self.resolve(around)? {
            Place::Folder(args) => Ok(args),
            Place::Cluster(_) => Err(missing(
                "--dir",
                "standalone serves a folder of manifests",
                "name one",
            )),
        }
    }
}

/// On an API server a host name is no answer: Nodes are often named otherwise.
fn node(name: Option<String>) -> Result<NodeName, Refusal> {
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| {
        let cause = "the name of this node is unknown: METALLB_NODE_NAME is not set";
        missing("--node-name", cause, "name the Node object of this machine")
    })?;
    Ok(NodeName::from(name))
}

impl From<LogLevel> for log::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::All => Self::All,
            LogLevel::Debug => Self::Debug,
            LogLevel::Info => Self::Info,
            LogLevel::Warn => Self::Warn,
            LogLevel::Error => Self::Error,
            LogLevel::None => Self::None,
        }
    }
}
