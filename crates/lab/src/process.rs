// SPDX-License-Identifier: Apache-2.0
//! A long-lived child in a namespace: its log, its signals, its end.
//!
//! Each child leads its own process group, so that Ctrl-C at the terminal reaches the lab alone and
//! the lab ends its children in order, each by its own id.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{exec, netns::Namespace, wait};

/// How long a child may take to end after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// What to start.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// A name for the log file, unique in the namespace.
    pub name: String,
    /// The program: a path, or a name found on `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables added to its environment.
    pub environment: Vec<(String, String)>,
    /// A file for standard output alone; without it, output goes to the log.
    pub output: Option<PathBuf>,
}

impl Spec {
    /// A program with arguments, logging under `name`.
    pub fn new<A: Into<OsString>>(
        name: &str,
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

/// A running child; dropping it ends it.
pub struct Process {
    held: Arc<Held>,
    namespace: Namespace,
    name: String,
    log: PathBuf,
}

/// The part of a child that its run can end.
pub(crate) struct Held {
    pid: u32,
    child: Mutex<Child>,
}

impl Process {
    /// Starts a child inside a namespace.
    ///
    /// # Errors
    /// The program cannot be started, or the run is over.
    pub fn start(namespace: &Namespace, spec: &Spec) -> Result<Self> {
        let file = format!("{}-{}.log", namespace.host(), spec.name);
        let log = namespace.run().dir().join(file);
        let held = namespace.run().add_child(|| {
            let child = command(namespace, spec, &log)?
                .spawn()
                .with_context(|| format!("cannot start {:?}", spec.program))?;
            Ok(Held {
                pid: child.id(),
                child: Mutex::new(child),
            })
        })?;
        Ok(Self {
            held,
            namespace: namespace.clone(),
            name: spec.name.clone(),
            log,
        })
    }

    /// The process id, which is the program's own.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.held.pid
    }

    /// Where it runs.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Everything it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system cannot tell.
    pub fn ended(&self) -> Result<Option<ExitStatus>> {
        Ok(self.held.lock().try_wait()?)
    }

    /// Writes a line to its standard input.
    ///
    /// # Errors
    /// It has closed its input.
    pub fn tell(&self, line: &str) -> Result<()> {
        let mut child = self.held.lock();
        let stdin = child.stdin.as_mut().context("no standard input")?;
        writeln!(stdin, "{line}")?;
        Ok(stdin.flush()?)
    }

    /// Waits until a line of its log holds `text`.
    ///
    /// # Errors
    /// It ends or the time is up before; the message holds the log's end.
    pub fn wait_for_log(&self, text: &str, patience: Duration) -> Result<Duration> {
        self.wait_for(&format!("{text:?} in the log"), patience, || {
            Ok(self.log().contains(text))
        })
    }

    /// Waits until a condition holds while the process lives.
    ///
    /// # Errors
    /// It ends or the time is up before; the message holds the log's end.
    pub fn wait_for(
        &self,
        what: &str,
        patience: Duration,
        mut holds: impl FnMut() -> Result<bool>,
    ) -> Result<Duration> {
        let mut ended = None;
        let took = wait::until(what, patience, || {
            ended = self.ended()?;
            Ok(ended.is_some() || holds()?)
        });
        let at = || format!("{} in {}", self.name, self.namespace.host());
        match (took, ended) {
            (Ok(took), None) => Ok(took),
            (Ok(_), Some(status)) => bail!("{} ended ({status}):\n{}", at(), self.tail()),
            (Err(error), _) => Err(error.context(format!("{}:\n{}", at(), self.tail()))),
        }
    }

    /// Sends a signal by name, such as `TERM` or `STOP`.
    ///
    /// # Errors
    /// The process is gone.
    pub fn signal(&self, signal: &str) -> Result<()> {
        self.held.signal(signal)
    }

    /// Ends it at once (SIGKILL) and waits for it.
    ///
    /// # Errors
    /// The system cannot wait for it.
    pub fn kill(&self) -> Result<()> {
        let mut child = self.held.lock();
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM), waits, and says how it ended.
    ///
    /// # Errors
    /// It is still there after `patience`.
    pub fn terminate(&self, patience: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        self.signal("TERM")?;
        wait::arrival("its end", patience, || self.ended()).map(|(status, _)| status)
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let skipped = lines.len().saturating_sub(20);
        lines.get(skipped..).unwrap_or_default().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.held.stop(Instant::now() + GRACE);
        self.namespace.run().forget_child(&self.held);
    }
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let child = self.lock();
        let mut kill = Command::new("kill");
        kill.args([format!("-{signal}"), child.id().to_string()]);
        exec::run(kill, exec::PATIENCE)?.success().map(drop)
    }

    fn alive(&self) -> bool {
        matches!(self.lock().try_wait(), Ok(None))
    }

    /// Asks it to end, and kills it when it still lives at the deadline.
    fn stop(&self, deadline: Instant) {
        if self.alive() {
            // A frozen process would not see SIGTERM.
            let _ = self.signal("CONT");
            let _ = self.signal("TERM");
        }
        while self.alive() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        let mut child = self.lock();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Ends many children in the time one may take.
pub(crate) fn stop_all(children: &[Arc<Held>]) {
    for child in children.iter().filter(|child| child.alive()) {
        let _ = child.signal("CONT");
        let _ = child.signal("TERM");
    }
    let deadline = Instant::now() + GRACE;
    for child in children {
        child.stop(deadline);
    }
}

fn command(namespace: &Namespace, spec: &Spec, log: &Path) -> Result<Command> {
    let log = open(log)?;
    let output = match &spec.output {
        Some(path) => open(path)?,
        None => log.try_clone()?,
    };
    let mut command = namespace.command(&spec.program);
    command
        .args(&spec.arguments)
        .envs(spec.environment.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(log)
        .process_group(0);
    Ok(command)
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}
