// SPDX-License-Identifier: Apache-2.0
//! The fields of `v1beta2` that `v1beta1` cannot carry, kept in an annotation while an object is shown as
//! `v1beta1`, so that they survive when somebody reads, changes and writes it in that version.
//!
//! The annotation is never stored and never overrides what `v1beta1` says: whatever it holds, fields that
//! `v1beta1` has are not taken from it, nor those that exclude a field that `v1beta1` sets. It holds no
//! password: the names of Secrets alone.

use ferrolb_api::{annotations::V1BETA2_FIELDS, resource::BGPPeerSpec};
use ferrolb_types::{Diagnostic, FieldPath, ObjectRef, codes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::peer::{filler, is_common};

/// Bytes that all annotations of an object may have together, keys and values.
const MOST_BYTES: usize = 256 << 10;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The fields, as they stood in `spec`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Json>,
    /// Fields that `v1beta1` requires and that were not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent: Vec<String>,
    /// Fields that `v1beta1` has and that stood beside one they exclude. Such a peer is at fault, but it
    /// is not for a conversion to mend it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    beside: Vec<String>,
}

/// The field of `v1beta1` that a field of `v1beta2` excludes.
fn rival(field: &str) -> Option<&'static str> {
    match field {
        "interface" => Some("peerAddress"),
        "dynamicASN" => Some("peerASN"),
        "passwordSecret" => Some("password"),
        _ => None,
    }
}

/// Whether a field says something.
fn is_set(spec: &Map<String, Json>, field: &str) -> bool {
    spec.get(field)
        .is_some_and(|value| ![json!(null), json!(""), json!(0)].contains(value))
}

impl Kept {
    /// What is to be kept of a `spec`.
    pub fn of(spec: &Map<String, Json>) -> Self {
        let own = spec.iter().filter(|(field, _)| !is_common(field));
        let fields: Map<String, Json> = own.map(|(k, v)| (k.clone(), v.clone())).collect();
        let is_absent = |field: &&str| !spec.contains_key(*field);
        let absent = ["peerASN", "peerAddress"].into_iter().filter(is_absent);
        let rivals = fields.keys().filter_map(|field| rival(field));
        let beside = rivals.filter(|rival| is_set(spec, rival));
        Self {
            absent: absent.map(ToOwned::to_owned).collect(),
            beside: beside.map(ToOwned::to_owned).collect(),
            fields,
        }
    }

    /// Reads the text of an annotation.
    pub fn read(text: &Json) -> Result<Self, String> {
        let text = text.as_str().ok_or("it is no text")?;
        let read = |text| -> serde_json::Result<Self> {
            let mapping: Map<String, Json> = serde_json::from_str(text)?;
            Self::deserialize(Json::Object(mapping))
        };
        read(text).map_err(|error| crate::refusal::json_fault(&error))
    }

    /// Writes the annotation, where there is anything to keep.
    pub fn put(
        &self,
        object: &mut Map<String, Json>,
        reference: &ObjectRef,
    ) -> Result<Vec<Diagnostic>, &'static str> {
        if self.fields.is_empty() && self.absent.is_empty() {
            return Ok(Vec::new());
        }
        let text = serde_json::to_string(self).map_err(|_| "its fields cannot be written")?;
        let annotations = annotations_mut(object)?;
        let lengths = annotations
            .iter()
            .map(|(key, value)| key.len() + value.as_str().map_or(0, str::len));
        if lengths.sum::<usize>() + V1BETA2_FIELDS.len() + text.len() > MOST_BYTES {
            let cause = format!("with them the annotations would exceed {MOST_BYTES} bytes");
            return Ok(vec![note(reference, cause)]);
        }
        annotations.insert(V1BETA2_FIELDS.to_owned(), text.into());
        Ok(Vec::new())
    }

    /// Puts what was kept back into a `spec`, as far as that may be.
    pub fn restore(self, spec: &mut Map<String, Json>, reference: &ObjectRef) -> Vec<Diagnostic> {
        let mut notes = Vec::new();
        for (field, value) in self.fields {
            // Whoever set the other field through v1beta1 wants that one.
            let is_ousted = rival(&field).is_some_and(|rival| {
                is_set(spec, rival) && !self.beside.iter().any(|beside| beside == rival)
            });
            if is_common(&field) || spec.contains_key(&field) {
                notes.push(note(reference, format!("v1beta1 itself says {field:?}")));
            } else if !has_its_type(&field, &value) {
                notes.push(note(reference, format!("{field:?} has not its type")));
            } else if !is_ousted {
                spec.insert(field, value);
            }
        }
        for field in &self.absent {
            if filler(field).is_some_and(|filler| spec.get(field) == Some(&filler)) {
                spec.remove(field);
            }
        }
        notes
    }
}

/// Whether `v1beta2` can hold the value; fields of later releases are taken as they are.
fn has_its_type(field: &str, value: &Json) -> bool {
    let mut spec = json!({"myASN": 1});
    if let Some(spec) = spec.as_object_mut() {
        spec.insert(field.to_owned(), value.clone());
    }
    BGPPeerSpec::deserialize(spec).is_ok()
}

/// Removes the annotation, and the mapping it stood in when it was alone there.
pub(super) fn take(object: &mut Map<String, Json>) -> Result<Option<Json>, &'static str> {
    let meta = metadata_mut(object)?;
    let Some(annotations) = meta.get_mut("annotations").filter(|it| !it.is_null()) else {
        return Ok(None);
    };
    let annotations = annotations.as_object_mut().ok_or(NO_ANNOTATIONS)?;
    let taken = annotations.remove(V1BETA2_FIELDS);
    if taken.is_some() && annotations.is_empty() {
        meta.remove("annotations");
    }
    Ok(taken)
}

const NO_ANNOTATIONS: &str = "its metadata.annotations is no mapping";

fn metadata_mut(object: &mut Map<String, Json>) -> Result<&mut Map<String, Json>, &'static str> {
    let meta = object.get_mut("metadata").and_then(Json::as_object_mut);
    meta.ok_or("it has no metadata")
}

fn annotations_mut(object: &mut Map<String, Json>) -> Result<&mut Map<String, Json>, &'static str> {
    let annotations = metadata_mut(object)?
        .entry("annotations")
        .or_insert_with(|| json!({}));
    if annotations.is_null() {
        *annotations = json!({});
    }
    annotations.as_object_mut().ok_or(NO_ANNOTATIONS)
}

/// A note on an annotation, or a part of it, that is not used.
pub(super) fn note(object: &ObjectRef, cause: String) -> Diagnostic {
    let field = FieldPath::root()
        .key("metadata")
        .key("annotations")
        .key(V1BETA2_FIELDS);
    let remedy = "write the fields in metallb.io/v1beta2, and leave the annotation alone";
    Diagnostic::error(codes::webhook::W008, object.clone(), cause, remedy)
        .at(field)
        .warning()
}
