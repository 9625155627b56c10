// SPDX-License-Identifier: Apache-2.0
//! One controller at a time: an advisory lock on a file in the state directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use ferrolb_types::{Diagnostic, ObjectRef, codes};

const NAME: &str = "lock";

/// The lock, held for as long as this lives; the kernel gives it up with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of this state directory.
    ///
    /// # Errors
    /// `FLB-T003` when another process holds it, `FLB-T004` when the directory cannot be used.
    pub fn take(directory: &Path) -> Result<Self, Box<Diagnostic>> {
        let mut file = open(directory).map_err(|error| unusable(directory, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(directory, &mut file)),
            Err(TryLockError::Error(error)) => return Err(unusable(directory, &error)),
        }
        note_owner(&mut file).map_err(|error| unusable(directory, &error))?;
        Ok(Self { file })
    }

    /// Takes the lock anew where the directory was replaced under us: the old lock keeps nobody out.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub fn renew(&mut self, directory: &Path) -> Result<(), Box<Diagnostic>> {
        let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
        let there = std::fs::metadata(directory.join(NAME)).ok().map(identity);
        if there.is_none() || there != self.file.metadata().ok().map(identity) {
            *self = Self::take(directory)?;
        }
        Ok(())
    }
}

fn open(directory: &Path) -> io::Result<File> {
    std::fs::create_dir_all(directory)?;
    let path = directory.join(NAME);
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn note_owner(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn held(directory: &Path, file: &mut File) -> Box<Diagnostic> {
    let mut owner = String::new();
    // Without the owner's number the message is still right.
    let _ = file.read_to_string(&mut owner);
    Box::new(
        Diagnostic::error(
            codes::state::T003,
            ObjectRef::new("StateDirectory", "", directory.display().to_string()),
            "another controller holds this state directory",
            "stop the other process, or give this one a folder and a state directory of its own",
        )
        .value(format_args!("process {}", owner.trim())),
    )
}

/// The state directory cannot be used.
#[must_use]
pub fn unusable(directory: &Path, error: &io::Error) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(
        codes::state::T004,
        ObjectRef::new("StateDirectory", "", directory.display().to_string()),
        error.to_string(),
        "make the directory writable, or name another one with --state-dir",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let first = Lock::take(directory.path()).unwrap();
        let refusal = Lock::take(directory.path()).unwrap_err();
        assert_eq!(refusal.code, codes::state::T003);
        assert_eq!(
            refusal.value,
            Some(format!("process {}", std::process::id()))
        );
        drop(first);
        Lock::take(directory.path()).unwrap();
    }

    #[test]
    fn in_a_directory_made_anew_the_lock_is_taken_anew() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("state");
        let mut lock = Lock::take(&directory).unwrap();
        lock.renew(&directory).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        lock.renew(&directory).unwrap();
        let refusal = Lock::take(&directory).unwrap_err();
        assert_eq!(refusal.code, codes::state::T003);
        // Whoever was faster keeps it.
        std::fs::remove_dir_all(&directory).unwrap();
        let _other = Lock::take(&directory).unwrap();
        assert_eq!(lock.renew(&directory).unwrap_err().code, codes::state::T003);
    }
}
