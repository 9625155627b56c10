// SPDX-License-Identifier: Apache-2.0
//! A network namespace: a host of the lab.
//!
//! Commands enter it with `nsenter`, which replaces itself by the command: the child's process id is
//! the daemon's own. Threads enter it themselves ([`Namespace::enter`]). The program's own namespace
//! can be used as one too, for what needs no more than its loopback; nothing is ever set there.

use std::{
    ffi::OsStr, fs::File, os::fd::AsFd, path::Path, process::Command, sync::Arc, time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::{
    exec::{self, Captured, PATIENCE},
    run::{NETNS_DIR, Run},
};

/// A handle on a namespace; clones share it. The last one dropped deletes the namespace.
#[derive(Clone)]
pub struct Namespace {
    inner: Arc<Inner>,
}

struct Inner {
    run: Run,
    host: String,
    /// None: the program's own.
    name: Option<String>,
}

impl Namespace {
    /// Makes a namespace for the host `host` with its loopback up and duplicate address detection off.
    ///
    /// # Errors
    /// The namespace cannot be made (not root, or the run is over).
    pub fn create(run: &Run, host: &str) -> Result<Self> {
        let name = run.add_namespace(host)?;
        let namespace = Self {
            inner: Arc::new(Inner {
                run: run.clone(),
                host: host.to_owned(),
                name: Some(name),
            }),
        };
        namespace.ip_batch("link set lo up")?;
        namespace.sysctl(&[
            // Tests begin at once instead of a second later.
            ("net.ipv6.conf.all.accept_dad", "0"),
            ("net.ipv6.conf.default.accept_dad", "0"),
            ("net.ipv6.conf.default.dad_transmits", "0"),
            ("net.ipv6.conf.default.accept_ra", "0"),
        ])?;
        Ok(namespace)
    }

    /// The namespace this program runs in, under the name `host` in the run's files. It lends its
    /// loopback; its network is not the lab's to change.
    #[must_use]
    pub fn own(run: &Run, host: &str) -> Self {
        Self {
            inner: Arc::new(Inner {
                run: run.clone(),
                host: host.to_owned(),
                name: None,
            }),
        }
    }

    /// Whether it is the program's own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.inner.name.is_none()
    }

    /// Moves the calling thread, and no other, into the namespace: the sockets it makes from now on
    /// belong there, whoever uses them.
    ///
    /// # Errors
    /// The namespace is gone.
    pub fn enter(&self) -> Result<()> {
        let Some(name) = &self.inner.name else {
            return Ok(());
        };
        let file = File::open(Path::new(NETNS_DIR).join(name))?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .with_context(|| format!("cannot enter {name}"))
    }

    /// The host's short name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.inner.host
    }

    /// The namespace's full name, as `ip netns` shows it; empty for the program's own.
    #[must_use]
    pub fn name(&self) -> &str {
        self.inner.name.as_deref().unwrap_or_default()
    }

    /// The run it belongs to.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.inner.run
    }

    /// A command that will run inside.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let Some(name) = &self.inner.name else {
            return Command::new(program);
        };
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={NETNS_DIR}/{name}"))
            .arg("--")
            .arg(program);
        command
    }

    /// Runs a command inside to its end, whatever its exit code.
    ///
    /// # Errors
    /// It cannot be started, or does not end within `patience`.
    pub fn capture(
        &self,
        program: &str,
        arguments: &[&str],
        patience: Duration,
    ) -> Result<Captured> {
        let mut command = self.command(program);
        command.args(arguments);
        exec::run(command, patience)
    }

    /// Runs a command inside and returns its output.
    ///
    /// # Errors
    /// It fails, or does not end within [`PATIENCE`].
    pub fn exec(&self, program: &str, arguments: &[&str]) -> Result<String> {
        self.capture(program, arguments, PATIENCE)?
            .success()
            .with_context(|| format!("{program} {} in {}", arguments.join(" "), self.host()))
    }

    /// Runs `ip` with these arguments, split at spaces, and returns its output.
    ///
    /// # Errors
    /// As [`Namespace::exec`].
    pub fn ip(&self, arguments: &str) -> Result<String> {
        self.changeable()?;
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        self.exec("ip", &arguments)
    }

    /// Runs many `ip` commands, one a line, in one process.
    ///
    /// # Errors
    /// One fails; those after it are not run.
    pub fn ip_batch(&self, lines: &str) -> Result<()> {
        self.changeable()?;
        let mut command = self.command("ip");
        command.args(["-batch", "-"]);
        exec::run_with_input(command, lines, PATIENCE)?
            .success()
            .with_context(|| format!("ip commands in {}:\n{lines}", self.host()))?;
        Ok(())
    }

    /// Sets kernel parameters of this namespace.
    ///
    /// # Errors
    /// The kernel refuses one.
    pub fn sysctl(&self, settings: &[(&str, &str)]) -> Result<()> {
        self.changeable()?;
        let mut arguments = vec!["-qw".to_owned()];
        arguments.extend(
            settings
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.exec("sysctl", &arguments).map(drop)
    }

    fn changeable(&self) -> Result<()> {
        if self.is_own() {
            bail!("the machine's own network is not the lab's to change");
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            self.run.remove_namespace(name);
        }
    }
}
