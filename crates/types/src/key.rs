// SPDX-License-Identifier: Apache-2.0
//! Names of objects that live in a namespace: the namespace and the name, in one shared text.

use std::{convert::Infallible, fmt, str::FromStr, sync::Arc};

/// Between namespace and name, which cannot hold it. It sorts before everything they can hold, so that the
/// order of the texts is that of the pairs.
const SEPARATOR: char = '\0';

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The object `name` in `namespace`.
            #[must_use]
            pub fn new(namespace: impl AsRef<str>, name: impl AsRef<str>) -> Self {
                Self(joined(namespace.as_ref(), name.as_ref()))
            }

            /// The namespace.
            #[must_use]
            pub fn namespace(&self) -> &str {
                parted(&self.0).0
            }

            /// The name inside the namespace.
            #[must_use]
            pub fn name(&self) -> &str {
                parted(&self.0).1
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (namespace, name) = parted(&self.0);
                write!(f, "{namespace}/{name}")
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

key! {
    /// A Service: namespace and name. Cheap to clone; ordered by namespace, then name.
    ServiceKey
}
key! {
    /// An EndpointSlice: namespace and name. Cheap to clone; ordered by namespace, then name.
    EndpointSliceKey
}

fn joined(namespace: &str, name: &str) -> Arc<str> {
    let mut text = String::with_capacity(namespace.len() + SEPARATOR.len_utf8() + name.len());
    text.push_str(namespace);
    text.push(SEPARATOR);
    text.push_str(name);
    text.into()
}

fn parted(text: &str) -> (&str, &str) {
    text.split_once(SEPARATOR).unwrap_or(("", text))
}

/// `namespace/name`, or `name` alone for the namespace `default`.
impl FromStr for ServiceKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = text.split_once('/').unwrap_or(("default", text));
        Ok(Self::new(namespace, name))
    }
}

impl serde::Serialize for ServiceKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ServiceKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.parse() {
            Ok(key) => key,
            Err(never) => match never {},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_pairs() {
        // Letters that namespaces hold sort before the slash, with which keys are printed.
        let pairs = [
            ("a", "z"),
            ("a-b", "a"),
            ("a.b", "a"),
            ("ab", ""),
            ("ab", "c"),
        ];
        let keys = pairs.map(|(namespace, name)| ServiceKey::new(namespace, name));
        assert!(keys.is_sorted());
        assert_eq!(
            keys.map(|key| key.to_string()),
            ["a/z", "a-b/a", "a.b/a", "ab/", "ab/c"]
        );
    }

    #[test]
    fn a_key_is_taken_apart_as_it_was_put_together() {
        let key = ServiceKey::new("shop", "web");
        assert_eq!((key.namespace(), key.name()), ("shop", "web"));
        assert_eq!("shop/web".parse(), Ok(key));
        assert_eq!("web".parse(), Ok(ServiceKey::new("default", "web")));
    }
}
