// SPDX-License-Identifier: Apache-2.0
//! `metallb_speaker_announced`: which address of which Service this node announces, and how.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use ferrolb_types::ServiceKey;

use super::lock;
use crate::text::Page;

/// How an address is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// To BGP peers.
    Bgp,
    /// By ARP and NDP.
    Layer2,
}

impl Protocol {
    /// The value of the label `protocol`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Bgp => "bgp",
            Self::Layer2 => "layer2",
        }
    }
}

/// What this node announces. Each call costs what it changes.
#[derive(Debug)]
pub struct Announced {
    node: String,
    /// Only what is announced stands here; addresses are in the order of the Service's status.
    held: Mutex<Held>,
}

type Held = BTreeMap<(ServiceKey, Protocol), Arc<[IpAddr]>>;

impl Announced {
    pub(super) fn new(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            held: Mutex::default(),
        }
    }

    /// This node announces these addresses of the Service in this protocol, and no others; none is no announcement.
    pub fn set(
        &self,
        service: &ServiceKey,
        protocol: Protocol,
        addresses: impl Into<Arc<[IpAddr]>>,
    ) {
        let (key, addresses) = ((service.clone(), protocol), addresses.into());
        let mut held = lock(&self.held);
        if addresses.is_empty() {
            held.remove(&key);
        } else {
            held.insert(key, addresses);
        }
    }

    /// This node announces exactly these, and nothing else.
    pub fn replace<'a>(&self, all: impl IntoIterator<Item = (ServiceKey, Protocol, &'a [IpAddr])>) {
        let all = all
            .into_iter()
            .filter(|(.., addresses)| !addresses.is_empty());
        *lock(&self.held) = all
            .map(|(service, protocol, addresses)| ((service, protocol), addresses.into()))
            .collect();
    }

    /// How many Services are announced in this protocol.
    #[must_use]
    pub fn count(&self, protocol: Protocol) -> usize {
        lock(&self.held)
            .keys()
            .filter(|(_, of)| *of == protocol)
            .count()
    }

    pub(super) fn write(&self, page: &mut Page) {
        let family = page.gauge(
            "metallb_speaker_announced",
            "Addresses announced from this node, 1 each.",
        );
        for ((service, protocol), addresses) in lock(&self.held).iter() {
            let service = service.to_string();
            for address in &**addresses {
                let labels = [
                    ("ip", address.to_string().as_str()),
                    ("node", &self.node),
                    ("protocol", protocol.label()),
                    ("service", &service),
                ]
                .map(|(name, value)| (name, value.to_owned()));
                let labels = labels
                    .each_ref()
                    .map(|(name, value)| (*name, value.as_str()));
                family.add(&labels, 1_u64);
            }
        }
    }
}
