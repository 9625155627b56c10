// SPDX-License-Identifier: Apache-2.0
//! From the text of a file to objects, each field with its line and column.
//!
//! The way of a text: `reader` and `builder` make trees of its documents, `identity` tells what each is, `walk` checks
//! it against the schema of its kind (`catalogue`, `schema`, `rules`), `metadata` checks names and labels,
//! and what is right becomes an [`Object`]. `folder` keeps what a whole folder says.
//!
//! Every fault of a document is reported, and none of them touches another document.

mod builder;
mod catalogue;
mod fault;
pub mod folder;
mod identity;
mod metadata;
mod reader;
mod rules;
mod scalar;
mod schema;
mod spans;
mod suggest;
mod syntax;
#[cfg(test)]
mod tests;
mod transition;
mod tree;
mod walk;
mod wording;

use std::{collections::HashSet, sync::Arc};

use ferrolb_types::{Diagnostic, FieldPath, ObjectRef, codes};

use catalogue::{Kind, Scope};
use fault::Fault;
use identity::{Identity, extras, identify, reference};
use reader::{Document, Documents};
use tree::{Mark, Node};
use walk::{Path, Walk};

use crate::object::Object;
pub use spans::Spans;
pub use transition::transition_faults;

/// Bytes a text may have. A file of this size takes seconds and a few hundred megabytes at the very worst.
pub const MAX_TEXT: usize = 16 << 20;
/// Diagnostics given of one text.
const MAX_DIAGNOSTICS: usize = 1000;

/// An object and where its fields stand.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The object.
    pub object: Object,
    /// The places of its fields.
    pub spans: Spans,
}

/// What a text holds.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The objects that are right, in the order of the text, each once.
    pub manifests: Vec<Manifest>,
    /// What is wrong, or worth a warning.
    pub diagnostics: Vec<Diagnostic>,
    /// Objects that the text defines but that cannot be used as written.
    pub refused: Vec<ObjectRef>,
    /// Whether a part could not be read at all, so that nobody can say which objects it defines.
    pub has_unreadable: bool,
}

/// Reads a text. `file` is how diagnostics call it. Of the objects that name no namespace, those of
/// `metallb.io` and Secrets belong to `namespace`, Services and EndpointSlices to `default`.
#[must_use]
pub fn parse(file: &Arc<str>, text: &str, namespace: &str) -> Parsed {
    let mut reading = Reading {
        file,
        namespace,
        seen: HashSet::new(),
        parsed: Parsed::default(),
    };
    if text.len() > MAX_TEXT {
        reading.too_long(text.len());
        return reading.parsed;
    }
    for document in Documents::new(text) {
        reading.document(document);
        if reading.parsed.diagnostics.len() >= MAX_DIAGNOSTICS {
            reading.too_many();
            break;
        }
    }
    reading.parsed
}

struct Reading<'r> {
    file: &'r Arc<str>,
    namespace: &'r str,
    seen: HashSet<ObjectRef>,
    parsed: Parsed,
}

impl Reading<'_> {
    fn document(&mut self, document: Document<'_>) {
        let object = match &document.root {
            Some(root) => reference(root, self.namespace),
            None => ObjectRef::new("document", "", ""),
        };
        let is_faulty = !document.faults.is_empty();
        for fault in document.faults {
            self.report(fault, &object);
        }
        if document.is_broken {
            self.parsed.has_unreadable = true;
        } else if let Some(root) = &document.root {
            self.node(root, is_faulty);
        }
    }

    /// Takes a document, or an element of a list.
    fn node(&mut self, root: &Node<'_>, is_faulty: bool) {
        match identify(root) {
            Identity::Known(kind) => self.object(kind, root, is_faulty),
            Identity::List(items) => items
                .items()
                .iter()
                .for_each(|item| self.node(item, is_faulty)),
            Identity::Unused(fault) => {
                let object = reference(root, self.namespace);
                let fault = extras(root, &object, self.namespace).unwrap_or(fault);
                self.parsed
                    .diagnostics
                    .push(fault.on(object, self.file).warning());
            }
            Identity::Refused(fault) => {
                let object = reference(root, self.namespace);
                self.report(fault, &object);
                self.parsed.refused.push(object);
            }
        }
    }

    fn object(&mut self, kind: &'static Kind, root: &Node<'_>, is_faulty: bool) {
        let object = reference(root, self.namespace);
        let mut walk = Walk::default();
        let json = walk.value(kind.schema(), root, root.at, Path::ROOT);
        metadata::check(kind, root, root.at, &mut walk);
        let is_good = walk.faults.is_empty() && !is_faulty;
        self.report_all(&mut walk, &object, root.at);
        let json = json.filter(|_| is_good);
        let Some(json) = json.map(|json| with_namespace(kind, json, &object.namespace)) else {
            self.parsed.refused.push(object);
            return;
        };
        match (kind.decode)(json) {
            Err(error) => self.undecodable(kind, object, root.at, &error),
            Ok(_) if !self.seen.insert(object.clone()) => self.again(&object, root),
            Ok(value) => self.parsed.manifests.push(Manifest {
                object: value,
                spans: walk.places.finish(self.file),
            }),
        }
    }

    fn report(&mut self, fault: Fault, object: &ObjectRef) {
        self.parsed
            .diagnostics
            .push(fault.on(object.clone(), self.file));
    }

    fn report_all(&mut self, walk: &mut Walk, object: &ObjectRef, at: Mark) {
        let mut faults = std::mem::take(&mut walk.faults);
        faults.sort_by_key(|fault| fault.at);
        for fault in faults {
            self.report(fault, object);
        }
        if walk.unlisted > 0 {
            let cause = format!("{} more faults are not listed", walk.unlisted);
            let fault = Fault::new(codes::file::F009, at, cause, "mend those listed first");
            self.report(fault, object);
        }
    }

    /// The schema admits what the type does not. The message may quote the value, so not for secrets.
    fn undecodable(&mut self, kind: &Kind, object: ObjectRef, at: Mark, error: &str) {
        let cause = match kind.name {
            "Secret" | "BGPPeer" => "the object cannot be read as its kind".to_owned(),
            _ => format!("the object cannot be read as its kind: {error}"),
        };
        let fault = Fault::new(
            codes::schema::V003,
            at,
            cause,
            "compare it with the kind's definition",
        );
        self.report(fault, &object);
        self.parsed.refused.push(object);
    }

    fn again(&mut self, object: &ObjectRef, root: &Node<'_>) {
        let at = root
            .get("metadata")
            .and_then(|meta| meta.get("name"))
            .map_or(root.at, |name| name.at);
        let fault = Fault::new(
            codes::file::F005,
            at,
            "the same file defines the object further up; that definition is in force",
            "remove one of the two, or rename it",
        );
        self.report(
            fault.field(FieldPath::root().key("metadata").key("name")),
            object,
        );
    }

    fn too_long(&mut self, bytes: usize) {
        let cause = format!("the file has {bytes} bytes, at most {MAX_TEXT} are read");
        self.file_fault(cause, "split it");
        self.parsed.has_unreadable = true;
    }

    fn too_many(&mut self) {
        self.file_fault(
            "the file has more faults than are listed; what follows is not read".to_owned(),
            "mend those listed first",
        );
        self.parsed.has_unreadable = true;
    }

    fn file_fault(&mut self, cause: String, remedy: &str) {
        let fault = Fault::new(
            codes::file::F008,
            Mark { line: 1, column: 1 },
            cause,
            remedy,
        );
        self.report(fault, &ObjectRef::new("document", "", ""));
    }
}

/// Writes the namespace into the object, where its kind has one.
fn with_namespace(kind: &Kind, mut json: serde_json::Value, namespace: &str) -> serde_json::Value {
    if kind.scope != Scope::Cluster
        && let Some(meta) = json
            .get_mut("metadata")
            .and_then(serde_json::Value::as_object_mut)
    {
        meta.insert("namespace".into(), namespace.into());
    }
    json
}
