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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn view(endpoints: &Value) -> EndpointSliceView {
        let slice = json!({
            "metadata": {
                "name": "web-1", "namespace": "default",
                "labels": { "kubernetes.io/service-name": "web" },
            },
            "addressType": "IPv4", "endpoints": endpoints,
        });
        let slice: EndpointSlice = serde_json::from_value(slice).unwrap();
        EndpointSliceView::try_from(&slice).unwrap()
    }

    fn endpoint(node: &str, conditions: &Value) -> Value {
        json!({ "addresses": ["10.244.0.1"], "nodeName": node, "conditions": conditions })
    }

    /// The nodes with a usable endpoint.
    fn nodes(view: &EndpointSliceView) -> Vec<&str> {
        let named = view.usable.iter().filter_map(|one| one.node.as_ref());
        named.map(NodeName::as_str).collect()
    }

    /// Cases 9, 13, 14 and 50 of the behaviour reference, and the table beside them.
    #[test]
    fn which_conditions_make_an_endpoint_usable() {
        let table = [
            (json!({ "ready": true, "serving": true }), true),
            (json!({ "ready": true, "serving": false }), true),
            (json!({ "ready": true }), true),
            (json!({ "ready": false, "serving": true }), true),
            (json!({ "ready": false, "serving": false }), false),
            (json!({ "ready": false }), false),
            (json!({ "serving": true }), true),
            (json!({ "serving": false }), true),
            (json!({ "ready": null, "serving": null }), true),
            (json!({}), true),
            (Value::Null, true),
            // A Pod that ends counts for as long as it still serves.
            (
                json!({ "ready": false, "serving": true, "terminating": true }),
                true,
            ),
            (
                json!({ "ready": false, "serving": false, "terminating": true }),
                false,
            ),
            (json!({ "ready": false, "terminating": true }), false),
        ];
        for (conditions, usable) in table {
            let view = view(&json!([endpoint("n1", &conditions)]));
            assert_eq!(nodes(&view), ["n1"][..usable.into()], "{conditions}");
        }
        let untold = view(&json!([{ "addresses": ["10.244.0.1"], "nodeName": "n1" }]));
        assert_eq!(nodes(&untold), ["n1"]);
    }

    /// Case 51: what one entry says against an address, another may say for it.
    #[test]
    fn an_address_both_ready_and_not_is_usable() {
        let (up, down) = (
            json!({ "ready": true }),
            json!({ "ready": false, "serving": false }),
        );
        for both in [[&up, &down], [&down, &up]] {
            let view = view(&both.map(|conditions| endpoint("n1", conditions)).into());
            assert_eq!(nodes(&view), ["n1"]);
        }
    }

    #[test]
    fn endpoints_are_told_once_for_each_node_and_presence_of_an_address() {
        let up = json!({ "ready": true });
        let view = view(&json!([
            endpoint("n2", &up),
            endpoint("n1", &up),
            endpoint("n2", &up),
            { "addresses": [], "nodeName": "n1" },
            { "addresses": ["10.244.0.9"] },
        ]));
        let usable = view.usable.iter();
        let usable: Vec<_> = usable
            .map(|one| (one.node.as_ref().map(NodeName::as_str), one.has_address))
            .collect();
        let want = [
            (None, true),
            (Some("n1"), false),
            (Some("n1"), true),
            (Some("n2"), true),
        ];
        assert_eq!(usable, want);
    }

    #[test]
    fn a_slice_without_the_label_belongs_to_no_service() {
        let slice =
            json!({ "metadata": { "name": "web-1" }, "addressType": "IPv4", "endpoints": null });
        let slice: EndpointSlice = serde_json::from_value(slice).unwrap();
        let view = EndpointSliceView::try_from(&slice).unwrap();
        assert!(view.service.is_none() && view.usable.is_empty());
    }
}
