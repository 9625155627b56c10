// SPDX-License-Identifier: Apache-2.0
//! The program under test: its roles as children in hosts, its commands, its status.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    exec::{self, Captured},
    netns::Namespace,
    process::{Process, Spec},
    tools,
};

/// A role that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Assigns addresses.
    Controller,
    /// Announces them from one node.
    Speaker,
    /// Both in one process.
    Standalone,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Speaker => "speaker",
            Self::Standalone => "standalone",
        }
    }
}

/// The program with the folders it works on.
#[derive(Clone, Debug)]
pub struct Ferrolb {
    binary: PathBuf,
    manifests: PathBuf,
    state: PathBuf,
}

/// A running role; dropping it ends it.
pub struct Instance {
    /// The process.
    pub process: Process,
    ferrolb: Ferrolb,
    socket: PathBuf,
}

impl Ferrolb {
    /// The program beside this one (or `FERROLB_BIN`), on a folder of manifests and one for state.
    ///
    /// # Errors
    /// It is not built.
    pub fn new(manifests: &Path, state: &Path) -> Result<Self> {
        Ok(Self {
            binary: tools::ferrolb()?,
            manifests: manifests.to_owned(),
            state: state.to_owned(),
        })
    }

    /// The folder of manifests.
    #[must_use]
    pub fn manifests(&self) -> &Path {
        &self.manifests
    }

    /// The folder of the state.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Starts a role on a host; announcing roles take the host's name as their node's.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(&self, host: &Namespace, role: Role) -> Result<Instance> {
        let dir = host.run().dir();
        let socket = dir.join(format!("{}-{}.sock", host.host(), role.word()));
        let mut arguments: Vec<OsString> = vec![
            role.word().into(),
            "--dir".into(),
            self.manifests.clone().into(),
            "--state-dir".into(),
            self.state.clone().into(),
            "--socket".into(),
            socket.clone().into(),
        ];
        if role != Role::Controller {
            arguments.extend(["--node-name".into(), host.host().into()]);
        }
        if let Some(level) = std::env::var_os("FERROLB_LOG_LEVEL") {
            arguments.extend(["--log-level".into(), level]);
        }
        let spec = Spec::new(role.word(), &self.binary, arguments);
        Ok(Instance {
            process: Process::start(host, &spec)?,
            ferrolb: self.clone(),
            socket,
        })
    }

    /// Runs a command of the program to its end, whatever its exit code.
    ///
    /// # Errors
    /// It cannot be started, or does not end in time.
    pub fn command(&self, arguments: &[&str]) -> Result<Captured> {
        let mut command = Command::new(&self.binary);
        command.args(arguments);
        exec::run(command, Duration::from_secs(20))
    }
}

impl Instance {
    /// Where it answers `ferrolb status`.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What `ferrolb status -o json` says of this process.
    ///
    /// # Errors
    /// It does not answer.
    pub fn status(&self) -> Result<Value> {
        let said = self.status_as("json")?;
        serde_json::from_str(&said).with_context(|| format!("status: {said}"))
    }

    /// The Services this process knows, by `namespace/name`, with the addresses they hold.
    ///
    /// # Errors
    /// It does not answer.
    pub fn services(&self) -> Result<BTreeMap<String, Vec<IpAddr>>> {
        let status = self.status()?;
        let services = status.get("services").and_then(Value::as_array);
        Ok(services.into_iter().flatten().filter_map(service).collect())
    }

    /// What `ferrolb status` prints for people.
    ///
    /// # Errors
    /// It does not answer.
    pub fn status_text(&self) -> Result<String> {
        self.status_as("text")
    }

    /// Waits until the process answers `ferrolb status`.
    ///
    /// # Errors
    /// It ends, or does not answer within `patience`; the message holds its log's end.
    pub fn wait_ready(&self, patience: Duration) -> Result<Duration> {
        self.process.wait_for("it answers status", patience, || {
            self.status().map(|_| true)
        })
    }

    fn status_as(&self, form: &str) -> Result<String> {
        let socket = self.socket.to_string_lossy().into_owned();
        self.ferrolb
            .command(&["status", "--socket", &socket, "-o", form])?
            .success()
    }
}

fn service(report: &Value) -> Option<(String, Vec<IpAddr>)> {
    let addresses = report.get("addresses")?.as_array()?.iter();
    let addresses = addresses.filter_map(|text| text.as_str()?.parse().ok());
    Some((
        report.get("service")?.as_str()?.to_owned(),
        addresses.collect(),
    ))
}
