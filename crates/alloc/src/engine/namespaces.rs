// SPDX-License-Identifier: Apache-2.0
//! The labels of Namespaces, and whether one that was not told of has none or is still to come.
//!
//! Namespaces and Services are told by watches of their own, so a Service may be seen before its Namespace.

use std::collections::HashMap;

use ferrolb_api::view::NamespaceView;
use ferrolb_types::Labels;

/// What is known of Namespaces.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    /// Where none is awaited, those with labels alone.
    known: HashMap<String, Labels>,
    awaited: bool,
    none: Labels,
}

impl Namespaces {
    /// Nothing is known yet. Where Namespaces are awaited, nothing is assumed of one that is not known.
    pub(super) fn new(awaited: bool) -> Self {
        Self {
            awaited,
            ..Self::default()
        }
    }

    /// The labels of a Namespace; `None` while they are not known.
    pub(super) fn labels(&self, namespace: &str) -> Option<&Labels> {
        let none = (!self.awaited).then_some(&self.none);
        self.known.get(namespace).or(none)
    }

    /// A Namespace is there, or has changed; whether that is news.
    pub(super) fn apply(&mut self, view: NamespaceView) -> bool {
        let news = self.labels(&view.name) != Some(&view.labels);
        if news {
            self.known.insert(view.name, view.labels);
        }
        news
    }

    /// A Namespace is gone; whether its Services are to be looked at. Where Namespaces are awaited they
    /// are about to go too, and stay as they are until then.
    pub(super) fn delete(&mut self, namespace: &str) -> bool {
        let labels = self.known.remove(namespace);
        !self.awaited && labels.is_some_and(|labels| !labels.is_empty())
    }
}
