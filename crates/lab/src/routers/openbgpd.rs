// SPDX-License-Identifier: Apache-2.0
//! OpenBGPD, judged through `bgpctl`.

mod config;
mod parse;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Route, Router, RouterConfig, START, Session};
use crate::{
    exec,
    netns::Namespace,
    process::{Process, Spec},
};

/// By path: FRR's daemon has the same name.
pub(super) const BGPD: &str = "/usr/sbin/bgpd";

/// The home of the package's user, into which the daemon locks itself; its service file has the
/// system make it at each start.
const JAIL: &str = "/run/openbgpd";

/// A running OpenBGPD.
pub struct Openbgpd {
    process: Process,
    socket: PathBuf,
}

impl Openbgpd {
    /// Starts bgpd and waits until `bgpctl` answers.
    ///
    /// # Errors
    /// It is not installed, or refuses the configuration.
    pub fn start(namespace: &Namespace, config: &RouterConfig) -> Result<Self> {
        fs::create_dir_all(JAIL)?;
        let file = |ending: &str| {
            let name = format!("{}-openbgpd.{ending}", namespace.host());
            namespace.run().dir().join(name)
        };
        let (conf, socket) = (file("conf"), file("sock"));
        fs::write(&conf, config::render(config, &socket)?)?;
        // It refuses a configuration with keys that others may read.
        fs::set_permissions(&conf, fs::Permissions::from_mode(0o600))?;
        let conf = conf.to_string_lossy().into_owned();
        let arguments = ["-d", "-v", "-f", &conf];
        let process = Process::start(namespace, &Spec::new("openbgpd", BGPD, arguments))?;
        let bgpd = Self { process, socket };
        bgpd.process.wait_for("bgpctl answers", START, || {
            bgpd.cli("show summary").map(|_| true)
        })?;
        Ok(bgpd)
    }

    fn json(&self, command: &str) -> Result<Value> {
        let said = self.cli(&format!("-j {command}"))?;
        serde_json::from_str(&said).with_context(|| format!("bgpctl {command}: {said}"))
    }
}

impl Router for Openbgpd {
    fn process(&self) -> &Process {
        &self.process
    }

    fn sessions(&self) -> Result<Vec<Session>> {
        Ok(parse::sessions(&self.json("show neighbor")?))
    }

    fn routes(&self) -> Result<Vec<Route>> {
        Ok(parse::routes(&self.json("show rib detail")?))
    }

    fn cli(&self, command: &str) -> Result<String> {
        let mut bgpctl = std::process::Command::new("bgpctl");
        bgpctl.arg("-s").arg(&self.socket);
        bgpctl.args(command.split_whitespace());
        exec::run(bgpctl, exec::PATIENCE)?
            .success()
            .with_context(|| format!("bgpctl {command}"))
    }
}
