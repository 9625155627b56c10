// SPDX-License-Identifier: Apache-2.0
//! Who was heard when, in both orders: by name, and by who will be silent first.
//!
//! A beat, and the question who falls silent next, cost the same with a thousand nodes as with ten.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use ferrolb_types::NodeName;

/// The nodes that are heard and when each last was.
#[derive(Debug, Default)]
pub(super) struct Heard {
    at: BTreeMap<NodeName, Instant>,
    by_time: BTreeSet<(Instant, NodeName)>,
    /// How many entries were looked at, ever.
    #[cfg(test)]
    pub(super) visits: std::cell::Cell<u64>,
}

impl Heard {
    /// The node was heard; true where it was not before.
    pub(super) fn insert(&mut self, node: &NodeName, now: Instant) -> bool {
        self.visit(1);
        let before = self.at.insert(node.clone(), now);
        if let Some(before) = before {
            self.by_time.remove(&(before, node.clone()));
        }
        self.by_time.insert((now, node.clone()));
        before.is_none()
    }

    /// The node is gone; true where it was there.
    pub(super) fn remove(&mut self, node: &NodeName) -> bool {
        self.visit(1);
        let before = self.at.remove(node);
        if let Some(before) = before {
            self.by_time.remove(&(before, node.clone()));
        }
        before.is_some()
    }

    /// Whether the node is heard. Not counted: it is asked for each datagram that is sent.
    pub(super) fn contains(&self, node: &NodeName) -> bool {
        self.at.contains_key(node)
    }

    /// When the node that is silent longest was heard.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.visit(1);
        self.by_time.first().map(|(at, _)| *at)
    }

    /// The node that is silent longest, where it was heard at `limit` or before.
    pub(super) fn silent_since(&self, limit: Instant) -> Option<NodeName> {
        self.visit(1);
        let (at, node) = self.by_time.first()?;
        (*at <= limit).then(|| node.clone())
    }

    /// The nodes that are heard.
    pub(super) fn names(&self) -> impl Iterator<Item = &NodeName> {
        self.at.keys().inspect(|_| self.visit(1))
    }

    /// Every node counts as heard `late` later than it was, `now` at the latest.
    pub(super) fn excuse(&mut self, now: Instant, late: Duration) {
        self.visit(self.at.len() as u64);
        for at in self.at.values_mut() {
            *at = now.min(*at + late);
        }
        let pairs = self.at.iter().map(|(node, at)| (*at, node.clone()));
        self.by_time = pairs.collect();
    }

    #[cfg(test)]
    fn visit(&self, entries: u64) {
        self.visits.set(self.visits.get() + entries);
    }

    #[cfg(not(test))]
    const fn visit(&self, _: u64) {}
}
