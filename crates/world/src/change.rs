// SPDX-License-Identifier: Apache-2.0
//! What changed since it was last told: net changes only, what goes away before what comes.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use ferrolb_config::compiled::Peer;
use ferrolb_types::{PeerName, RouteTargets, ServiceKey};
use ipnet::IpNet;

use crate::{decision::Announced, interfaces::Interfaces};

/// One change for the drivers to carry out.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Speak no longer with this peer.
    PeerDown(PeerName),
    /// Answer for an address on these interfaces; or no longer.
    Layer2 {
        /// The address.
        address: IpAddr,
        /// Where; absent means nowhere.
        announce: Option<Interfaces>,
    },
    /// Tell the peers this of a prefix; or withdraw it.
    Route {
        /// The prefix.
        prefix: IpNet,
        /// Who is told what; absent means withdrawn everywhere.
        targets: Option<RouteTargets>,
    },
    /// Speak with this peer; or, where it is spoken with already, in this way.
    PeerUp(Arc<Peer>),
    /// What the own node announces of a Service is now this: for events, metrics and status.
    Service {
        /// The Service.
        key: ServiceKey,
        /// What was announced when this was last told.
        before: Announced,
        /// What is announced; nothing at all for one that is withdrawn or gone.
        announced: Announced,
    },
}

/// Keys whose value may have changed, each with the value last told.
#[derive(Debug)]
pub(crate) struct Pending<K, V> {
    told: BTreeMap<K, Option<V>>,
    /// Those of them that have no value now.
    gone: BTreeSet<K>,
}

impl<K, V> Default for Pending<K, V> {
    fn default() -> Self {
        Self {
            told: BTreeMap::new(),
            gone: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone, V: PartialEq> Pending<K, V> {
    /// Before a value may change: remembers it, unless an older one is remembered.
    pub(crate) fn touch(&mut self, key: &K, current: impl FnOnce() -> Option<V>) {
        if !self.told.contains_key(key) {
            self.told.insert(key.clone(), current());
        }
    }

    /// After it may have changed: whether there is a value now.
    pub(crate) fn settle(&mut self, key: &K, present: bool) {
        if present {
            self.gone.remove(key);
        } else {
            self.gone.insert(key.clone());
        }
    }

    /// The next key that lost its value.
    pub(crate) fn pop_gone(&mut self) -> Option<K> {
        while let Some(key) = self.gone.pop_first() {
            if self.told.remove(&key).flatten().is_some() {
                return Some(key);
            }
        }
        None
    }

    /// The next key whose value differs from the one last told, with that one and the one it has now, which
    /// `current` gives.
    pub(crate) fn pop(&mut self, current: impl Fn(&K) -> Option<V>) -> Option<(K, Option<V>, V)> {
        while let Some((key, told)) = self.told.pop_first() {
            match current(&key) {
                Some(now) if told.as_ref() != Some(&now) => return Some((key, told, now)),
                _ => {}
            }
        }
        None
    }
}

/// Everything that waits to be told.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) peers: Pending<PeerName, Arc<Peer>>,
    pub(crate) addresses: Pending<IpAddr, Interfaces>,
    pub(crate) routes: Pending<IpNet, RouteTargets>,
    pub(crate) services: Pending<ServiceKey, Announced>,
}
