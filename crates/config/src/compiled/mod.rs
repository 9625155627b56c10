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

use ferrolb_types::{Diagnostic, IpRange, ObjectRef, PeerName, PoolName};

pub use advertisement::{BgpAdvertisement, L2Advertisement, Preference};
pub use index::AddressIndex;
pub use peer::{BfdProfile, Connection, Peer, PeerAs, Timers};
pub use pool::{Entry, Pinning, Pool};

/// Everything the operator configured, as far as it could be used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Usable pools by name. No two of them share an address.
    pub pools: BTreeMap<PoolName, Arc<Pool>>,
    /// Usable peers by name, of all nodes: who speaks with one is asked of its `nodes`.
    pub peers: BTreeMap<PeerName, Arc<Peer>>,
    /// Usable BFD profiles by name.
    pub bfd_profiles: BTreeMap<String, Arc<BfdProfile>>,
    /// Objects that are refused in their present form, by object.
    pub refused: BTreeMap<ObjectRef, Refused>,
    /// What is taken, but probably not meant; sorted.
    pub warnings: Vec<Diagnostic>,
    /// Look-up of addresses, derived from `pools`, which stay as they are once it was used.
    pub index: AddressIndex,
}

/// An object whose present form cannot be used, or, for a BGP advertisement whose diagnostics are all of
/// the rules A7 and A8, not on all of its pools.
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
