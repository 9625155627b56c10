// SPDX-License-Identifier: Apache-2.0
//! `AdmissionReview` of `admission.k8s.io/v1`, in and out.

use ferrolb_types::{FieldPath, ObjectRef};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Answer, Webhook, verdict::Verdict, wording};
use crate::refusal::{Refusal, json_fault};

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    request: Option<Order>,
}

/// The request of a review.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    pub uid: String,
    /// The kind as it is judged, whatever version was written.
    pub kind: GroupVersionKind,
    /// The kind as it was written.
    pub request_kind: Option<GroupVersionKind>,
    #[serde(default)]
    pub sub_resource: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub namespace: String,
    /// Absent where it is none that exists.
    #[serde(default, deserialize_with = "known")]
    pub operation: Option<Operation>,
    #[serde(default)]
    pub object: Json,
    #[serde(default)]
    pub old_object: Json,
}

#[derive(Deserialize)]
pub(super) struct GroupVersionKind {
    pub group: String,
    pub version: String,
    pub kind: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

fn known<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Operation>, D::Error> {
    let text = Json::deserialize(from)?;
    Ok(Operation::deserialize(&text).ok())
}

impl Order {
    /// The object it is about, as far as the request names it.
    pub fn reference(&self, webhook: Webhook) -> ObjectRef {
        let meta = |object: &Json, key: &str| {
            let text = object.get("metadata")?.get(key)?.as_str()?;
            Some(text.to_owned()).filter(|text| !text.is_empty())
        };
        let either = |key: &str, stated: &str| {
            let stated = || Some(stated.to_owned()).filter(|text| !text.is_empty());
            meta(&self.object, key)
                .or_else(stated)
                .or_else(|| meta(&self.old_object, key))
                .unwrap_or_default()
        };
        let namespace = either("namespace", &self.namespace);
        ObjectRef::new(webhook.kind(), namespace, either("name", &self.name))
    }
}

/// Reads a body.
pub(super) fn parse(body: &[u8]) -> Result<Order, Refusal> {
    let refuse = |field, cause| Refusal::no_review(KIND, field, cause);
    let root = FieldPath::root;
    let review: Incoming =
        serde_json::from_slice(body).map_err(|error| refuse(root(), json_fault(&error)))?;
    if review.kind != KIND {
        let cause = format!("the body is no {KIND}");
        return Err(refuse(root().key("kind"), cause));
    }
    if review.api_version != API_VERSION {
        let cause = format!("the review is not of {API_VERSION}");
        return Err(refuse(root().key("apiVersion"), cause));
    }
    review.request.ok_or_else(|| {
        let cause = "the review holds no request".to_owned();
        refuse(root().key("request"), cause)
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing<'a> {
    api_version: &'a str,
    kind: &'a str,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A `meta/v1` Status.
#[derive(Serialize)]
struct Status {
    status: &'static str,
    reason: &'static str,
    message: String,
    code: u16,
}

/// The answer that says `verdict`. `namespace` is the one that is read.
pub(super) fn answer(uid: &str, object: ObjectRef, verdict: Verdict, namespace: &str) -> Answer {
    let allowed = verdict.errors.is_empty();
    let status = (!allowed).then(|| Status {
        status: "Failure",
        reason: match verdict.status {
            400 => "BadRequest",
            500 => "InternalError",
            _ => "Forbidden",
        },
        message: wording::message(&verdict.errors, namespace),
        code: verdict.status,
    });
    let response = Response {
        uid,
        allowed,
        status,
        warnings: wording::warnings(&verdict.warnings),
    };
    let review = Outgoing {
        api_version: API_VERSION,
        kind: KIND,
        response,
    };
    Answer {
        // Text, numbers and lists of them cannot fail to be written.
        body: serde_json::to_vec(&review).unwrap_or_default(),
        object,
        allowed,
        diagnostics: [verdict.errors, verdict.warnings].concat(),
    }
}
