// SPDX-License-Identifier: Apache-2.0
//! A request that cannot even be answered as a review.

use ferrolb_types::{Diagnostic, FieldPath, ObjectRef, codes};

/// What to answer a request that is no review: an HTTP status and why.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{diagnostic}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Why.
    pub diagnostic: Box<Diagnostic>,
}

impl Refusal {
    /// The body is no review of the kind that the path takes.
    pub(crate) fn no_review(kind: &'static str, field: FieldPath, cause: String) -> Self {
        let remedy = format!("send a {kind} as an API server does");
        let object = ObjectRef::new(kind, "", "");
        let diagnostic = Diagnostic::error(codes::webhook::W001, object, cause, remedy).at(field);
        Self {
            status: 400,
            diagnostic: Box::new(diagnostic),
        }
    }
}

/// What is wrong with JSON, without a word of what stands in it: the body may hold a password.
pub(crate) fn json_fault(error: &serde_json::Error) -> String {
    let place = format!("at line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => format!("the JSON breaks off {place}"),
        serde_json::error::Category::Data => format!("the JSON does not have its form {place}"),
        _ => format!("it is no JSON {place}"),
    }
}
