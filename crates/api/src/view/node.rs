// SPDX-License-Identifier: Apache-2.0
//! A Node: labels, addresses, and whether its network is available.

use std::net::IpAddr;

use ferrolb_types::{Labels, NodeName};
use k8s_openapi::api::core::v1::{Node, NodeStatus};

use super::{Nameless, labels, name};
use crate::annotations::EXCLUDE_FROM_LOAD_BALANCERS;

/// A Node as the decisions see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Its name.
    pub name: NodeName,
    /// Its labels.
    pub labels: Labels,
    /// Its `InternalIP` addresses, in the order of the object.
    pub internal_ips: Vec<IpAddr>,
    /// Whether the condition `NetworkUnavailable` is `True`; absent or unknown counts as available.
    pub network_unavailable: bool,
}

impl NodeView {
    /// Whether the node carries the label that takes it out of announcing.
    #[must_use]
    pub fn excluded(&self) -> bool {
        self.labels.contains_key(EXCLUDE_FROM_LOAD_BALANCERS)
    }
}

impl TryFrom<&Node> for NodeView {
    type Error = Nameless;

    fn try_from(object: &Node) -> Result<Self, Nameless> {
        let status = object.status.as_ref();
        Ok(Self {
            name: NodeName::from(name(&object.metadata)?),
            labels: labels(&object.metadata),
            internal_ips: status.map(internal_ips).unwrap_or_default(),
            network_unavailable: status.is_some_and(network_unavailable),
        })
    }
}

fn internal_ips(status: &NodeStatus) -> Vec<IpAddr> {
    let addresses = status.addresses.iter().flatten();
    addresses
        .filter(|address| address.type_ == "InternalIP")
        .filter_map(|address| address.address.parse().ok())
        .collect()
}

fn network_unavailable(status: &NodeStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|c| c.type_ == "NetworkUnavailable" && c.status == "True")
}
