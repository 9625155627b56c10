// SPDX-License-Identifier: Apache-2.0
//! The compiled configuration: what allocation and announcement work with.
//!
//! Values are parsed, defaults are filled in, references between objects are resolved, and what could
//! not be used is listed beside what could.

mod advertisement;
mod index;
mod peer;
mod pool;

use std::{collections::BTreeMap, sync::Arc};

use ferrolb_types::{Diagnostic, IpRange, Labels, ObjectRef, PeerName, PoolName};

pub use advertisement::{BgpAdvertisement, DEFAULT_LOCAL_PREF, L2Advertisement, Preference};
pub use index::AddressIndex;
pub use peer::{BfdProfile, Connection, Peer, PeerAs, Timers};
pub use pool::{Entry, Pinning, Pool};

/// Everything the operator configured, as far as it could be used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Usable pools by name. No two of them share an address.
    pub pools: BTreeMap<PoolName, Arc<Pool>>,
    /// Usable peers by name, of all nodes: who speaks with one is asked of [`Config::peers_on`].
    pub peers: BTreeMap<PeerName, Arc<Peer>>,
    /// By peer, the older ones of the same address or interface and VRF, oldest first. Kept apart from
    /// the peers, whose sessions go on when an older one comes or goes on other nodes.
    pub older_peers: BTreeMap<PeerName, Vec<PeerName>>,
    /// Usable BFD profiles by name.
    pub bfd_profiles: BTreeMap<String, Arc<BfdProfile>>,
    /// Objects that are refused in their present form, by object.
    pub refused: BTreeMap<ObjectRef, Refused>,
    /// What is taken, but probably not meant; sorted.
    pub warnings: Vec<Diagnostic>,
    /// Look-up of addresses, derived from `pools`, which stay as they are once it was used.
    pub index: AddressIndex,
}

/// An object whose present form cannot be used; or not everywhere: for a BGP advertisement whose
/// diagnostics are all of the rules A7 and A8, not on all of its pools or nodes, and for a peer whose
/// diagnostics are all of M8, not on all of its nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Why; at least one error.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether an earlier, good version of it is in force (and stands in the lists of [`Config`]).
    pub last_good_in_force: bool,
    /// For a pool without a good version: the ranges that could be read of it. Services that hold an
    /// address in them keep it, nothing new is allocated from them, and layer 2 does not stand for them.
    pub ranges: Vec<IpRange>,
}

impl Config {
    /// The pool an address belongs to, in logarithmic time.
    #[must_use]
    pub fn pool_of(&self, address: std::net::IpAddr) -> Option<&Arc<Pool>> {
        self.index.find(&self.pools, address)
    }

    /// The peers that a node with these labels speaks with, by name: of several with one address or
    /// interface and VRF the oldest (M8).
    pub fn peers_on<'a>(
        &'a self,
        node: &'a Labels,
    ) -> impl Iterator<Item = (&'a PeerName, &'a Arc<Peer>)> {
        let peers = self.peers.iter();
        peers.filter(|(name, peer)| {
            peer.nodes.matches(node) && self.overruling(name, node).is_none()
        })
    }

    /// The older peer that a node with these labels speaks with in place of this one, if there is one.
    #[must_use]
    pub fn overruling(&self, peer: &PeerName, node: &Labels) -> Option<&Arc<Peer>> {
        let older = self.older_peers.get(peer)?.iter();
        let mut older = older.filter_map(|name| self.peers.get(name));
        older.find(|older| older.nodes.matches(node))
    }

    /// Prepares [`Config::pool_of`].
    pub(crate) fn build_index(&self) {
        self.index.build(&self.pools);
    }

    /// Every diagnostic of every refused object, in the order of the objects.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.refused
            .values()
            .flat_map(|refused| &refused.diagnostics)
    }
}
