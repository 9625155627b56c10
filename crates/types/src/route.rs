// SPDX-License-Identifier: Apache-2.0
//! A route as the decisions hand it to BGP: what to say of a prefix, and to whom.

use std::sync::Arc;

use crate::{Community, PeerName};

/// What is said of one prefix besides what the session itself determines (ORIGIN, AS_PATH, NEXT_HOP).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteAttributes {
    /// LOCAL_PREF towards internal peers; absent means the protocol's customary 100.
    pub local_pref: Option<u32>,
    /// Communities, ascending, each once.
    pub communities: Vec<Community>,
}

/// Which peers get a prefix, each with which attributes. Peers not named get nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteTargets {
    /// Every peer of the node gets the same.
    All(Arc<RouteAttributes>),
    /// Each named peer gets its own; ascending by name.
    Peers(Vec<(PeerName, Arc<RouteAttributes>)>),
}

impl RouteTargets {
    /// What the peer gets, if anything.
    #[must_use]
    pub fn for_peer(&self, peer: &PeerName) -> Option<&Arc<RouteAttributes>> {
        match self {
            Self::All(attributes) => Some(attributes),
            Self::Peers(list) => {
                let at = list.binary_search_by(|(name, _)| name.cmp(peer)).ok()?;
                list.get(at).map(|(_, attributes)| attributes)
            }
        }
    }
}
