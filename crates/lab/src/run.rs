// SPDX-License-Identifier: Apache-2.0
//! One run of the lab: the owner of all its namespaces, processes and files.
//!
//! Everything a run makes bears its label `flb-<process id>-<start time of that process>-<number>`.
//! The process id and start time name the owner beyond doubt, so several runs coexist and the next
//! run can clear what a killed one left ([`clear_leftovers`]), without ever touching a living one's.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, id},
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context, Result, bail};

use crate::{
    exec,
    process::{Held, stop_all},
};

/// The first part of every name the lab gives.
pub const PREFIX: &str = "flb";

/// Where iproute2 keeps the names of namespaces.
pub const NETNS_DIR: &str = "/run/netns";

static SWEPT: Once = Once::new();
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A handle on a run; clones share it. The last one dropped closes the run.
#[derive(Clone)]
pub struct Run {
    inner: Arc<Inner>,
}

struct Inner {
    label: String,
    dir: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    closed: bool,
    namespaces: Vec<String>,
    children: Vec<Arc<Held>>,
}

impl Run {
    /// Begins a run. The first one of a process clears what dead runs left.
    ///
    /// # Errors
    /// The folder for its files cannot be made.
    pub fn new() -> Result<Self> {
        SWEPT.call_once(|| {
            // A leftover that cannot be cleared must not stop new work.
            let _ = clear_leftovers();
        });
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let label = format!("{}-{number}", owner_label(id())?);
        let dir = std::env::temp_dir().join(&label);
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        // Router daemons drop their privileges and still have to reach their files.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755))?;
        Ok(Self {
            inner: Arc::new(Inner {
                label,
                dir,
                kept: Mutex::default(),
            }),
        })
    }

    /// The first part of the names of this run's namespaces.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.inner.label
    }

    /// The run's folder, removed at its end.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Ends every process, deletes every namespace and file. May be called twice and from another
    /// thread; making anything afterwards fails.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Makes a namespace under this run's care and returns its full name.
    pub(crate) fn add_namespace(&self, host: &str) -> Result<String> {
        let name = format!("{}-{host}", self.inner.label);
        let mut kept = self.inner.open()?;
        exec::run(ip(&["netns", "add", &name]), exec::PATIENCE)?.success()?;
        kept.namespaces.push(name.clone());
        Ok(name)
    }

    pub(crate) fn remove_namespace(&self, name: &str) {
        let mut kept = self.inner.lock();
        let before = kept.namespaces.len();
        kept.namespaces.retain(|other| other != name);
        if kept.namespaces.len() < before {
            delete_namespace(name);
        }
    }

    /// Starts a child under this run's care; `start` is called only while the run is open.
    pub(crate) fn add_child(&self, start: impl FnOnce() -> Result<Held>) -> Result<Arc<Held>> {
        let mut kept = self.inner.open()?;
        let child = Arc::new(start()?);
        kept.children.push(Arc::clone(&child));
        Ok(child)
    }

    pub(crate) fn forget_child(&self, child: &Arc<Held>) {
        let mut kept = self.inner.lock();
        kept.children.retain(|other| !Arc::ptr_eq(other, child));
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, Kept>> {
        let kept = self.lock();
        if kept.closed {
            bail!("the run {} is over", self.label);
        }
        Ok(kept)
    }

    fn close(&self) {
        let mut kept = self.lock();
        kept.closed = true;
        stop_all(&std::mem::take(&mut kept.children));
        for name in std::mem::take(&mut kept.namespaces) {
            delete_namespace(&name);
        }
        if std::env::var_os("FERROLB_LAB_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Deletes the namespaces, processes and folders of runs whose process is gone.
///
/// # Errors
/// The names of namespaces cannot be read.
pub fn clear_leftovers() -> Result<()> {
    for name in names_in(Path::new(NETNS_DIR))? {
        if is_dead(&name) {
            delete_namespace(&name);
        }
    }
    for name in names_in(&std::env::temp_dir())? {
        if is_dead(&name) {
            let _ = fs::remove_dir_all(std::env::temp_dir().join(name));
        }
    }
    Ok(())
}

/// The names of the namespaces that belong to the process `pid`.
///
/// # Errors
/// The names of namespaces cannot be read.
pub fn namespaces_of(pid: u32) -> Result<Vec<String>> {
    let start = format!("{PREFIX}-{pid}-");
    let names = names_in(Path::new(NETNS_DIR))?;
    Ok(names
        .into_iter()
        .filter(|name| name.starts_with(&start))
        .collect())
}

/// The processes that are in a namespace.
///
/// # Errors
/// `ip netns pids` fails.
pub fn processes_in(namespace: &str) -> Result<Vec<u32>> {
    let out = exec::run(ip(&["netns", "pids", namespace]), exec::PATIENCE)?.success()?;
    Ok(out
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect())
}

fn owner_label(pid: u32) -> Result<String> {
    let start = start_time(pid).with_context(|| format!("no process {pid}"))?;
    Ok(format!("{PREFIX}-{pid}-{start:x}"))
}

/// When a process started, in clock ticks since boot (proc(5), field 22 of `stat`).
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name may hold spaces and brackets: count from its closing one.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

fn is_dead(name: &str) -> bool {
    let mut parts = name.split('-');
    let (Some(PREFIX), Some(pid), Some(start)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (Ok(pid), Ok(start)) = (pid.parse(), u64::from_str_radix(start, 16)) else {
        return false;
    };
    start_time(pid) != Some(start)
}

fn names_in(dir: &Path) -> Result<Vec<String>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect())
}

fn delete_namespace(name: &str) {
    for pid in processes_in(name).unwrap_or_default() {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", &pid.to_string()]);
        let _ = exec::run(kill, exec::PATIENCE);
    }
    let _ = exec::run(ip(&["netns", "del", name]), exec::PATIENCE);
}

fn ip(arguments: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_dead_owners_are_dead() {
        let own = owner_label(id()).unwrap();
        let cases = [
            (format!("{own}-1-n1"), false),
            (format!("{PREFIX}-{}-0-1-n1", id()), true),
            (format!("{PREFIX}-4294967295-5f-1-n1"), true),
            (format!("{PREFIX}-word-5f-1-n1"), false),
            ("flb".to_owned(), false),
            ("other-1-2-3".to_owned(), false),
        ];
        for (name, dead) in cases {
            assert_eq!(is_dead(&name), dead, "{name}");
        }
    }
}
