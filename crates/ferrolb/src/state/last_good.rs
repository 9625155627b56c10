// SPDX-License-Identifier: Apache-2.0
//! The last text of each manifest file that had no fault, so that a restart remembers it.
//!
//! A file that was broken while the process ran keeps its last good content in memory. When the process
//! starts anew it reads this copy first and the file as it is now afterwards, and stands where it stood.
//! Commands that tell what a process does read the newest copies of all processes in the same way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use crate::folder::{Content, FileChange};

const DIRECTORY: &str = "last-good";

/// The copies of one process, a file each: the path inside the folder of manifests on the first line, the
/// text after it.
#[derive(Debug)]
pub struct LastGood {
    directory: PathBuf,
    folder: PathBuf,
}

impl LastGood {
    /// The copies of the process called `name` in this state directory, of the manifests in `folder`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(state_dir: &Path, name: &str, folder: &Path) -> io::Result<Self> {
        let directory = state_dir.join(DIRECTORY).join(name);
        fs::create_dir_all(&directory)?;
        Ok(Self {
            directory,
            folder: folder.to_owned(),
        })
    }

    /// Every copy, by the path of its file.
    ///
    /// # Errors
    /// The directory cannot be read; a single copy that cannot be is passed over.
    pub fn load(&self) -> io::Result<BTreeMap<PathBuf, String>> {
        let mut copies = BTreeMap::new();
        for entry in fs::read_dir(&self.directory)? {
            copies.extend(read(&entry?.path(), &self.folder));
        }
        Ok(copies)
    }

    /// The copies of those files that are still there.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn of(&self, present: &[FileChange]) -> io::Result<Vec<FileChange>> {
        Ok(still_there(self.load()?, present))
    }

    /// The newest copies that any process keeps in this state directory, of those files that are still
    /// there. What the reader may not read is passed over.
    #[must_use]
    pub fn newest(state_dir: &Path, folder: &Path, present: &[FileChange]) -> Vec<FileChange> {
        let mut newest: BTreeMap<PathBuf, (SystemTime, String)> = BTreeMap::new();
        for copy in entries(&state_dir.join(DIRECTORY))
            .iter()
            .flat_map(|d| entries(d))
        {
            let written = fs::metadata(&copy).and_then(|meta| meta.modified());
            let (Ok(written), Some((path, text))) = (written, read(&copy, folder)) else {
                continue;
            };
            if newest
                .get(&path)
                .is_none_or(|(before, _)| *before < written)
            {
                newest.insert(path, (written, text));
            }
        }
        let copies = newest.into_iter().map(|(path, (_, text))| (path, text));
        still_there(copies.collect(), present)
    }

    /// Keeps this text for the file.
    ///
    /// # Errors
    /// What the file system says; the copy from before is then still there.
    pub fn keep(&self, path: &Path, text: &str) -> io::Result<()> {
        let copy = self.copy_of(path);
        let next = copy.with_extension("new");
        // Manifests may hold passwords.
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&next)?;
        io::Write::write_all(
            &mut file,
            format!("{}\n{text}", self.inside(path).display()).as_bytes(),
        )?;
        fs::rename(next, copy)
    }

    /// Forgets a file that is gone.
    ///
    /// # Errors
    /// What the file system says.
    pub fn forget(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(self.copy_of(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The path inside the folder: how the folder itself is called may differ from start to start.
    fn inside<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.folder).unwrap_or(path)
    }

    fn copy_of(&self, path: &Path) -> PathBuf {
        let digest = Sha256::digest(self.inside(path).display().to_string().as_bytes());
        let name: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.directory.join(name)
    }
}

/// The path of the file, and its text.
fn read(copy: &Path, folder: &Path) -> Option<(PathBuf, String)> {
    let copy = fs::read_to_string(copy).ok()?;
    let (path, text) = copy.split_once('\n')?;
    Some((folder.join(path), text.to_owned()))
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(directory).into_iter().flatten();
    listing
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

fn still_there(copies: BTreeMap<PathBuf, String>, present: &[FileChange]) -> Vec<FileChange> {
    let present: BTreeSet<&Path> = present.iter().map(|file| file.path.as_path()).collect();
    let copies = copies
        .into_iter()
        .filter(|(path, _)| present.contains(path.as_path()));
    let change = |(path, text)| FileChange {
        path,
        content: Content::Text(text),
    };
    copies.map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_come_back_by_path() {
        let directory = tempfile::tempdir().unwrap();
        let copies = LastGood::open(directory.path(), "n1", Path::new("d")).unwrap();
        copies.keep(Path::new("d/a.yaml"), "a: 1\nb: 2\n").unwrap();
        copies.keep(Path::new("d/b.yaml"), "x").unwrap();
        copies.keep(Path::new("d/b.yaml"), "y").unwrap();
        copies.forget(Path::new("d/gone.yaml")).unwrap();
        let loaded = LastGood::open(directory.path(), "n1", Path::new("d"))
            .unwrap()
            .load()
            .unwrap();
        let want = [("d/a.yaml", "a: 1\nb: 2\n"), ("d/b.yaml", "y")];
        assert_eq!(
            loaded,
            want.map(|(path, text)| (path.into(), text.to_owned()))
                .into()
        );
        copies.forget(Path::new("d/a.yaml")).unwrap();
        assert_eq!(copies.load().unwrap().len(), 1);
    }

    #[test]
    fn the_newest_copy_of_any_process_counts() {
        let directory = tempfile::tempdir().unwrap();
        let open = |name| LastGood::open(directory.path(), name, Path::new("d")).unwrap();
        open("n1").keep(Path::new("d/a.yaml"), "new").unwrap();
        open("n2").keep(Path::new("d/a.yaml"), "old").unwrap();
        open("n2").keep(Path::new("d/gone.yaml"), "x").unwrap();
        let old = fs::File::open(open("n2").copy_of(Path::new("d/a.yaml"))).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let present = [FileChange {
            path: "/else/where/d/a.yaml".into(),
            content: Content::Gone,
        }];
        let newest = LastGood::newest(directory.path(), Path::new("/else/where/d"), &present);
        assert!(
            matches!(&newest[..], [FileChange { content: Content::Text(text), .. }] if text == "new"),
            "{newest:?}"
        );
        assert_eq!(open("n2").of(&present).unwrap().len(), 0);
    }
}
