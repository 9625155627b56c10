// SPDX-License-Identifier: Apache-2.0
//! What every object's metadata must satisfy beyond its schema: the forms of names, labels and
//! annotations (Kubernetes API validation; RFC 1123 section 2.1, RFC 1035 section 2.3.1).

use ferrolb_types::{FieldPath, codes::schema as codes};

use super::{
    catalogue::{Kind, NameForm},
    fault::Fault,
    tree::{Mark, Member, Node, Value},
    walk::Walk,
};

/// Bytes all annotations of an object may have together.
const MOST_ANNOTATION_BYTES: usize = 256 * 1024;

/// Checks the metadata of a document, which begins at `at`.
pub(super) fn check(kind: &Kind, root: &Node<'_>, at: Mark, walk: &mut Walk) {
    let Some(meta) = root.member("metadata").filter(|meta| !meta.value.is_null()) else {
        return nameless(None, at, walk);
    };
    if !matches!(meta.value.value, Value::Mapping(_)) {
        return;
    }
    match meta.value.get("name").filter(|name| !name.is_null()) {
        None => nameless(meta.value.member("generateName"), meta.at, walk),
        Some(name) => check_name(kind.name_form, name, "name", walk),
    }
    if let Some(namespace) = meta.value.get("namespace") {
        check_name(NameForm::Label, namespace, "namespace", walk);
    }
    labels(&meta.value, walk);
    annotations(&meta.value, walk);
}

fn path(name: &str) -> FieldPath {
    FieldPath::root().key("metadata").key(name.to_owned())
}

fn nameless(generated: Option<&Member<'_>>, at: Mark, walk: &mut Walk) {
    let (at, cause) = match generated {
        Some(member) => (
            member.at,
            "the object has no name, and outside an API server nobody generates one",
        ),
        None => (at, "the object has no name"),
    };
    walk.fault(Fault::new(codes::V002, at, cause, "write `metadata.name`").field(path("name")));
}

fn check_name(form: NameForm, node: &Node<'_>, field: &str, walk: &mut Walk) {
    let Some(text) = node.text() else { return };
    let (good, cause) = match form {
        NameForm::Subdomain => (
            is_subdomain(text),
            "the name may hold lower-case letters, digits, `-` and `.`, must begin and end with a letter \
             or digit, and has at most 253 characters",
        ),
        NameForm::Label => (
            is_label(text),
            "the name may hold lower-case letters, digits and `-`, must begin and end with a letter or \
             digit, and has at most 63 characters",
        ),
        NameForm::ServiceLabel => (
            is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase()),
            "the name may hold lower-case letters, digits and `-`, must begin with a letter and end with a \
             letter or digit, and has at most 63 characters",
        ),
    };
    if !good {
        let fault = Fault::new(codes::V008, node.at, cause, "choose another name");
        walk.fault(fault.field(path(field)).value(text));
    }
}

fn labels(meta: &Node<'_>, walk: &mut Walk) {
    for label in meta.get("labels").map(Node::members).unwrap_or_default() {
        let field = path("labels").key(label.key.to_string());
        if !is_qualified(&label.key) {
            walk.fault(bad_key(label.at, "label", field));
        } else if let Some(value) = label.value.text().filter(|value| !is_label_value(value)) {
            let fault = Fault::new(
                codes::V009,
                label.value.at,
                "a label value may hold letters, digits, `-`, `_` and `.`, must begin and end with a letter \
                 or digit, and has at most 63 characters",
                "choose another value, or make it an annotation",
            );
            walk.fault(fault.field(field).value(value));
        }
    }
}

fn annotations(meta: &Node<'_>, walk: &mut Walk) {
    let Some(all) = meta.member("annotations") else {
        return;
    };
    let mut bytes = 0_usize;
    for annotation in all.value.members() {
        bytes += annotation.key.len() + annotation.value.text().map_or(0, str::len);
        // Only the key's case is free: annotations of old controllers have capitals before the slash.
        if !is_qualified(&annotation.key.to_ascii_lowercase()) {
            let field = path("annotations").key(annotation.key.to_string());
            walk.fault(bad_key(annotation.at, "annotation", field));
        }
    }
    if bytes > MOST_ANNOTATION_BYTES {
        let cause = format!(
            "the annotations have {bytes} bytes, at most {MOST_ANNOTATION_BYTES} are allowed"
        );
        walk.fault(
            Fault::new(codes::V009, all.at, cause, "shorten them").field(path("annotations")),
        );
    }
}

fn bad_key(at: Mark, what: &str, field: FieldPath) -> Fault {
    let cause = format!(
        "the {what} key is no qualified name: an optional domain before a slash, then at most 63 letters, \
         digits, `-`, `_` and `.`"
    );
    Fault::new(
        codes::V009,
        at,
        cause,
        "write a key like `example.com/name`",
    )
    .field(field)
}

fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && !name.is_empty() && is_label_value(name),
        None => !key.is_empty() && is_label_value(key),
    }
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dashed)
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_dashed(text)
}

/// Lower-case letters, digits and inner dashes.
fn is_dashed(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    has_form(text, letter, |b| b == b'-')
}

/// Empty, or letters, digits and inner `-`, `_`, `.`.
fn is_label_value(text: &str) -> bool {
    let inner = |b: u8| matches!(b, b'-' | b'_' | b'.');
    text.is_empty() || text.len() <= 63 && has_form(text, |b| b.is_ascii_alphanumeric(), inner)
}

/// Whether all bytes are outer or inner ones, the first and last outer ones.
fn has_form(text: &str, outer: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let end = |byte: Option<&u8>| byte.is_some_and(|byte| outer(*byte));
    end(bytes.first()) && end(bytes.last()) && bytes.iter().all(|&b| outer(b) || inner(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let long = "a".repeat(64);
        let table: [(&str, bool, bool, bool, bool); 13] = [
            // text, subdomain, label, label value, qualified key
            ("web", true, true, true, true),
            ("a.b-c.d", true, false, true, true),
            ("Web", false, false, true, true),
            ("a_b", false, false, true, true),
            ("-a", false, false, false, false),
            ("a-", false, false, false, false),
            ("a..b", false, false, true, true),
            ("", false, false, true, false),
            ("metallb.io/x", false, false, false, true),
            ("metallb.io/", false, false, false, false),
            ("/x", false, false, false, false),
            ("a/b/c", false, false, false, false),
            (&long, true, false, false, false),
        ];
        for (text, subdomain, label, value, key) in table {
            assert_eq!(is_subdomain(text), subdomain, "{text}");
            assert_eq!(is_label(text), label, "{text}");
            assert_eq!(is_label_value(text), value, "{text}");
            assert_eq!(is_qualified(text), key, "{text}");
        }
    }
}
