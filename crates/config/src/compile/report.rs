// SPDX-License-Identifier: Apache-2.0
//! Collects everything that is wrong with one object.

use ferrolb_types::{Code, Diagnostic, FieldPath, ObjectRef};

/// The faults and warnings of one object so far.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) object: ObjectRef,
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// An object read as far as it could be. The form is whole only while the report has no errors.
pub(crate) struct Parsed<F> {
    pub(crate) form: F,
    pub(crate) report: Report,
}

impl Report {
    pub(crate) fn new(object: ObjectRef) -> Self {
        Self {
            object,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Makes warnings of the errors so far that `tolerates` holds of.
    pub(crate) fn tolerate(&mut self, tolerates: &dyn Fn(&Diagnostic) -> bool) {
        let tolerated = self.errors.extract_if(.., |error| tolerates(error));
        self.warnings.extend(tolerated.map(Diagnostic::warning));
    }

    /// Adds an error. The value is shown as given: never pass a secret.
    pub(crate) fn refuse(
        &mut self,
        code: Code,
        field: FieldPath,
        value: Option<&str>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let diagnostic = self.diagnostic(code, field, value, cause.into(), remedy.into());
        self.errors.push(diagnostic);
    }

    /// Adds a warning.
    pub(crate) fn warn(
        &mut self,
        code: Code,
        field: FieldPath,
        value: Option<&str>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let diagnostic = self.diagnostic(code, field, value, cause.into(), remedy.into());
        self.warnings.push(diagnostic.warning());
    }

    fn diagnostic(
        &self,
        code: Code,
        field: FieldPath,
        value: Option<&str>,
        cause: String,
        remedy: String,
    ) -> Diagnostic {
        let diagnostic = Diagnostic::error(code, self.object.clone(), cause, remedy).at(field);
        match value {
            Some(value) => diagnostic.value(value),
            None => diagnostic,
        }
    }
}

/// Refuses every text that stands in the list a second time.
pub(crate) fn refuse_repeated(report: &mut Report, code: Code, path: &FieldPath, list: &[String]) {
    let mut first = std::collections::BTreeMap::new();
    for (index, text) in list.iter().enumerate() {
        let earlier = *first.entry(text).or_insert(index);
        if earlier != index {
            report.refuse(
                code,
                path.index(index),
                Some(text),
                format!("it already stands at {}", path.index(earlier)),
                "remove one of the two",
            );
        }
    }
}
