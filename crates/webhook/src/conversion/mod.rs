// SPDX-License-Identifier: Apache-2.0
//! Turns BGPPeers from one API version into the other: the webhook `/convert`.
//!
//! The envelope is a `ConversionReview` of `apiextensions.k8s.io` in `v1` or `v1beta1`; the answer has the
//! version of the question. An object that cannot be converted fails the whole review, as an API server
//! takes all objects or none.

mod kept;
mod peer;
#[cfg(test)]
mod tests;

use ferrolb_types::{Diagnostic, FieldPath, ObjectRef, codes};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::refusal::{Refusal, json_fault};

/// The path it is served at.
pub const PATH: &str = "/convert";

const KIND: &str = "ConversionReview";
const ENVELOPES: [&str; 2] = ["apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"];

/// The answer to a review.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The `ConversionReview` to send back, as JSON, with HTTP status 200.
    pub body: Vec<u8>,
    /// Objects given back.
    pub count: usize,
    /// The error that fails the review, or warnings; for the log.
    pub diagnostics: Vec<Diagnostic>,
}

/// A version of BGPPeer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1Beta1,
    V1Beta2,
}

impl Version {
    const ALL: [Self; 2] = [Self::V1Beta1, Self::V1Beta2];

    const fn text(self) -> &'static str {
        match self {
            Self::V1Beta1 => "metallb.io/v1beta1",
            Self::V1Beta2 => "metallb.io/v1beta2",
        }
    }

    fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.text() == text)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    request: Option<Order>,
}

#[derive(Deserialize)]
struct Order {
    uid: String,
    #[serde(rename = "desiredAPIVersion")]
    desired: String,
    #[serde(default)]
    objects: Vec<Json>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing<'a> {
    api_version: &'a str,
    kind: &'a str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    converted_objects: &'a [Json],
    result: Outcome,
}

/// The part of a `meta/v1` Status that counts here.
#[derive(Serialize)]
struct Outcome {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Converts the objects of a review.
///
/// # Errors
/// Where the body is no `ConversionReview` with a request.
pub fn convert(body: &[u8]) -> Result<Converted, Refusal> {
    let refuse = |field, cause| Refusal::no_review(KIND, field, cause);
    let root = FieldPath::root;
    let review: Incoming =
        serde_json::from_slice(body).map_err(|error| refuse(root(), json_fault(&error)))?;
    if review.kind != KIND {
        return Err(refuse(root().key("kind"), format!("the body is no {KIND}")));
    }
    if !ENVELOPES.contains(&review.api_version.as_str()) {
        let cause = format!("the review is of none of {}", ENVELOPES.join(" and "));
        return Err(refuse(root().key("apiVersion"), cause));
    }
    let order = review.request.ok_or_else(|| {
        let cause = "the review holds no request".to_owned();
        refuse(root().key("request"), cause)
    })?;
    Ok(answer(&review.api_version, order))
}

fn answer(api_version: &str, order: Order) -> Converted {
    let mut notes = Vec::new();
    let converted = all(order.objects, &order.desired, &mut notes);
    let (objects, message) = match converted {
        Ok(objects) => (objects, None),
        Err(fault) => {
            let message = fault.to_string();
            notes.push(*fault);
            (Vec::new(), Some(message))
        }
    };
    let result = Outcome {
        status: if message.is_none() {
            "Success"
        } else {
            "Failure"
        },
        message,
    };
    let review = Outgoing {
        api_version,
        kind: KIND,
        response: Response {
            uid: &order.uid,
            converted_objects: &objects,
            result,
        },
    };
    Converted {
        // JSON that was read cannot fail to be written.
        body: serde_json::to_vec(&review).unwrap_or_default(),
        count: objects.len(),
        diagnostics: notes,
    }
}

fn all(
    objects: Vec<Json>,
    desired: &str,
    notes: &mut Vec<Diagnostic>,
) -> Result<Vec<Json>, Box<Diagnostic>> {
    let objects = objects.into_iter();
    objects.map(|object| one(object, desired, notes)).collect()
}

fn one(object: Json, desired: &str, notes: &mut Vec<Diagnostic>) -> Result<Json, Box<Diagnostic>> {
    let reference = reference(&object);
    let fault = |cause: String| {
        let remedy = "convert BGPPeers between metallb.io/v1beta1 and metallb.io/v1beta2 alone";
        let fault = Diagnostic::error(codes::webhook::W007, reference.clone(), cause, remedy);
        Box::new(fault)
    };
    let Json::Object(mut object) = object else {
        return Err(fault("it is no object".to_owned()));
    };
    let text = |key: &str| object.get(key).and_then(Json::as_str).unwrap_or_default();
    let (from, to) = match (Version::find(text("apiVersion")), Version::find(desired)) {
        (Some(from), Some(to)) if text("kind") == "BGPPeer" => (from, to),
        _ => {
            let (version, kind) = (text("apiVersion"), text("kind"));
            let cause = format!("{version:?} {kind:?} cannot become {desired:?}");
            return Err(fault(cause));
        }
    };
    let done = match (from, to) {
        (Version::V1Beta1, Version::V1Beta2) => peer::to_v1beta2(&mut object, &reference),
        (Version::V1Beta2, Version::V1Beta1) => peer::to_v1beta1(&mut object, &reference),
        _ => Ok(Vec::new()),
    };
    notes.extend(done.map_err(|cause| fault(cause.to_owned()))?);
    object.insert("apiVersion".to_owned(), to.text().into());
    Ok(Json::Object(object))
}

fn reference(object: &Json) -> ObjectRef {
    let meta = object.get("metadata");
    let text = |key: &str| {
        let text = meta.and_then(|meta| meta.get(key)).and_then(Json::as_str);
        text.unwrap_or_default().to_owned()
    };
    ObjectRef::new("BGPPeer", text("namespace"), text("name"))
}

/// The fields of an object's `spec`, where it is a mapping.
fn spec_mut(object: &mut Map<String, Json>) -> Option<&mut Map<String, Json>> {
    object.get_mut("spec")?.as_object_mut()
}
