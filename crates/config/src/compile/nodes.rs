// SPDX-License-Identifier: Apache-2.0
//! Which of the known nodes a list of selectors reaches, and which of them two such lists share.

use ferrolb_types::{Labels, NodeName};

use crate::{resources::Resources, selector::AnyOf};

/// The known nodes by name, and their labels; none means that no node is known.
pub(crate) struct Nodes<'r>(Vec<(&'r NodeName, &'r Labels)>);

/// The nodes that a list of selectors reaches, a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach(Vec<u64>);

impl<'r> Nodes<'r> {
    pub(crate) fn new(resources: &'r Resources) -> Self {
        Self(
            resources
                .nodes
                .iter()
                .map(|(name, facts)| (name, &facts.labels))
                .collect(),
        )
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn reach(&self, selectors: &AnyOf) -> Reach {
        let word = |nodes: &[(&NodeName, &Labels)]| {
            let bits = nodes.iter().enumerate();
            bits.fold(0, |word, (bit, (_, labels))| {
                word | u64::from(selectors.matches(labels)) << bit
            })
        };
        Reach(self.0.chunks(64).map(word).collect())
    }
}

impl Reach {
    pub(crate) fn shares_with(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// The nodes of both.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let words = self.0.iter().zip(&other.0);
        Self(words.map(|(a, b)| a & b).collect())
    }

    /// Takes the nodes of the other out.
    pub(crate) fn remove(&mut self, other: &Self) {
        for (word, out) in self.0.iter_mut().zip(&other.0) {
            *word &= !out;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}
