// SPDX-License-Identifier: Apache-2.0
//! A refusal or a warning as a value: code, object, field, value, cause and remedy.
//!
//! The same value reaches the command line, Events, status conditions, the log and the webhook, so
//! that whoever reads one of them can look up the others by the code.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::Code;

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Refused: the object, or the part named, is not used.
    Error,
    /// Taken, but probably not what was meant.
    Warning,
}

/// The object a diagnostic speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct ObjectRef {
    /// Kind as on the wire, for example `IPAddressPool`.
    pub kind: Cow<'static, str>,
    /// Namespace; empty for what has none.
    pub namespace: String,
    /// Name; empty where even that could not be read.
    pub name: String,
}

impl ObjectRef {
    /// Names an object.
    #[must_use]
    pub fn new(
        kind: impl Into<Cow<'static, str>>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectRef {
    /// `Kind namespace/name`, leaving out what is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        match (self.namespace.is_empty(), self.name.is_empty()) {
            (_, true) => Ok(()),
            (true, false) => write!(f, " {}", self.name),
            (false, false) => write!(f, " {}/{}", self.namespace, self.name),
        }
    }
}

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A member of a mapping.
    Key(Cow<'static, str>),
    /// An element of a sequence, from 0.
    Index(usize),
}

/// Where in an object: `spec.addresses[0]`. Empty means the object as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// The object as a whole.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// `spec`, where most paths begin.
    #[must_use]
    pub fn spec() -> Self {
        Self::root().key("spec")
    }

    /// The member `key` of this path.
    #[must_use]
    pub fn key(&self, key: impl Into<Cow<'static, str>>) -> Self {
        self.with(Segment::Key(key.into()))
    }

    /// The element `index` of this path.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The steps, outermost first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    fn with(&self, segment: Segment) -> Self {
        let mut path = self.clone();
        path.0.push(segment);
        path
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, segment) in self.0.iter().enumerate() {
            match segment {
                // An annotation or label key has dots of its own.
                Segment::Key(key) if key.contains(['.', '/']) => write!(f, "[{key}]")?,
                Segment::Key(key) if n == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl serde::Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where in a file: lines and columns from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One refusal or warning. A secret's value never stands in `value` or `cause`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Diagnostic {
    /// The stable reason code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// The object at fault.
    pub object: ObjectRef,
    /// The field at fault.
    pub field: FieldPath,
    /// The value at fault, where showing it helps and is safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong, as a clause without a full stop.
    pub cause: String,
    /// What to do, as an imperative clause without a full stop.
    pub remedy: String,
    /// Where it stands, when the object came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

impl Diagnostic {
    /// An error on the object as a whole; add the rest with the `with`-like methods.
    #[must_use]
    pub fn error(
        code: Code,
        object: ObjectRef,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            object,
            field: FieldPath::root(),
            value: None,
            cause: cause.into(),
            remedy: remedy.into(),
            position: None,
        }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, field: FieldPath) -> Self {
        self.field = field;
        self
    }

    /// Shows the value at fault. Never pass a secret.
    #[must_use]
    pub fn value(mut self, value: impl fmt::Display) -> Self {
        self.value = Some(value.to_string());
        self
    }

    /// Adds where it stands in a file.
    #[must_use]
    pub fn positioned(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }

    /// Whether this refuses something.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `FLB-P005 IPAddressPool ns/name spec.addresses[0] "value": cause; remedy`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.object)?;
        if !self.field.segments().is_empty() {
            write!(f, " {}", self.field)?;
        }
        if let Some(value) = &self.value {
            write!(f, " {value:?}")?;
        }
        write!(f, ": {}; {}", self.cause, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn one_line_names_everything() {
        let path = FieldPath::spec().key("addresses").index(0);
        let object = ObjectRef::new("IPAddressPool", "metallb-system", "web");
        let diagnostic = Diagnostic::error(
            codes::pool::P005,
            object,
            "the range ends before it starts",
            "write the lower address first",
        )
        .at(path)
        .value("1.2.3.10-1.2.3.1");
        assert_eq!(
            diagnostic.to_string(),
            "FLB-P005 IPAddressPool metallb-system/web spec.addresses[0] \"1.2.3.10-1.2.3.1\": \
             the range ends before it starts; write the lower address first"
        );
    }

    #[test]
    fn a_key_with_dots_is_bracketed() {
        let path = FieldPath::root()
            .key("metadata")
            .key("annotations")
            .key("metallb.io/address-pool");
        assert_eq!(
            path.to_string(),
            "metadata.annotations[metallb.io/address-pool]"
        );
    }
}
