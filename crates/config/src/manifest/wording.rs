// SPDX-License-Identifier: Apache-2.0
//! Words for what a schema wants and a document has instead.

use ferrolb_api::core::Time;
use ferrolb_types::codes::schema as codes;

use super::{
    fault::Fault,
    scalar::{Meaning, Scalar},
    schema::{Format, Shape},
    suggest::nearest,
    tree::Mark,
};

/// The fault of a text that is none of those allowed.
pub(super) fn not_allowed(allowed: &[Box<str>], text: &str, at: Mark) -> Fault {
    let listed = allowed.join(", ");
    let remedy = match nearest(text, allowed.iter().map(AsRef::as_ref)) {
        Some(name) => format!("write `{name}` if that was meant"),
        None => "write one of them".to_owned(),
    };
    Fault::new(
        codes::V005,
        at,
        format!("only these values are allowed: {listed}"),
        remedy,
    )
}

/// Cause and remedy where a text is not in the format.
pub(super) fn malformed(format: Format, text: &str) -> Option<(&'static str, &'static str)> {
    match format {
        Format::Base64 => (!is_base64(text)).then_some((
            "the value is not base64",
            "encode it, or write it in plain under `stringData`",
        )),
        Format::DateTime => serde_json::from_value::<Time>(text.into())
            .is_err()
            .then_some((
                "the value is not a time as RFC 3339 writes it",
                "write it like 2026-01-31T12:00:00Z",
            )),
    }
}

/// Base64 as Go decodes it: the standard alphabet with padding, line breaks passed over.
fn is_base64(text: &str) -> bool {
    let digits = text.bytes().filter(|b| !matches!(b, b'\r' | b'\n'));
    let (mut length, mut padding) = (0_usize, 0_usize);
    for byte in digits {
        length += 1;
        match byte {
            b'=' => padding += 1,
            _ if padding > 0 => return false,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {}
            _ => return false,
        }
    }
    length % 4 == 0 && padding <= 2
}

/// What a place wants.
pub(super) fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Object(_) => "a mapping",
        Shape::Array { .. } => "a list",
        Shape::Text(_) => "text",
        Shape::Integer { .. } => "a whole number",
        Shape::Boolean => "`true` or `false`",
        Shape::IntegerOrText => "a whole number or text",
        Shape::Quantity => "a quantity",
        Shape::Any => "a value",
    }
}

/// What stands there.
pub(super) fn found(scalar: &Scalar<'_>) -> &'static str {
    match scalar.meaning() {
        Meaning::Null => "nothing",
        Meaning::Boolean(_) => "a boolean, as which this word counts without quotes",
        Meaning::Integer(_) => "a number",
        Meaning::Number(_) => "a number with a fraction or too many digits",
        Meaning::Text(_) => "text",
    }
}

/// What to do about it.
pub(super) fn mend(shape: &Shape, scalar: &Scalar<'_>) -> &'static str {
    let unquoted = || Scalar::plain(scalar.text().into());
    match (shape, scalar.meaning()) {
        (Shape::Text(_) | Shape::IntegerOrText, _) => "put the value in quotes",
        (Shape::Integer { .. }, Meaning::Text(_))
            if matches!(unquoted().meaning(), Meaning::Integer(_)) =>
        {
            "remove the quotes"
        }
        (Shape::Boolean, Meaning::Text(_))
            if matches!(unquoted().meaning(), Meaning::Boolean(_)) =>
        {
            "remove the quotes"
        }
        (Shape::Integer { .. }, _) => "write a whole number",
        (Shape::Boolean, _) => "write `true` or `false`",
        (Shape::Array { .. }, _) => "write a list: each element on its own line after `- `",
        (Shape::Object(_), _) => "write `key: value` lines below it, further indented",
        (Shape::Quantity | Shape::Any, _) => "write a value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64() {
        let table = [
            ("", true),
            ("aGk=", true),
            ("aGkh", true),
            ("aGk\n=\r\n", true),
            ("aGk", false),
            ("a===", false),
            ("aG=k", false),
            ("aGk-", false),
        ];
        for (text, want) in table {
            assert_eq!(is_base64(text), want, "{text:?}");
        }
    }
}
