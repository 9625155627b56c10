// SPDX-License-Identifier: Apache-2.0
//! An EndpointSlice: its usable endpoints per node.

use ferrolb_types::{EndpointSliceKey, NodeName, ServiceKey};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointSlice};

use super::{Nameless, name, namespace};
use crate::annotations::SERVICE_NAME;

/// An EndpointSlice reduced to where its usable endpoints are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSliceView {
    /// The slice.
    pub key: EndpointSliceKey,
    /// The Service it belongs to, from its label; without one it counts for nothing.
    pub service: Option<ServiceKey>,
    /// The usable endpoints, one entry per node and per presence of an address, sorted.
    pub usable: Vec<UsableEndpoint>,
}

/// Usable endpoints of a slice on one node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsableEndpoint {
    /// The node, where the endpoint says it.
    pub node: Option<NodeName>,
    /// Whether it has at least one address; BGP asks for one, layer 2 does not.
    pub has_address: bool,
}

impl TryFrom<&EndpointSlice> for EndpointSliceView {
    type Error = Nameless;

    fn try_from(object: &EndpointSlice) -> Result<Self, Nameless> {
        let meta = &object.metadata;
        let namespace = namespace(meta);
        let service = meta
            .labels
            .as_ref()
            .and_then(|labels| labels.get(SERVICE_NAME));
        let mut usable: Vec<UsableEndpoint> = object
            .endpoints
            .iter()
            .flatten()
            .filter_map(reduce)
            .collect();
        usable.sort_unstable();
        usable.dedup();
        Ok(Self {
            service: service.map(|name| ServiceKey::new(namespace, name)),
            key: EndpointSliceKey::new(namespace, name(meta)?),
            usable,
        })
    }
}

fn reduce(endpoint: &Endpoint) -> Option<UsableEndpoint> {
    endpoint
        .conditions
        .as_ref()
        .is_none_or(usable)
        .then(|| UsableEndpoint {
            node: endpoint.node_name.as_deref().map(NodeName::from),
            has_address: !endpoint.addresses.is_empty(),
        })
}

/// Ready, or not told; and a terminating endpoint for as long as it still serves.
fn usable(conditions: &EndpointConditions) -> bool {
    conditions.ready.unwrap_or(true) || conditions.serving.unwrap_or(false)
}
