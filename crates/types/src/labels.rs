// SPDX-License-Identifier: Apache-2.0
//! The labels of an object.

use std::{collections::BTreeMap, fmt, iter, sync::Arc};

/// Ends each key and each value, neither of which can hold it.
const END: char = '\0';

/// Labels of a Kubernetes object, or the labels a Service asks of its Pods: sorted by key, each key once.
///
/// All of them are one shared text. There are few on an object, and very many objects: looking through a
/// line or two of memory is as quick as any tree, and the tree takes ten times the memory.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<str>);

impl Labels {
    /// No labels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a label.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter()
            .find_map(|(other, value)| (other == key).then_some(value))
    }

    /// Whether the label is there.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut texts = self.0.split_terminator(END);
        iter::from_fn(move || Some((texts.next()?, texts.next()?)))
    }
}

impl From<&BTreeMap<String, String>> for Labels {
    fn from(labels: &BTreeMap<String, String>) -> Self {
        let texts = || labels.iter().flat_map(|(key, value)| [key, value]);
        let length = texts().map(|text| text.len() + END.len_utf8()).sum();
        let mut all = String::with_capacity(length);
        for text in texts() {
            all.push_str(text);
            all.push(END);
        }
        Self(all.into())
    }
}

/// Of a key that comes twice the last value counts.
impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(labels: I) -> Self {
        let owned = labels.into_iter().map(|(k, v)| (k.into(), v.into()));
        Self::from(&owned.collect::<BTreeMap<String, String>>())
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Labels {
    fn from(labels: [(K, V); N]) -> Self {
        labels.into_iter().collect()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_by_their_key_alone() {
        let labels = Labels::from([("app", "web"), ("tier", ""), ("", "odd")]);
        assert_eq!(labels.get("app"), Some("web"));
        assert_eq!(labels.get("tier"), Some(""));
        assert_eq!(labels.get(""), Some("odd"));
        assert_eq!(labels.get("web"), None, "a value is no key");
        assert!(labels.contains_key("tier") && !labels.contains_key("ap"));
    }

    #[test]
    fn they_stand_sorted_and_once() {
        let labels = Labels::from([("b", "1"), ("a", "2"), ("b", "3")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
        assert_eq!(labels, Labels::from([("a", "2"), ("b", "3")]));
    }

    #[test]
    fn without_any_there_is_nothing() {
        let none = Labels::new();
        assert!(none.is_empty() && none.get("").is_none() && none.iter().next().is_none());
        assert_eq!(none, Labels::from(&BTreeMap::new()));
        assert!(!Labels::from([("", "")]).is_empty());
    }
}
