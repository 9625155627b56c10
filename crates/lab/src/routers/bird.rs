// SPDX-License-Identifier: Apache-2.0
//! BIRD 2, judged through `birdc`.

mod config;
mod parse;

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{Route, Router, RouterConfig, START, Session};
use crate::{
    exec,
    netns::Namespace,
    process::{Process, Spec},
};

/// A running BIRD.
pub struct Bird {
    process: Process,
    socket: PathBuf,
    peers: BTreeMap<String, IpAddr>,
}

impl Bird {
    /// Starts BIRD and waits until `birdc` answers.
    ///
    /// # Errors
    /// It is not installed, or refuses the configuration.
    pub fn start(namespace: &Namespace, config: &RouterConfig) -> Result<Self> {
        let dir = namespace.run().dir();
        let file = |ending: &str| dir.join(format!("{}-bird.{ending}", namespace.host()));
        let (conf, socket) = (file("conf"), file("ctl"));
        fs::write(&conf, config::render(config)?)?;
        let arguments = ["-f", "-c"].map(PathBuf::from).into_iter().chain([
            conf,
            "-s".into(),
            socket.clone(),
            "-P".into(),
            file("pid"),
        ]);
        let process = Process::start(namespace, &Spec::new("bird", "bird", arguments))?;
        let bird = Self {
            process,
            socket,
            peers: config::names(config),
        };
        bird.process.wait_for("birdc answers", START, || {
            bird.cli("show status").map(|_| true)
        })?;
        Ok(bird)
    }

    /// Its control socket, as `birdc -s` takes it.
    #[must_use]
    pub fn control(&self) -> &Path {
        &self.socket
    }

    /// The number of routes in all tables, without listing them: cheap for large tables.
    ///
    /// # Errors
    /// `birdc` fails, or says something unknown.
    pub fn route_count(&self) -> Result<u64> {
        parse::count(&self.cli("show route count")?).context("no count of routes")
    }
}

impl Router for Bird {
    fn process(&self) -> &Process {
        &self.process
    }

    fn sessions(&self) -> Result<Vec<Session>> {
        Ok(parse::sessions(&self.cli("show protocols all")?))
    }

    fn routes(&self) -> Result<Vec<Route>> {
        Ok(parse::routes(&self.cli("show route all")?, &self.peers))
    }

    fn cli(&self, command: &str) -> Result<String> {
        let mut birdc = std::process::Command::new("birdc");
        birdc.arg("-s").arg(&self.socket);
        birdc.args(command.split_whitespace());
        exec::run(birdc, exec::PATIENCE)?
            .success()
            .with_context(|| format!("birdc {command}"))
    }
}
