// SPDX-License-Identifier: Apache-2.0
//! Finds the manifests of a folder and reads those that changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sha2::{Digest as _, Sha256};

/// A file larger than this is refused unread: no manifest comes near it.
const LARGEST_FILE: u64 = 64 << 20;
/// A file that changed so recently may change again without its times showing it.
const RACY: Duration = Duration::from_secs(2);
/// How long a file must be left alone before a running process reads it: many programs empty a file
/// before they write it anew, and what stood in it is not to be taken for deleted meanwhile.
const QUIET: Duration = Duration::from_millis(50);
/// How often to read a file anew that is replaced under our hands.
const ATTEMPTS: usize = 5;

/// What became of a file since the last scan.
#[derive(Debug)]
pub struct FileChange {
    /// Its path, beginning with the folder's.
    pub path: PathBuf,
    /// What it holds now.
    pub content: Content,
}

/// What a file holds.
#[derive(Debug)]
pub enum Content {
    /// This text.
    Text(String),
    /// The file is gone.
    Gone,
    /// The file is there and cannot be read, for this reason.
    Unreadable(String),
}

/// Remembers what it read, so that the next scan tells the difference.
#[derive(Debug)]
pub struct Scanner {
    roots: Vec<PathBuf>,
    skip: Option<PathBuf>,
    known: BTreeMap<PathBuf, Known>,
    patient: bool,
    restless: bool,
    /// Files that the last scan missed.
    missed: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct Known {
    signature: Option<Signature>,
    read_at: SystemTime,
    /// SHA-256 of what was told, so that nothing is told twice.
    told: [u8; 32],
}

/// What tells one content of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signature {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Signature {
    fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

impl Scanner {
    /// Scans files and folders, passing over the folder `skip` (the state directory).
    #[must_use]
    pub fn new(roots: Vec<PathBuf>, skip: Option<&Path>) -> Self {
        let skip = skip.map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        Self {
            roots,
            skip,
            known: BTreeMap::new(),
            patient: false,
            restless: false,
            missed: BTreeSet::new(),
        }
    }

    /// From now on passes over a file that is being written or replaced; [`Self::pause`] says when to look again.
    pub fn be_patient(&mut self) {
        self.patient = true;
    }

    /// How soon to scan again because the last scan passed over a file that is being written.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        self.restless.then_some(QUIET)
    }

    /// Reads every manifest that is new or changed since the last scan, and tells which are gone.
    ///
    /// # Errors
    /// A root cannot be read: then nothing is said to have changed, for a folder that vanished is no
    /// order to withdraw everything.
    pub fn scan(&mut self) -> io::Result<Vec<FileChange>> {
        self.restless = false;
        // Manifests, and folders that cannot be listed: what lies below those is not known to be gone.
        let mut files = BTreeSet::new();
        for root in &self.roots {
            let mut visited = BTreeSet::new();
            find(root, self.skip.as_deref(), &mut visited, &mut files, true)?;
        }
        Ok(self.changes(files))
    }

    fn changes(&mut self, files: BTreeSet<PathBuf>) -> Vec<FileChange> {
        let mut changes: Vec<FileChange> = self
            .gone(&files)
            .into_iter()
            .map(|path| FileChange {
                path,
                content: Content::Gone,
            })
            .collect();
        for change in &changes {
            self.known.remove(&change.path);
        }
        changes.extend(
            files
                .into_iter()
                .filter_map(|path| self.read_if_changed(path)),
        );
        changes
    }

    /// The files that were there and are not. A patient scanner believes it at the second look: many
    /// programs remove a file before they write it anew.
    fn gone(&mut self, files: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
        let is_missing = |path: &&PathBuf| !path.ancestors().any(|path| files.contains(path));
        let missing: BTreeSet<PathBuf> = self.known.keys().filter(is_missing).cloned().collect();
        if !self.patient {
            return missing.into_iter().collect();
        }
        let before = std::mem::replace(&mut self.missed, missing);
        let (gone, doubtful) = self
            .missed
            .iter()
            .cloned()
            .partition(|path| before.contains(path));
        let doubtful: Vec<PathBuf> = doubtful;
        self.restless |= !doubtful.is_empty();
        gone
    }

    fn read_if_changed(&mut self, path: PathBuf) -> Option<FileChange> {
        let signature = fs::metadata(&path).ok().map(|meta| Signature::of(&meta));
        if let Some(known) = self.known.get(&path)
            && known.signature == signature
            && !racy(signature, known.read_at)
        {
            return None;
        }
        let read_at = SystemTime::now();
        if self.patient && touched_within(signature, read_at, QUIET) {
            self.restless = true;
            return None;
        }
        let (signature, content) = read(&path);
        let known = Known {
            signature,
            read_at,
            told: digest(&content),
        };
        let told = known.told;
        let before = self.known.insert(path.clone(), known);
        let is_news = before.is_none_or(|before| before.told != told);
        is_news.then_some(FileChange { path, content })
    }
}

fn digest(content: &Content) -> [u8; 32] {
    let (mark, text) = match content {
        Content::Text(text) => ("text", text.as_str()),
        Content::Gone => ("gone", ""),
        Content::Unreadable(why) => ("unreadable", why.as_str()),
    };
    Sha256::new()
        .chain_update(mark)
        .chain_update([0])
        .chain_update(text)
        .finalize()
        .into()
}

/// Whether the file may have changed after it was read without its times telling so.
fn racy(signature: Option<Signature>, read_at: SystemTime) -> bool {
    let touched = signature.and_then(last_touched);
    touched.is_some_and(|touched| {
        read_at
            .duration_since(touched)
            .map_or(true, |age| age < RACY)
    })
}

/// Whether the file was touched in the time just before `now`. One from the future was not: a clock is wrong.
fn touched_within(signature: Option<Signature>, now: SystemTime, time: Duration) -> bool {
    let touched = signature.and_then(last_touched);
    touched.is_some_and(|touched| now.duration_since(touched).is_ok_and(|age| age < time))
}

fn last_touched(signature: Signature) -> Option<SystemTime> {
    let (seconds, nanoseconds) = signature.modified.max(signature.changed);
    let since_epoch = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since_epoch)
}

/// Reads a file whose identity and times are the same before and after.
fn read(path: &Path) -> (Option<Signature>, Content) {
    let mut last = (
        None,
        Content::Unreadable("it changes faster than it can be read".into()),
    );
    for _ in 0..ATTEMPTS {
        match read_once(path) {
            Ok((before, after, text)) if before == after => {
                return (Some(after), Content::Text(text));
            }
            Ok((_, after, _)) => last.0 = Some(after),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (None, Content::Gone),
            Err(error) => {
                let signature = fs::metadata(path).ok().map(|meta| Signature::of(&meta));
                return (signature, Content::Unreadable(error.to_string()));
            }
        }
    }
    last
}

fn read_once(path: &Path) -> io::Result<(Signature, Signature, String)> {
    let meta = fs::metadata(path)?;
    if meta.is_dir() {
        fs::read_dir(path)?;
        return Err(io::Error::other("the folder cannot be listed"));
    }
    if meta.len() > LARGEST_FILE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "it has {} bytes, more than the {LARGEST_FILE} a file may have",
                meta.len()
            ),
        ));
    }
    let bytes = fs::read(path)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))?;
    Ok((
        Signature::of(&meta),
        Signature::of(&fs::metadata(path)?),
        text,
    ))
}

/// Collects the manifests below `path`. A root that cannot be read is an error. Below it, whatever
/// vanishes between listing and looking is simply not there, and a folder that cannot be listed stands
/// in the place of its files.
fn find(
    path: &Path,
    skip: Option<&Path>,
    visited: &mut BTreeSet<PathBuf>,
    files: &mut BTreeSet<PathBuf>,
    root: bool,
) -> io::Result<()> {
    let meta = fs::metadata(path)?;
    if meta.is_file() {
        if root || is_manifest(path) {
            files.insert(path.to_owned());
        }
        return Ok(());
    }
    if !meta.is_dir() {
        return Ok(());
    }
    let canonical = fs::canonicalize(path)?;
    // A folder seen before is a loop of symbolic links, or a second way to the same files.
    if skip == Some(canonical.as_path()) || !visited.insert(canonical) {
        return Ok(());
    }
    let listing = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut entries = listing.collect::<io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    for entry in entries.into_iter().filter(|entry| !is_hidden(entry)) {
        if let Err(error) = find(&entry, skip, visited, files, false)
            && error.kind() != io::ErrorKind::NotFound
            && !is_dangling(&entry)
        {
            files.insert(entry);
        }
    }
    Ok(())
}

/// Whether this is a link that leads nowhere, a loop for one.
fn is_dangling(path: &Path) -> bool {
    path.is_symlink() && fs::metadata(path).is_err()
}

fn is_manifest(path: &Path) -> bool {
    matches!(
        path.extension().and_then(|e| e.to_str()),
        Some("yaml" | "yml" | "json")
    )
}

/// Dot files are editors' and version control's; Kubernetes' own projected volumes link to them.
fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_none_or(|name| name.starts_with('.'))
}

#[cfg(test)]
mod tests;
