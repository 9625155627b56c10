// SPDX-License-Identifier: Apache-2.0
//! What a folder says, as updates for whoever assigns or announces.
//!
//! Texts become objects, and these go the way of all objects ([`crate::intake`]). The same model serves
//! the roles and the commands.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use ferrolb_config::{
    Config,
    manifest::folder::{Change, Folder},
    object::Object,
};
use ferrolb_types::{Diagnostic, ObjectRef, codes};

use crate::{
    folder::{Content, FileChange},
    intake::Intake,
};

pub use crate::intake::Update;

/// What a change on disk amounts to.
#[derive(Debug)]
pub struct Taken {
    /// What changed in meaning.
    pub updates: Vec<Update>,
    /// Texts without a fault, and files that are gone: for [`crate::state::LastGood`].
    pub remember: Vec<FileChange>,
    /// What is refused or doubtful now, as [`Model::diagnostics`] gives it.
    pub diagnostics: Vec<Diagnostic>,
}

/// The content of a folder and what it amounts to.
pub struct Model {
    folder: Folder,
    intake: Intake,
}

impl Model {
    /// An empty model; `namespace` is that of the `metallb.io` objects.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        Self {
            folder: Folder::new(namespace),
            intake: Intake::new(namespace),
        }
    }

    /// As [`Intake::refuse_bgp`].
    pub fn refuse_bgp(&mut self, why: Option<Diagnostic>) {
        self.intake.refuse_bgp(why);
    }

    /// Takes in what changed on disk; gives what changed in meaning, and which texts to remember. The
    /// first call always gives a configuration.
    pub fn take(&mut self, files: Vec<FileChange>) -> Taken {
        for file in &files {
            self.read(&file.path, &file.content);
        }
        let updates = self.updates();
        let diagnostics = self.diagnostics();
        Taken {
            updates,
            remember: good_texts(files, &diagnostics),
            diagnostics,
        }
    }

    fn updates(&mut self) -> Vec<Update> {
        let mut updates = Vec::new();
        for change in self.folder.take_changes() {
            updates.extend(match change {
                Change::Apply(manifest) => self.intake.apply(manifest.object.clone()),
                Change::Delete(object) => self.intake.delete(&object),
            });
        }
        updates.extend(self.intake.compile().map(Update::Config));
        updates
    }

    /// The configuration; absent before the first [`Model::take`].
    #[must_use]
    pub fn config(&self) -> Option<&Arc<Config>> {
        self.intake.config()
    }

    /// Everything that is refused or doubtful, with its place in the files.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = self.folder.diagnostics();
        if let Some(config) = self.intake.config() {
            let compiled = config.diagnostics().chain(&config.warnings);
            all.extend(compiled.map(|diagnostic| self.positioned(diagnostic)));
        }
        all.sort_by_key(|diagnostic| (diagnostic.severity, diagnostic.position.clone()));
        all.dedup();
        all
    }

    /// Adds its place in the files to a diagnostic about an object.
    #[must_use]
    pub fn positioned(&self, diagnostic: &Diagnostic) -> Diagnostic {
        let diagnostic = diagnostic.clone();
        if diagnostic.position.is_some() {
            return diagnostic;
        }
        let position = self.folder.position(&diagnostic.object, &diagnostic.field);
        diagnostic.positioned(position)
    }

    /// The objects in force.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.folder.objects().map(|(_, manifest)| &manifest.object)
    }

    fn read(&mut self, path: &Path, content: &Content) {
        let name = path.to_string_lossy();
        match content {
            Content::Text(text) => self.folder.update(&name, Some(text)),
            Content::Gone => self.folder.update(&name, None),
            Content::Unreadable(why) => {
                let object = ObjectRef::new("file", "", name.as_ref());
                let remedy = "make it readable, or remove it; until then its last content counts";
                let fault = Diagnostic::error(codes::file::F001, object, why.as_str(), remedy);
                self.folder.fail(&name, fault);
            }
        }
    }
}

/// The texts without a fault, and the files that are gone.
fn good_texts(files: Vec<FileChange>, diagnostics: &[Diagnostic]) -> Vec<FileChange> {
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    let faulty: BTreeSet<&str> = errors
        .filter_map(|d| Some(&*d.position.as_ref()?.file))
        .collect();
    let is_good = |file: &FileChange| match file.content {
        Content::Text(_) => !faulty.contains(&*file.path.to_string_lossy()),
        Content::Gone => true,
        Content::Unreadable(_) => false,
    };
    files.into_iter().filter(is_good).collect()
}
