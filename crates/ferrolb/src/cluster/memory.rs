// SPDX-License-Identifier: Apache-2.0
//! The last good versions of configuration objects, in a file, so that a restart in the middle of a
//! mistake goes on with what was good.
//!
//! It holds passwords of peers, as the API server does: its owner alone may read it. Without a directory
//! they are remembered as long as the process lives.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use ferrolb_config::compile::LastGood;
use ferrolb_types::codes;
use tokio::sync::watch;

const FILE: &str = "last-good.json";
const NEXT: &str = "last-good.json.new";

/// Where last good versions are kept. A clone remembers the same.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    directory: Option<PathBuf>,
    newest: watch::Sender<Option<LastGood>>,
}

impl Memory {
    /// In this directory, if there is one; written by a task of its own, the newest version each time.
    pub(super) fn start(directory: Option<PathBuf>) -> Self {
        let (newest, versions) = watch::channel(None);
        if let Some(directory) = directory.clone() {
            tokio::spawn(keep_writing(directory, versions));
        }
        Self { directory, newest }
    }

    /// What this process remembered, or else an earlier one.
    pub(super) fn read(&self) -> LastGood {
        if let Some(newest) = &*self.newest.borrow() {
            return newest.clone();
        }
        let Some(directory) = &self.directory else {
            return LastGood::default();
        };
        let read = || -> io::Result<LastGood> {
            match fs::read(directory.join(FILE)) {
                Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(LastGood::default()),
                Err(error) => Err(error),
            }
        };
        read().unwrap_or_else(|error| {
            // The text of a JSON error tells places, not contents.
            tracing::warn!(%error, code = %codes::state::T005, "the last good versions cannot be read");
            LastGood::default()
        })
    }

    /// Remembers this version, soon.
    pub(super) fn write(&self, last_good: &LastGood) {
        self.newest.send_replace(Some(last_good.clone()));
    }
}

async fn keep_writing(directory: PathBuf, mut versions: watch::Receiver<Option<LastGood>>) {
    while versions.changed().await.is_ok() {
        let newest = versions.borrow_and_update().clone();
        let place = directory.clone();
        let write = move || replace(&place, &serde_json::to_vec(&newest)?);
        let written = tokio::task::spawn_blocking(write).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, directory = %directory.display(), "the last good versions are not kept");
        }
    }
}

fn replace(directory: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let next = directory.join(NEXT);
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&next, directory.join(FILE))?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::MetadataExt as _, time::Duration};

    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_by_the_next_process_and_by_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let place = Some(directory.path().join("state"));
        let text = r#"{"pools": {"a": {"metadata": {"name": "a"}, "spec": {"addresses": ["192.0.2.0/24"]}}}}"#;
        let last_good: LastGood = serde_json::from_str(text).unwrap();
        Memory::start(place.clone()).write(&last_good);
        let file = directory.path().join("state").join(FILE);
        let mut tries = 0;
        while !file.exists() && tries < 100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            tries += 1;
        }
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        let read = Memory::start(place).read();
        assert_eq!(format!("{read:?}"), format!("{last_good:?}"));
    }

    #[tokio::test]
    async fn without_a_directory_the_process_itself_remembers() {
        let memory = Memory::start(None);
        let text = r#"{"pools": {"a": {"metadata": {"name": "a"}}}}"#;
        let last_good: LastGood = serde_json::from_str(text).unwrap();
        memory.write(&last_good);
        assert_eq!(format!("{:?}", memory.read()), format!("{last_good:?}"));
    }

    #[tokio::test]
    async fn a_damaged_file_is_as_none() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "{\"pools\":").unwrap();
        let memory = Memory::start(Some(directory.path().to_owned()));
        assert_eq!(
            format!("{:?}", memory.read()),
            format!("{:?}", LastGood::default())
        );
    }
}
