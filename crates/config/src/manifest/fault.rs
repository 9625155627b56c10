// SPDX-License-Identifier: Apache-2.0
//! A fault found in a text before it is known which object it belongs to.

use std::sync::Arc;

use ferrolb_types::{Code, Diagnostic, FieldPath, ObjectRef, Position};

use super::tree::Mark;

/// A [`Diagnostic`] without its object and file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub code: Code,
    pub at: Mark,
    pub field: FieldPath,
    pub value: Option<String>,
    pub cause: String,
    pub remedy: String,
}

/// No more of a value than this is shown.
const SHOWN: usize = 120;

impl Fault {
    pub fn new(code: Code, at: Mark, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            at,
            field: FieldPath::root(),
            value: None,
            cause: cause.into(),
            remedy: remedy.into(),
        }
    }

    pub fn field(mut self, field: FieldPath) -> Self {
        self.field = field;
        self
    }

    /// Shows the value, shortened. Never pass a secret.
    pub fn value(mut self, value: &str) -> Self {
        let mut shown: String = value.chars().take(SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        self.value = Some(shown);
        self
    }

    /// The whole diagnostic.
    pub fn on(self, object: ObjectRef, file: &Arc<str>) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.code, object, self.cause, self.remedy)
            .at(self.field)
            .positioned(Some(position(file, self.at)));
        diagnostic.value = self.value;
        diagnostic
    }
}

/// A place in a file.
pub(crate) fn position(file: &Arc<str>, at: Mark) -> Position {
    Position {
        file: Arc::clone(file),
        line: at.line,
        column: at.column,
    }
}
