// SPDX-License-Identifier: Apache-2.0
//! The `ServiceL2Status` and `ServiceBGPStatus` objects of one node.
//!
//! What stands is followed by the node's label; what is desired is told. Per Service and protocol the two
//! are compared and one step is taken: delete what is too many, create what is missing, take over what an
//! earlier speaker of the node left, write the status that differs. Equal sets are never rewritten. A node
//! that begins to answer for a Service in layer 2 removes what other nodes still say of it, once: they
//! write it anew if they still answer.
//!
//! Few requests at a time, and only when no Service waits for its address.

mod keeper;
mod lists;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferrolb_types::{PeerName, ServiceKey};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::own::{self, Own, Protocol};
use crate::{
    Cluster,
    latest::Latest,
    pods::Owner,
    reflect::{self, Event, Follow},
};
use keeper::Keeper;
use state::State;

/// Requests under way at once.
const CONCURRENCY: usize = 4;

/// Batches of changes that may wait.
const WAITING: usize = 4;

/// Whose statuses these are.
#[derive(Clone, Debug)]
pub struct ServiceStatusesOptions {
    /// Our node.
    pub node: String,
    /// Our Pod, so that what we wrote goes with it.
    pub owner: Option<Owner>,
}

/// The keeper. Clones share it.
#[derive(Clone, Debug)]
pub struct ServiceStatuses {
    shared: Arc<Shared>,
}

type Key = (Protocol, ServiceKey);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    work: Latest<Key, ()>,
}

impl ServiceStatuses {
    /// Begins.
    #[must_use]
    pub fn start(
        cluster: &Cluster,
        options: ServiceStatusesOptions,
        stop: &CancellationToken,
    ) -> Self {
        let options = Arc::new(options);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(Arc::clone(&options))),
            work: Latest::new(),
        });
        let (sender, receiver) = mpsc::channel(WAITING);
        for protocol in Protocol::BOTH {
            let follow = Follow {
                source: protocol.of_node(cluster.namespace(), &options.node),
                decode: own::decode,
                map: Box::new(move |event| Some((protocol, event))),
                what: protocol.kind(),
            };
            reflect::spawn(cluster, follow, sender.clone(), stop);
        }
        let keeper = Keeper {
            cluster: cluster.clone(),
            options,
            shared: Arc::clone(&shared),
        };
        let mut tasks = vec![tokio::spawn(observe(Arc::clone(&shared), receiver))];
        for _ in 0..CONCURRENCY {
            tasks.push(tokio::spawn(keeper.clone().run()));
        }
        let stop = stop.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            tasks.iter().for_each(tokio::task::JoinHandle::abort);
        });
        Self { shared }
    }

    /// We answer for this Service in layer 2 on these interfaces (none named: all), or do not answer.
    pub fn layer2(&self, key: ServiceKey, interfaces: Option<Vec<String>>) {
        self.desire((Protocol::Layer2, key), interfaces);
    }

    /// We announce this Service to these peers by BGP; none: we do not.
    pub fn bgp(&self, key: ServiceKey, peers: &[PeerName]) {
        let peers: Vec<String> = peers.iter().map(|peer| peer.as_str().to_owned()).collect();
        self.desire((Protocol::Bgp, key), (!peers.is_empty()).then_some(peers));
    }

    /// What we answer for in layer 2 is known completely: from now on, what is not desired goes.
    pub fn layer2_settled(&self) {
        self.settled(Protocol::Layer2);
    }

    /// What we announce by BGP, and to whom, is known completely: from now on, what is not desired goes.
    pub fn bgp_settled(&self) {
        self.settled(Protocol::Bgp);
    }

    fn settled(&self, protocol: Protocol) {
        let standing: Vec<Key> = {
            let mut state = self.shared.lock();
            if !state.settled.insert(protocol) {
                return;
            }
            state.standing(protocol).collect()
        };
        for key in standing {
            self.shared.work.put(key, ());
        }
    }

    fn desire(&self, key: Key, names: Option<Vec<String>>) {
        if self.shared.lock().desire(&key, names) {
            self.shared.work.put(key, ());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn observe(shared: Arc<Shared>, mut receiver: mpsc::Receiver<Vec<(Protocol, Event<Own>)>>) {
    while let Some(batch) = receiver.recv().await {
        for (protocol, event) in batch {
            let concerned = shared.lock().observe(protocol, event);
            for key in concerned {
                shared.work.put(key, ());
            }
        }
    }
}

#[cfg(test)]
mod tests;
