// SPDX-License-Identifier: Apache-2.0
//! What an Event looks like on the wire.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use serde_json::{Value, json};

use super::{Note, Subject, tally::Told};
use crate::Error;

/// Bytes a message may have.
const MOST_MESSAGE: usize = 1024;

/// Bytes an object's name may have.
const MOST_NAME: usize = 253;

/// The namespace of Events on `subject`.
pub(super) fn namespace(subject: &Subject) -> &str {
    if subject.namespace.is_empty() {
        "default"
    } else {
        &subject.namespace
    }
}

/// What makes the name of an Event one of its own: chance.
pub(super) fn tail() -> Result<u64, Error> {
    getrandom::u64().map_err(|error| Error::Random(error.to_string()))
}

/// The name of an Event: the object's, a point, and its tail.
pub(super) fn name(subject: &Subject, tail: u64) -> String {
    let tail = format!(".{tail:016x}");
    let head = cut(&subject.name, MOST_NAME - tail.len()).trim_end_matches(['.', '-']);
    format!("{head}{tail}")
}

pub(super) fn event(
    subject: &Subject,
    note: &Note,
    told: &Told,
    component: &str,
    host: &str,
) -> Value {
    let type_ = if note.warning { "Warning" } else { "Normal" };
    let now = now();
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "name": name(subject, told.tail), "namespace": namespace(subject) },
        "involvedObject": {
            "kind": subject.kind, "apiVersion": subject.api_version,
            "namespace": subject.namespace, "name": subject.name, "uid": subject.uid,
        },
        "reason": note.reason,
        "message": cut(&note.message, MOST_MESSAGE),
        "type": type_,
        "source": { "component": component, "host": host },
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": told.count,
        "reportingComponent": component,
        "reportingInstance": host,
    })
}

/// The change that says it happened again.
pub(super) fn recount(told: &Told) -> Value {
    json!({ "count": told.count, "lastTimestamp": now() })
}

fn now() -> Time {
    Time(Timestamp::now())
}

/// At most `most` bytes of `text`, cut between characters.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> Subject {
        Subject::service(&ferrolb_types::ServiceKey::new("shop", name), "u")
    }

    #[test]
    fn names_fit() {
        for length in [1, 200, 240, 253] {
            let made = name(&subject(&"a".repeat(length)), 1);
            assert!(made.len() <= MOST_NAME, "{length}");
            assert!(made.starts_with('a'));
        }
        let dotted = name(&subject(&format!("{}.-x", "a".repeat(235))), 1);
        assert!(!dotted.contains("-."), "{dotted}");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(cut("grüße", 3), "gr");
        assert_eq!(cut("grüße", 4), "grü");
        assert_eq!(cut("a", 4), "a");
    }
}
