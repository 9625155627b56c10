// SPDX-License-Identifier: Apache-2.0
//! The state file on disk: two generations of it, replaced as a whole and made durable.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ferrolb_types::{Diagnostic, ObjectRef, codes};

use super::format::{Damage, Generation};

const CURRENT: &str = "addresses";
const PREVIOUS: &str = "addresses.previous";
const NEXT: &str = "addresses.new";

/// Where the generations lie.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// No generation at all: nothing was ever held.
    Fresh,
    /// The current generation.
    Current(Generation),
    /// The current generation is damaged or gone; this is the one before it.
    Previous(Generation, Box<Diagnostic>),
    /// There is a current or a previous generation, and neither can be read: what was held is unknown.
    Unknown(Box<Diagnostic>),
}

impl Store {
    /// The state in this directory, which is made if it is not there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// The state in this directory, for reading alone.
    #[must_use]
    pub fn reader(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// The path of the current generation.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(CURRENT)
    }

    /// Whether the current generation is not there (any more).
    #[must_use]
    pub fn is_missing(&self) -> bool {
        !self.path().exists()
    }

    /// Makes the directory, should it have vanished, but none above it: where the folder of manifests is
    /// gone, an empty one in its place would be an order to withdraw everything.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remake(&self) -> io::Result<()> {
        match fs::create_dir(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reads the newest generation that is whole.
    #[must_use]
    pub fn load(&self) -> Loaded {
        match (self.read(CURRENT), self.read(PREVIOUS)) {
            (Ok(Some(generation)), _) => Loaded::Current(generation),
            (Ok(None), Ok(None)) => Loaded::Fresh,
            (fault, Ok(Some(generation))) => {
                let cause = describe(CURRENT, &fault);
                Loaded::Previous(generation, Box::new(self.damaged(cause)))
            }
            (current, previous) => {
                let cause = [describe(CURRENT, &current), describe(PREVIOUS, &previous)].join("; ");
                Loaded::Unknown(Box::new(self.unknown(cause)))
            }
        }
    }

    /// Replaces the current generation; when this returns, the new one survives a power cut.
    ///
    /// # Errors
    /// What the file system says; the current generation is then still the old one.
    pub fn save(&self, generation: &Generation) -> io::Result<()> {
        let (current, previous, next) = (
            self.path(),
            self.directory.join(PREVIOUS),
            self.directory.join(NEXT),
        );
        let mut file = File::create(&next)?;
        file.write_all(generation.render().as_bytes())?;
        file.sync_all()?;
        // Only a whole generation may become the previous one, or a damaged current file would push
        // out the last one that can be read.
        if matches!(self.read(CURRENT), Ok(Some(_))) {
            remove_if_there(&previous)?;
            fs::hard_link(&current, &previous)?;
        }
        fs::rename(&next, &current)?;
        File::open(&self.directory)?.sync_all()
    }

    fn read(&self, name: &str) -> Result<Option<Generation>, Fault> {
        match fs::read_to_string(self.directory.join(name)) {
            Ok(text) => Generation::parse(&text).map(Some).map_err(Fault::Damage),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::Io(error.to_string())),
        }
    }

    fn damaged(&self, cause: String) -> Diagnostic {
        Diagnostic::error(
            codes::state::T001,
            self.object(),
            cause,
            "nothing, if the Services below hold their addresses; otherwise look what wrote to the file",
        )
        .warning()
    }

    fn unknown(&self, cause: String) -> Diagnostic {
        Diagnostic::error(
            codes::state::T002,
            self.object(),
            cause,
            "restore the file `addresses` from a copy, or delete `addresses` and `addresses.previous` \
             to say that nothing is held; until then no address is given out",
        )
    }

    fn object(&self) -> ObjectRef {
        ObjectRef::new("StateDirectory", "", self.directory.display().to_string())
    }
}

enum Fault {
    Damage(Damage),
    Io(String),
}

fn describe(name: &str, result: &Result<Option<Generation>, Fault>) -> String {
    match result {
        Ok(Some(_)) => format!("`{name}` is whole"),
        Ok(None) => format!("`{name}` is missing"),
        Err(Fault::Damage(damage)) => format!("`{name}` is damaged: {damage}"),
        Err(Fault::Io(error)) => format!("`{name}` cannot be read: {error}"),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::format::Held;
    use ferrolb_types::ServiceKey;

    fn generation(name: &str) -> Generation {
        let held = Held {
            addresses: vec!["192.0.2.1".parse().unwrap()],
            pool: None,
        };
        Generation {
            services: [(ServiceKey::new("default", name), held)]
                .into_iter()
                .collect(),
        }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("state")).unwrap();
        (directory, store)
    }

    #[test]
    fn nothing_written_is_fresh() {
        assert_eq!(store().1.load(), Loaded::Fresh);
    }

    #[test]
    fn a_damaged_current_file_falls_back_to_the_one_before() {
        let (_directory, store) = store();
        store.save(&generation("one")).unwrap();
        store.save(&generation("two")).unwrap();
        let text = fs::read_to_string(store.path()).unwrap();
        for length in 0..text.len() {
            fs::write(store.path(), &text[..length]).unwrap();
            let Loaded::Previous(got, diagnostic) = store.load() else {
                panic!("cut at {length}")
            };
            assert_eq!(
                (got, diagnostic.code),
                (generation("one"), codes::state::T001)
            );
        }
        // A save over a damaged file keeps the good previous generation.
        store.save(&generation("three")).unwrap();
        fs::write(store.path(), "").unwrap();
        assert!(matches!(store.load(), Loaded::Previous(got, _) if got == generation("one")));
    }

    #[test]
    fn with_both_damaged_what_is_held_is_unknown() {
        let (_directory, store) = store();
        store.save(&generation("one")).unwrap();
        fs::write(store.path(), "ferrolb-state 1\n").unwrap();
        assert!(matches!(store.load(), Loaded::Unknown(d) if d.code == codes::state::T002));
    }
}
