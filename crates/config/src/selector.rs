// SPDX-License-Identifier: Apache-2.0
//! Label selectors, compiled.
//!
//! A selector is the AND of its requirements; a list of selectors is the OR of its members, and an
//! empty list means "no restriction" wherever one is written.

use std::collections::BTreeSet;

use ferrolb_types::Labels;

/// One requirement on a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requirement {
    /// The label is there with one of the values.
    In(String, BTreeSet<String>),
    /// The label is missing or has none of the values.
    NotIn(String, BTreeSet<String>),
    /// The label is there.
    Exists(String),
    /// The label is missing.
    DoesNotExist(String),
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::DoesNotExist(key) => !labels.contains_key(key),
        }
    }
}

/// A compiled `LabelSelector`. Without requirements it matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    /// The requirements, all of which must hold; sorted, so that equal selectors compare equal.
    pub requirements: Vec<Requirement>,
}

impl Selector {
    /// Whether every requirement holds.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements
            .iter()
            .all(|requirement| requirement.matches(labels))
    }
}

/// A list of selectors of which one must match; an empty list matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnyOf(pub Vec<Selector>);

impl AnyOf {
    /// Whether the list is empty or one of its selectors matches.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.is_empty() || self.0.iter().any(|selector| selector.matches(labels))
    }

    /// Whether nothing was restricted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
