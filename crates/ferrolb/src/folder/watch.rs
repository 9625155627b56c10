// SPDX-License-Identifier: Apache-2.0
//! Tells when something below a path may have changed: at once where the kernel says so, and every
//! second in any case, since a folder may vanish, come back, or lie on a file system without events.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use notify::{
    Event, EventKind, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};

/// How long to go without looking when the kernel tells nothing.
const LOOK_ANYWAY: Duration = Duration::from_secs(1);
/// How long to wait for the rest of a burst, for one save makes several events.
const SETTLE: Duration = Duration::from_millis(5);

/// A running watch.
#[derive(Debug)]
pub struct Watcher {
    paths: Vec<PathBuf>,
    events: Receiver<()>,
    watching: Vec<PathBuf>,
    inner: Option<notify::RecommendedWatcher>,
}

/// Watches folders with all that is below them.
#[must_use]
pub fn watch(paths: &[&Path]) -> Watcher {
    let (tell, events) = channel();
    let inner = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Reading is no change: it would wake the reader for ever.
        if event.is_ok_and(|event| event.kind.is_access() && !is_written(event.kind)) {
            return;
        }
        // Nobody listens any more when the process is about to end.
        let _ = tell.send(());
    });
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let mut watcher = Watcher {
        paths,
        events,
        watching: Vec::new(),
        inner: inner.ok(),
    };
    watcher.attach();
    watcher
}

/// Whether a file was closed that had been open for writing.
fn is_written(kind: EventKind) -> bool {
    kind == EventKind::Access(AccessKind::Close(AccessMode::Write))
}

impl Watcher {
    /// Waits until something may have changed.
    pub fn wait(&mut self) {
        match self.events.recv_timeout(LOOK_ANYWAY) {
            Ok(()) => self.settle(),
            Err(RecvTimeoutError::Timeout) => self.attach(),
            // The kernel's watch ended: looking every second remains.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK_ANYWAY),
        }
    }

    fn settle(&self) {
        std::thread::sleep(SETTLE);
        while self.events.try_recv().is_ok() {}
    }

    /// (Re)attaches to paths that were missing, or that vanished since.
    fn attach(&mut self) {
        let Some(inner) = &mut self.inner else { return };
        for path in &self.paths {
            let watched = self.watching.contains(path);
            match (path.exists(), watched) {
                (true, false) if inner.watch(path, RecursiveMode::Recursive).is_ok() => {
                    self.watching.push(path.clone());
                }
                (false, true) => {
                    // The kernel dropped the watch with the folder; this only forgets it here.
                    let _ = inner.unwatch(path);
                    self.watching.retain(|p| p != path);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_reader_does_not_wake_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        fs::write(&file, "a").unwrap();
        let watcher = watch(&[folder.path()]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "a");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // The kernel tells in order: had reading been told, it would come before this.
        fs::write(&file, "b").unwrap();
        let patience = Duration::from_secs(30);
        watcher.events.recv_timeout(patience).unwrap();
        watcher.settle();
        fs::read(&file).unwrap();
        std::thread::sleep(SETTLE * 20);
        assert_eq!(watcher.events.try_iter().count(), 0);
    }
}
