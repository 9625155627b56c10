// SPDX-License-Identifier: Apache-2.0
//! The threads that follow the folder and the state file.
//!
//! Files are read on threads of their own: a slow disk delays no packet. Each channel holds one
//! message, so that whoever is behind gets the newest next.

use std::{io, path::Path, thread};

use tokio::sync::mpsc;

use crate::{
    folder::{FileChange, Scanner, watch},
    state::{Loaded, Store},
};

/// What a look at the folder gave.
pub(super) type Scan = io::Result<Vec<FileChange>>;

/// Follows a folder with a scanner that has made its first scan.
///
/// # Errors
/// The system has no thread to give.
pub(super) fn follow_folder(
    folder: &Path,
    mut scanner: Scanner,
) -> io::Result<mpsc::Receiver<Scan>> {
    let (tell, told) = mpsc::channel(1);
    let mut watcher = watch(&[folder]);
    scanner.be_patient();
    thread::Builder::new()
        .name("folder".into())
        .spawn(move || {
            let mut failed = false;
            loop {
                let scan = scanner.scan();
                // A folder that came back as it went is news too.
                let something = failed || scan.as_ref().map_or(true, |files| !files.is_empty());
                failed = scan.is_err();
                if something && tell.blocking_send(scan).is_err() {
                    return;
                }
                match scanner.pause() {
                    Some(pause) => thread::sleep(pause),
                    None => watcher.wait(),
                }
            }
        })?;
    Ok(told)
}

/// Follows the state file.
///
/// # Errors
/// The system has no thread to give.
pub(super) fn follow_state(state_dir: &Path) -> io::Result<mpsc::Receiver<Loaded>> {
    let (tell, told) = mpsc::channel(1);
    let store = Store::reader(state_dir);
    let mut watcher = watch(&[state_dir]);
    thread::Builder::new().name("state".into()).spawn(move || {
        let mut last = None;
        loop {
            let loaded = store.load();
            if last.as_ref() != Some(&loaded) {
                last = Some(loaded.clone());
                if tell.blocking_send(loaded).is_err() {
                    return;
                }
            }
            watcher.wait();
        }
    })?;
    Ok(told)
}
