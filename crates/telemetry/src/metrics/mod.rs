// SPDX-License-Identifier: Apache-2.0
//! Every metric of a process.
//!
//! Three ways to tell one, by how often it changes:
//! - counted where it happens: a [`Counter`] is one atomic, taken once and held;
//! - told with each change: [`Announced`] costs what changed, whatever else is announced;
//! - told as a whole right before a scrape: pools, addresses in layer 2, sessions, faults. What is no
//!   longer told is no longer there, so a deleted pool, peer or Service leaves no series behind.

mod announced;
mod client;
mod counter;
mod layer2;
mod own;
mod pools;
mod process;
mod sessions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use announced::{Announced, Protocol};
pub use client::Client;
pub use counter::{Counter, Counters, Switch};
pub use layer2::Layer2Address;
pub use own::{Beats, Own, Standing};
pub use pools::PoolUsage;
pub use sessions::{BfdPeer, BgpPeer, Messages, PeerLabels};

use crate::text::Page;

/// Every metric of a process. A clone tells the same ones.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    announced: Announced,
    own: Own,
    pools: Mutex<Vec<PoolUsage>>,
    layer2: Mutex<Vec<Layer2Address>>,
    bgp: Mutex<Vec<BgpPeer>>,
    bfd: Mutex<Vec<BfdPeer>>,
}

impl Metrics {
    /// The metrics of a process in `role` (`controller`, `speaker`, `standalone`), on `node` where it announces.
    #[must_use]
    pub fn new(role: &'static str, version: &'static str, node: Option<&str>) -> Self {
        Self(Arc::new(Inner {
            client: Client::default(),
            announced: Announced::new(node.unwrap_or_default()),
            own: Own::new(role, version),
            pools: Mutex::default(),
            layer2: Mutex::default(),
            bgp: Mutex::default(),
            bfd: Mutex::default(),
        }))
    }

    /// How the inputs fare: `metallb_k8s_client_*`.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// What this node announces: `metallb_speaker_announced`.
    #[must_use]
    pub fn announced(&self) -> &Announced {
        &self.0.announced
    }

    /// What MetalLB does not have: `ferrolb_*`.
    #[must_use]
    pub fn own(&self) -> &Own {
        &self.0.own
    }

    /// The pools as they are now: `metallb_allocator_*`.
    pub fn tell_pools(&self, pools: Vec<PoolUsage>) {
        *lock(&self.0.pools) = pools;
    }

    /// The addresses answered in layer 2 as they are now: `metallb_layer2_*`.
    pub fn tell_layer2(&self, addresses: Vec<Layer2Address>) {
        *lock(&self.0.layer2) = addresses;
    }

    /// The BGP peers as they are now: `metallb_bgp_*`.
    pub fn tell_bgp(&self, peers: Vec<BgpPeer>) {
        *lock(&self.0.bgp) = peers;
    }

    /// The BFD peers as they are now: `metallb_bfd_*`.
    pub fn tell_bfd(&self, peers: Vec<BfdPeer>) {
        *lock(&self.0.bfd) = peers;
    }

    /// All of it in the text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = Page::default();
        self.write(&mut page);
        process::write(&mut page);
        page.render()
    }

    /// All but the figures of the process itself.
    fn write(&self, page: &mut Page) {
        let inner = &self.0;
        inner.client.write(page);
        inner.announced.write(page);
        inner.own.write(page);
        pools::write(page, &lock(&inner.pools));
        layer2::write(page, &lock(&inner.layer2));
        sessions::write_bgp(page, &lock(&inner.bgp));
        sessions::write_bfd(page, &lock(&inner.bfd));
    }
}

/// A lock whose holder failed holds a whole value all the same: each is replaced in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
