// SPDX-License-Identifier: Apache-2.0
//! GoBGP, judged through `gobgp`.

mod config;
mod parse;

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Route, Router, RouterConfig, START, Session};
use crate::{
    netns::Namespace,
    process::{Process, Spec},
};

/// The daemon's API, reachable inside its namespace alone.
const API: &str = "127.0.0.1:50051";

/// A running GoBGP.
pub struct Gobgp {
    process: Process,
}

impl Gobgp {
    /// Starts gobgpd and waits until `gobgp` answers.
    ///
    /// # Errors
    /// It is not installed, or refuses the configuration.
    pub fn start(namespace: &Namespace, config: &RouterConfig) -> Result<Self> {
        let file = format!("{}-gobgp.toml", namespace.host());
        let path = namespace.run().dir().join(file);
        fs::write(&path, config::render(config)?)?;
        let path = path.to_string_lossy().into_owned();
        let arguments = ["-f", &path, "--api-hosts", API, "--pprof-disable"];
        let process = Process::start(namespace, &Spec::new("gobgp", "gobgpd", arguments))?;
        let gobgp = Self { process };
        gobgp.process.wait_for("gobgp answers", START, || {
            // The configuration is applied after the API opens.
            Ok(gobgp.sessions()?.len() == config.neighbors.len())
        })?;
        for route in &config.statics {
            gobgp.cli(&config::add(route))?;
        }
        Ok(gobgp)
    }

    fn json(&self, command: &str) -> Result<Value> {
        let said = self.cli(&format!("{command} -j"))?;
        serde_json::from_str(&said).with_context(|| format!("gobgp {command}: {said}"))
    }
}

impl Router for Gobgp {
    fn process(&self) -> &Process {
        &self.process
    }

    fn sessions(&self) -> Result<Vec<Session>> {
        Ok(parse::sessions(&self.json("neighbor")?))
    }

    fn routes(&self) -> Result<Vec<Route>> {
        let mut routes = parse::routes(&self.json("global rib -a ipv4")?);
        routes.extend(parse::routes(&self.json("global rib -a ipv6")?));
        Ok(routes)
    }

    fn cli(&self, command: &str) -> Result<String> {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        self.process.namespace().exec("gobgp", &arguments)
    }
}
