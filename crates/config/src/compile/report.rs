// SPDX-License-Identifier: Apache-2.0
//! Collects everything that is wrong with one object.

use std::{borrow::Cow, collections::BTreeMap};

use ferrolb_types::{Code, Diagnostic, FieldPath, ObjectRef};

/// How many faults of one code and severity an object is told of. Lists in objects are as long as whoever
/// writes them likes, and every fault goes to the log, the status, the metrics and the answers.
pub const MOST_OF_A_CODE: usize = 32;

/// How many characters of a value are shown.
const LONGEST_VALUE: usize = 256;

/// The faults and warnings of one object so far.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) object: ObjectRef,
    pub(crate) errors: Faults,
    pub(crate) warnings: Faults,
}

/// Faults of one severity: the first ones of each code, and how many of it there were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Diagnostic>,
    seen: BTreeMap<Code, usize>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Diagnostic) {
        let seen = self.seen.entry(fault.code).or_default();
        *seen += 1;
        if *seen <= MOST_OF_A_CODE {
            self.kept.push(fault);
        }
    }

    /// Takes them out, with a line for each code of which there were more.
    pub(crate) fn take(&mut self) -> Vec<Diagnostic> {
        let Self { mut kept, seen } = std::mem::take(self);
        for (code, seen) in seen {
            let of_it: Vec<&Diagnostic> = kept.iter().filter(|fault| fault.code == code).collect();
            let rest = seen.saturating_sub(of_it.len());
            if let Some(like) = of_it.first().filter(|_| rest > 0) {
                kept.push(and_more(like, rest));
            }
        }
        kept
    }

    fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Moves what `tolerates` holds of to `others`, as warnings. What is not kept goes with what is: where
    /// all that is kept of a code is tolerated, so is the rest.
    fn tolerate(&mut self, tolerates: &dyn Fn(&Diagnostic) -> bool, others: &mut Self) {
        for fault in self.kept.extract_if(.., |fault| tolerates(fault)) {
            if let Some(seen) = self.seen.get_mut(&fault.code) {
                *seen -= 1;
            }
            others.add(fault.warning());
        }
        let kept = &self.kept;
        let gone = self
            .seen
            .extract_if(.., |code, _| kept.iter().all(|fault| fault.code != *code));
        for (code, rest) in gone {
            *others.seen.entry(code).or_default() += rest;
        }
    }
}

fn and_more(like: &Diagnostic, rest: usize) -> Diagnostic {
    let cause = format!("{rest} more of this code are not listed");
    let remedy = "mend those that are listed first";
    Diagnostic {
        severity: like.severity,
        ..Diagnostic::error(like.code, like.object.clone(), cause, remedy)
    }
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
            errors: Faults::default(),
            warnings: Faults::default(),
        }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Makes warnings of the errors so far that `tolerates` holds of.
    pub(crate) fn tolerate(&mut self, tolerates: &dyn Fn(&Diagnostic) -> bool) {
        self.errors.tolerate(tolerates, &mut self.warnings);
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
        self.errors.add(diagnostic);
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
        self.warnings.add(diagnostic.warning());
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
            Some(value) => diagnostic.value(shown(value)),
            None => diagnostic,
        }
    }
}

fn shown(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => Cow::Owned(format!("{}…", value.get(..at).unwrap_or_default())),
        None => Cow::Borrowed(value),
    }
}

/// Refuses every text that stands in the list a second time.
pub(crate) fn refuse_repeated(report: &mut Report, code: Code, path: &FieldPath, list: &[String]) {
    let mut first = BTreeMap::new();
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
