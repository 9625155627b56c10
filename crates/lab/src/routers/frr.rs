// SPDX-License-Identifier: Apache-2.0
//! FRRouting, judged through `vtysh`.
//!
//! zebra (the kernel's routes) and bgpd run as the package's user `frr`, since both insist on
//! dropping root; their folder belongs to that user.

mod config;
mod parse;

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Route, Router, RouterConfig, START, Session};
use crate::{
    exec,
    netns::Namespace,
    process::{Process, Spec},
};

/// Where Debian's package keeps zebra.
pub(super) const ZEBRA: &str = "/usr/lib/frr/zebra";

/// Where Debian's package keeps bgpd.
pub(super) const BGPD: &str = "/usr/lib/frr/bgpd";

/// A running FRR: bgpd with its zebra.
pub struct Frr {
    bgpd: Process,
    // Ends after bgpd, which wants to withdraw its kernel routes through it.
    _zebra: Process,
    dir: PathBuf,
}

impl Frr {
    /// Starts zebra and bgpd, and waits until `vtysh` answers.
    ///
    /// # Errors
    /// They are not installed, or refuse the configuration.
    pub fn start(namespace: &Namespace, config: &RouterConfig) -> Result<Self> {
        let dir = namespace
            .run()
            .dir()
            .join(format!("{}-frr", namespace.host()));
        prepare(&dir, config)?;
        let zebra = daemon(namespace, &dir, ZEBRA, &[])?;
        zebra.wait_for("zebra's socket", START, || {
            Ok(dir.join("zserv.api").exists())
        })?;
        let port = format!("-p{}", config.port);
        let mut extra = vec![port.as_str()];
        if !config.install {
            extra.push("--no_kernel");
        }
        let bgpd = daemon(namespace, &dir, BGPD, &extra)?;
        let frr = Self {
            bgpd,
            _zebra: zebra,
            dir,
        };
        frr.bgpd.wait_for("vtysh answers", START, || {
            frr.cli("show bgp summary").map(|_| true)
        })?;
        Ok(frr)
    }

    fn json(&self, command: &str) -> Result<Value> {
        let said = self.cli(command)?;
        serde_json::from_str(&said).with_context(|| format!("vtysh {command}: {said}"))
    }
}

impl Router for Frr {
    fn process(&self) -> &Process {
        &self.bgpd
    }

    fn sessions(&self) -> Result<Vec<Session>> {
        Ok(parse::sessions(&self.json("show bgp neighbors json")?))
    }

    fn routes(&self) -> Result<Vec<Route>> {
        let mut routes = Vec::new();
        for family in ["ipv4", "ipv6"] {
            let table = self.json(&format!("show bgp {family} unicast json detail"))?;
            routes.extend(parse::routes(&table));
        }
        Ok(routes)
    }

    fn cli(&self, command: &str) -> Result<String> {
        let mut vtysh = std::process::Command::new("vtysh");
        vtysh
            .arg("--vty_socket")
            .arg(&self.dir)
            .args(["-c", command]);
        exec::run(vtysh, Duration::from_secs(30))?
            .success()
            .with_context(|| format!("vtysh -c '{command}'"))
    }
}

fn prepare(dir: &Path, config: &RouterConfig) -> Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("zebra.conf"), "")?;
    fs::write(dir.join("bgpd.conf"), config::render(config)?)?;
    let (user, group) = account("frr")?;
    for path in [dir, &dir.join("zebra.conf"), &dir.join("bgpd.conf")] {
        chown(path, Some(user), Some(group))?;
    }
    Ok(())
}

fn daemon(namespace: &Namespace, dir: &Path, program: &str, extra: &[&str]) -> Result<Process> {
    let name = program.rsplit('/').next().unwrap_or(program);
    let path = |file: String| dir.join(file).to_string_lossy().into_owned();
    let mut arguments = vec![
        "-f".to_owned(),
        path(format!("{name}.conf")),
        "-i".to_owned(),
        path(format!("{name}.pid")),
        "-z".to_owned(),
        path("zserv.api".to_owned()),
        "--vty_socket".to_owned(),
        dir.to_string_lossy().into_owned(),
        "--log".to_owned(),
        "stdout".to_owned(),
    ];
    arguments.extend(extra.iter().map(|&argument| argument.to_owned()));
    Process::start(namespace, &Spec::new(name, program, arguments))
}

/// The user and group numbers of an account (passwd(5)).
fn account(name: &str) -> Result<(u32, u32)> {
    let accounts = fs::read_to_string("/etc/passwd")?;
    let found = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    found.with_context(|| format!("no user {name}: is the package installed?"))
}
