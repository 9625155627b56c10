// SPDX-License-Identifier: Apache-2.0
//! What is known of the speakers: who is alive, and what each says of itself.

use std::collections::BTreeSet;

use ferrolb_types::NodeName;

/// What another speaker says of itself. A node without facts counts as a MetalLB speaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// The node it runs on.
    pub node: NodeName,
    /// Its version, as it prints it.
    pub version: String,
    /// The interfaces it can announce on; absent when it has not said.
    pub interfaces: Option<BTreeSet<String>>,
    /// What it can do beyond the common ground, by name.
    pub features: BTreeSet<String>,
}

impl NodeFacts {
    /// Whether it is known that the node has no interface at all.
    #[must_use]
    pub fn has_no_interface(&self) -> bool {
        self.interfaces.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// Whether it is known that the node has none of these interfaces.
    #[must_use]
    pub fn lacks_all(&self, named: &BTreeSet<String>) -> bool {
        self.interfaces
            .as_ref()
            .is_some_and(|present| present.is_disjoint(named))
    }
}

/// Who is there to announce in layer 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Liveness {
    /// Membership is off: every Node is taken to have a speaker.
    #[default]
    AllNodes,
    /// The nodes whose speaker is alive or merely suspected.
    Nodes(BTreeSet<NodeName>),
}
