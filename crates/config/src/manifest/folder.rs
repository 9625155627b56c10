// SPDX-License-Identifier: Apache-2.0
//! What a folder of manifests says, file by file, and what changes when a file does.
//!
//! A file that breaks keeps its last good content, object by object: what it defined before and cannot be
//! read now stays in force. An object defined in several files is taken from the first of them by name.
//! No I/O: the texts come in through [`Folder::update`], whoever reads them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ferrolb_types::{Diagnostic, FieldPath, ObjectRef, Position, codes};

use super::{Manifest, Parsed, parse, transition_faults};

/// What to do with an object.
#[derive(Clone, Debug)]
pub enum Change {
    /// It is new, or differs from what was told before.
    Apply(Arc<Manifest>),
    /// It is gone.
    Delete(ObjectRef),
}

/// The content of a folder.
#[derive(Debug, Default)]
pub struct Folder {
    namespace: String,
    files: BTreeMap<Arc<str>, File>,
    /// Of what its files define, by the reference they share with [`File::objects`].
    definitions: BTreeMap<Arc<ObjectRef>, Definition>,
    /// The objects that several files define, and the files with a fault of their own: what
    /// [`Folder::diagnostics`] has to look at, be the folder ever so large.
    contested: BTreeSet<Arc<ObjectRef>>,
    faulty: BTreeSet<Arc<str>>,
    touched: BTreeSet<Arc<ObjectRef>>,
}

/// Where an object is defined. It outlives its last file until its end was told.
#[derive(Debug, Default)]
struct Definition {
    /// The files that define it, by name: one, almost always.
    files: Vec<Arc<str>>,
    /// What [`Folder::take_changes`] told last.
    told: Option<Arc<Manifest>>,
}

/// What is in force of one file, and what is wrong with its present text.
#[derive(Debug, Default)]
struct File {
    objects: BTreeMap<Arc<ObjectRef>, Arc<Manifest>>,
    /// Which of them are from an earlier text, so that their places mean nothing now.
    kept: BTreeSet<Arc<ObjectRef>>,
    diagnostics: Vec<Diagnostic>,
}

impl Folder {
    /// An empty folder; `namespace` is that of the `metallb.io` objects (see [`parse`]).
    #[must_use]
    pub fn new(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            ..Self::default()
        }
    }

    /// A file has this text now, or is gone.
    pub fn update(&mut self, path: &str, text: Option<&str>) {
        let path: Arc<str> = path.into();
        let before = self.files.remove(&path);
        let after = text.map(|text| {
            let parsed = parse(&path, text, &self.namespace);
            succeed(before.as_ref(), parsed)
        });
        self.replace(path, before.as_ref(), after);
    }

    /// A file is there but cannot be read: its content stays, and the diagnostic says why.
    pub fn fail(&mut self, path: &str, why: Diagnostic) {
        let path: Arc<str> = path.into();
        let file = self.files.entry(Arc::clone(&path)).or_default();
        file.diagnostics = vec![why];
        self.faulty.insert(path);
    }

    /// The files known, by name.
    pub fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        self.files.keys()
    }

    /// What has changed since the last call: deletions first, each object once.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let (mut deleted, mut applied) = (Vec::new(), Vec::new());
        for object in std::mem::take(&mut self.touched) {
            let now = self.manifest(&object).map(Arc::clone);
            let before = match &now {
                Some(manifest) => {
                    let definition = self.definitions.entry(Arc::clone(&object)).or_default();
                    definition.told.replace(Arc::clone(manifest))
                }
                None => self.definitions.remove(&object).and_then(|gone| gone.told),
            };
            match (before, now) {
                (Some(before), Some(now)) if before.object == now.object => {}
                (_, Some(now)) => applied.push(Change::Apply(now)),
                (Some(_), None) => deleted.push(Change::Delete(ObjectRef::clone(&object))),
                (None, None) => {}
            }
        }
        deleted.append(&mut applied);
        deleted
    }

    /// The objects in force.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectRef, &Arc<Manifest>)> {
        self.definitions
            .keys()
            .filter_map(|object| Some((&**object, self.manifest(object)?)))
    }

    /// One object, if it is in force.
    #[must_use]
    pub fn manifest(&self, object: &ObjectRef) -> Option<&Arc<Manifest>> {
        let first = self.definitions.get(object)?.files.first()?;
        self.files.get(first)?.objects.get(object)
    }

    /// What is wrong now, file by file, and then the objects that several files define. The cost grows
    /// with what is wrong, not with the folder.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let faulty = self.faulty.iter().filter_map(|path| self.files.get(path));
        let own = faulty.flat_map(|file| file.diagnostics.iter().cloned());
        own.chain(self.duplicates()).collect()
    }

    /// Whether an object in force is an earlier version than the text has, because that one is broken.
    #[must_use]
    pub fn is_kept(&self, object: &ObjectRef) -> bool {
        let definition = self.definitions.get(object);
        let first = definition.and_then(|definition| definition.files.first());
        let file = first.and_then(|first| self.files.get(first));
        file.is_some_and(|file| file.kept.contains(object))
    }

    /// Where a field of an object in force stands, for what is found out about it later; nothing for one
    /// that is kept from an earlier text.
    #[must_use]
    pub fn position(&self, object: &ObjectRef, field: &FieldPath) -> Option<Position> {
        let manifest = self.manifest(object).filter(|_| !self.is_kept(object))?;
        manifest.spans.position(field)
    }

    fn duplicates(&self) -> impl Iterator<Item = Diagnostic> {
        let several = self.contested.iter();
        let several =
            several.filter_map(|object| Some((object, &self.definitions.get(object)?.files)));
        several.flat_map(move |(object, files)| {
            let first = files.first();
            let later = files.iter().skip(1);
            later.filter_map(move |file| self.duplicate(object, first?, file))
        })
    }

    fn duplicate(&self, object: &ObjectRef, first: &str, file: &Arc<str>) -> Option<Diagnostic> {
        let name = FieldPath::root().key("metadata").key("name");
        let manifest = self.files.get(file)?.objects.get(object)?;
        let cause = format!("the file {first} defines the object too; that definition is in force");
        let remedy = "remove one of the two, or rename it";
        let diagnostic = Diagnostic::error(codes::file::F005, object.clone(), cause, remedy);
        let position = manifest.spans.position(&name);
        Some(diagnostic.at(name).positioned(position))
    }

    /// Puts the new content of a file in the place of the old one.
    fn replace(&mut self, path: Arc<str>, before: Option<&File>, after: Option<File>) {
        self.faulty.remove(&path);
        for object in before.into_iter().flat_map(|file| file.objects.keys()) {
            self.undefine(object, &path);
            self.touched.insert(Arc::clone(object));
        }
        let Some(after) = after else { return };
        for object in after.objects.keys() {
            self.define(object, &path);
            self.touched.insert(Arc::clone(object));
        }
        if !after.diagnostics.is_empty() {
            self.faulty.insert(Arc::clone(&path));
        }
        self.files.insert(path, after);
    }

    fn define(&mut self, object: &Arc<ObjectRef>, path: &Arc<str>) {
        let definition = self.definitions.entry(Arc::clone(object)).or_default();
        let files = &mut definition.files;
        if let Err(place) = files.binary_search(path) {
            // Nearly always the only one: without room for more.
            files.reserve_exact(1);
            files.insert(place, Arc::clone(path));
        }
        if files.len() > 1 {
            self.contested.insert(Arc::clone(object));
        }
    }

    fn undefine(&mut self, object: &ObjectRef, path: &Arc<str>) {
        let Some(Definition { files, .. }) = self.definitions.get_mut(object) else {
            return;
        };
        files.retain(|file| file != path);
        if files.len() < 2 {
            self.contested.remove(object);
        }
    }
}

/// The content of a file after its present text: what is right in it, and of its former content what it
/// still defines but breaks. Where a part cannot be read at all, everything former stays.
fn succeed(before: Option<&File>, parsed: Parsed) -> File {
    let manifests = parsed.manifests.into_iter().map(Arc::new);
    let mut file = File {
        objects: manifests
            .map(|m| (Arc::new(m.object.reference()), m))
            .collect(),
        kept: BTreeSet::new(),
        diagnostics: parsed.diagnostics,
    };
    let Some(before) = before else { return file };
    let broken: BTreeSet<Arc<ObjectRef>> = parsed.refused.into_iter().map(Arc::new).collect();
    for (object, manifest) in &before.objects {
        match file.objects.get(object) {
            Some(now) => file.diagnostics.extend(unmovable(manifest, now)),
            None if parsed.has_unreadable || broken.contains(object) => {
                file.objects
                    .insert(Arc::clone(object), Arc::clone(manifest));
                file.kept.insert(Arc::clone(object));
            }
            None => {}
        }
    }
    file
}

/// Changes that an API server would refuse. From a file they are taken, as if the object had been deleted
/// and created anew, which the reader should know.
fn unmovable(before: &Manifest, now: &Manifest) -> impl Iterator<Item = Diagnostic> {
    let faults = transition_faults(&before.object, &now.object);
    faults.into_iter().map(|fault| {
        let position = now.spans.position(&fault.field);
        fault.warning().positioned(position)
    })
}
