// SPDX-License-Identifier: Apache-2.0
//! What is known of the speakers: who is alive, and what each says of itself.

use std::collections::BTreeSet;

use ferrolb_types::{NodeName, PoolName};
use sha2::{Digest, Sha256};

/// What another speaker says of itself. A node without facts counts as a MetalLB speaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// The node it runs on.
    pub node: NodeName,
    /// Its version, as it prints it.
    pub version: String,
    /// The interfaces it can announce on; absent when it has not said, or has too many to say.
    pub interfaces: Option<BTreeSet<String>>,
    /// Of the interfaces that advertisements name, those it does not have, where it has too many to say which
    /// it has.
    pub lacks: BTreeSet<String>,
    /// The [`pool_mark`]s of the pools it refuses, and knows no good version of.
    pub refuses: BTreeSet<u32>,
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
        match &self.interfaces {
            Some(present) => present.is_disjoint(named),
            None => named.is_subset(&self.lacks),
        }
    }
}

/// A number that stands for a pool where its name would take too much room. Should two pools have the same one,
/// a speaker that refuses one of them leaves the other to its neighbours too, and all of them see it so.
#[must_use]
pub fn pool_mark(pool: &PoolName) -> u32 {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(pool.as_str()).into();
    u32::from_be_bytes([a, b, c, d])
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
