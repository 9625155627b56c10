// SPDX-License-Identifier: Apache-2.0
//! Compiled advertisements.

use std::collections::BTreeSet;

use ferrolb_types::{Community, Family, Labels, PeerName};

use crate::selector::{AnyOf, Selector};

/// How the addresses of some pools are announced in layer 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L2Advertisement {
    /// Name of the object.
    pub name: String,
    /// Services it is for.
    pub services: AnyOf,
    /// Nodes it is for.
    pub nodes: AnyOf,
    /// Interfaces to answer on; empty means all.
    pub interfaces: BTreeSet<String>,
    /// Preferences in the election.
    pub preferences: Vec<Preference>,
}

/// A preference for the nodes a selector matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// The nodes.
    pub nodes: Selector,
    /// What they gain, 1 to 100.
    pub weight: u32,
}

impl L2Advertisement {
    /// What this advertisement adds to the score of a node; nothing for a node it does not select.
    #[must_use]
    pub fn score(&self, node_labels: &Labels) -> u32 {
        if !self.nodes.matches(node_labels) {
            return 0;
        }
        let matching = self
            .preferences
            .iter()
            .filter(|p| p.nodes.matches(node_labels));
        matching.fold(0, |sum, p| sum.saturating_add(p.weight))
    }
}

/// LOCAL_PREF where an advertisement sets none: what the protocol assumes.
pub const DEFAULT_LOCAL_PREF: u32 = 100;

/// How the addresses of some pools are announced by BGP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BgpAdvertisement {
    /// Name of the object.
    pub name: String,
    /// Services it is for.
    pub services: AnyOf,
    /// Nodes it is for.
    pub nodes: AnyOf,
    /// Peers it is for; empty means all.
    pub peers: BTreeSet<PeerName>,
    /// Length of the IPv4 prefix announced, 1 to 32.
    pub aggregation_length: u8,
    /// Length of the IPv6 prefix announced, 0 to 128.
    pub aggregation_length_v6: u8,
    /// LOCAL_PREF; absent when not written.
    pub local_pref: Option<u32>,
    /// Communities, aliases resolved.
    pub communities: BTreeSet<Community>,
}

impl BgpAdvertisement {
    /// The length of the prefix announced for an address of this family.
    #[must_use]
    pub fn aggregation(&self, family: Family) -> u8 {
        match family {
            Family::IPv4 => self.aggregation_length,
            Family::IPv6 => self.aggregation_length_v6,
        }
    }

    /// The LOCAL_PREF it amounts to.
    #[must_use]
    pub fn effective_local_pref(&self) -> u32 {
        self.local_pref.unwrap_or(DEFAULT_LOCAL_PREF)
    }

    /// Whether the two would tell one peer different LOCAL_PREFs for the same prefix of a pool with the
    /// families that `has` tells of.
    #[must_use]
    pub fn contradicts(&self, other: &Self, has: impl Fn(Family) -> bool) -> bool {
        let alike = |family| self.aggregation(family) == other.aggregation(family);
        let share_peer = || {
            self.peers.is_empty() || other.peers.is_empty() || !self.peers.is_disjoint(&other.peers)
        };
        self.effective_local_pref() != other.effective_local_pref()
            && [Family::IPv4, Family::IPv6]
                .into_iter()
                .any(|family| has(family) && alike(family))
            && share_peer()
    }

    /// Whether it and the other are for all Services of their pools, so that where they contradict each
    /// other on a node the older one counts there (A8). Others are told apart by the labels of Services.
    #[must_use]
    pub fn is_rival_of(&self, other: &Self) -> bool {
        self.services.is_empty() && other.services.is_empty()
    }

    /// Whether the advertisement is for this peer.
    #[must_use]
    pub fn is_for(&self, peer: &PeerName) -> bool {
        self.peers.is_empty() || self.peers.contains(peer)
    }
}
