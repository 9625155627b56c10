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

    /// The nodes of a reach, in words: the first by name, and how many more there are.
    pub(crate) fn words(&self, reach: &Reach) -> String {
        let mut reached = self.0.iter().enumerate();
        let first = reached.find(|(place, _)| reach.has(*place));
        let name = first
            .map(|(_, (name, _))| name.as_str())
            .unwrap_or_default();
        match reach.count() {
            0 | 1 => format!("the node {name}"),
            2 => format!("the node {name} and one more"),
            count => format!("the node {name} and {} more", count - 1),
        }
    }
}

impl Reach {
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

    fn has(&self, place: usize) -> bool {
        let word = self.0.get(place / 64);
        word.is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}
