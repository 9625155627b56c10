// SPDX-License-Identifier: Apache-2.0
//! Why an object that came as JSON cannot be read as its kind, with the field.

use ferrolb_types::FieldPath;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use serde_path_to_error::{Path, Segment};

/// What keeps an object from being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Where; the object as a whole where no field is at fault.
    pub field: FieldPath,
    /// What is wrong there. It may quote the value of the field.
    pub cause: String,
}

impl Unreadable {
    /// Reads an object once more as `T`, which failed with `error`, and looks where. The first reading is
    /// spared this: it takes several times as long.
    pub fn find<T: DeserializeOwned>(object: &Json, error: &serde_json::Error) -> Self {
        match serde_path_to_error::deserialize::<_, T>(object) {
            Err(found) => Self {
                field: path(found.path()),
                cause: found.inner().to_string(),
            },
            // What a text says twice is said once by now.
            Ok(_) => Self::whole(error.to_string()),
        }
    }

    /// The same of an object's text.
    pub fn find_in<T: DeserializeOwned>(text: &str, error: &serde_json::Error) -> Self {
        match serde_json::from_str(text) {
            Ok(object) => Self::find::<T>(&object, error),
            Err(_) => Self::whole(error.to_string()),
        }
    }

    /// A fault of the object as a whole.
    #[must_use]
    pub fn whole(cause: String) -> Self {
        Self {
            field: FieldPath::root(),
            cause,
        }
    }
}

fn path(path: &Path) -> FieldPath {
    path.iter()
        .fold(FieldPath::root(), |at, segment| match segment {
            Segment::Seq { index } => at.index(*index),
            Segment::Map { key } => at.key(key.clone()),
            Segment::Enum { variant } => at.key(variant.clone()),
            Segment::Unknown => at,
        })
}

#[cfg(test)]
mod tests {
    use ferrolb_api::resource::{BGPAdvertisement, IPAddressPool};
    use serde_json::json;

    use super::*;

    fn found<T: DeserializeOwned>(object: &Json) -> (String, String) {
        let Err(error) = T::deserialize(object) else {
            panic!("it can be read: {object}");
        };
        let fault = Unreadable::find::<T>(object, &error);
        let text = object.to_string();
        assert_eq!(Unreadable::find_in::<T>(&text, &error), fault);
        (fault.field.to_string(), fault.cause)
    }

    #[test]
    fn the_field_is_named_without_places_in_a_text_nobody_wrote() {
        let negative = json!({ "spec": { "localPref": -1 } });
        let (field, cause) = found::<BGPAdvertisement>(&negative);
        assert_eq!(field, "spec.localPref");
        assert!(cause.contains("`-1`") && !cause.contains("line"), "{cause}");
        let (field, _) = found::<IPAddressPool>(&json!({ "spec": { "addresses": ["a", 7] } }));
        assert_eq!(field, "spec.addresses[1]");
        let labels = json!({ "metadata": { "labels": { "a.b/c": 1 } }, "spec": {} });
        assert_eq!(found::<IPAddressPool>(&labels).0, "metadata.labels[a.b/c]");
    }

    #[test]
    fn without_a_field_it_is_the_object() {
        let twice = r#"{"spec": {"addresses": []}, "spec": {"addresses": []}}"#;
        for text in [twice, "{"] {
            let error = serde_json::from_str::<IPAddressPool>(text).unwrap_err();
            let fault = Unreadable::find_in::<IPAddressPool>(text, &error);
            assert_eq!(fault, Unreadable::whole(error.to_string()));
        }
    }
}
