// SPDX-License-Identifier: Apache-2.0
//! Which of the known nodes a list of selectors reaches, and whether two such lists share a node.

use ferrolb_types::Labels;

use crate::{resources::Resources, selector::AnyOf};

/// The labels of the known nodes; none means that no node is known.
pub(crate) struct Nodes<'r>(Vec<&'r Labels>);

/// The nodes that a list of selectors reaches, a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach(Vec<u64>);

impl<'r> Nodes<'r> {
    pub(crate) fn new(resources: &'r Resources) -> Self {
        Self(
            resources
                .nodes
                .values()
                .map(|facts| &facts.labels)
                .collect(),
        )
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn reach(&self, selectors: &AnyOf) -> Reach {
        let word = |labels: &[&Labels]| {
            let bits = labels.iter().enumerate();
            bits.fold(0, |word, (bit, labels)| {
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
}
