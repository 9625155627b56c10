// SPDX-License-Identifier: Apache-2.0
//! Any object that a source may yield, as the rest of the program takes it.

use std::sync::Arc;

use ferrolb_api::{
    resource::{
        BFDProfile, BGPAdvertisement, BGPPeer, BGPPeerV1Beta1, Community, IPAddressPool,
        L2Advertisement,
    },
    view::{EndpointSliceView, NamespaceView, NodeView, SecretView, ServiceView},
};
use ferrolb_types::ObjectRef;

/// An object: the operator's configuration as it stands, the cluster's own kinds as compact views.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// Addresses that Services may get.
    IPAddressPool(Box<IPAddressPool>),
    /// An announcement by BGP.
    BGPAdvertisement(Box<BGPAdvertisement>),
    /// An announcement by ARP and NDP.
    L2Advertisement(Box<L2Advertisement>),
    /// A router, as `v1beta2` writes it.
    BGPPeer(Box<BGPPeer>),
    /// A router, as `v1beta1` writes it.
    BGPPeerV1Beta1(Box<BGPPeerV1Beta1>),
    /// Timers for Bidirectional Forwarding Detection.
    BFDProfile(Box<BFDProfile>),
    /// Names for BGP communities.
    Community(Box<Community>),
    /// A Service.
    Service(Arc<ServiceView>),
    /// Endpoints of a Service.
    EndpointSlice(Box<EndpointSliceView>),
    /// A node.
    Node(Box<NodeView>),
    /// A namespace.
    Namespace(Box<NamespaceView>),
    /// A secret.
    Secret(Box<SecretView>),
}

impl Object {
    /// Whether it is of a `metallb.io` kind.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::IPAddressPool(_)
                | Self::BGPAdvertisement(_)
                | Self::L2Advertisement(_)
                | Self::BGPPeer(_)
                | Self::BGPPeerV1Beta1(_)
                | Self::BFDProfile(_)
                | Self::Community(_)
        )
    }

    /// Which object it is. Both versions of a BGPPeer are the same object.
    #[must_use]
    pub fn reference(&self) -> ObjectRef {
        let named = |kind: &'static str, meta: &ferrolb_api::core::ObjectMeta| {
            let text = |field: &Option<String>| field.clone().unwrap_or_default();
            ObjectRef::new(kind, text(&meta.namespace), text(&meta.name))
        };
        match self {
            Self::IPAddressPool(object) => named("IPAddressPool", &object.metadata),
            Self::BGPAdvertisement(object) => named("BGPAdvertisement", &object.metadata),
            Self::L2Advertisement(object) => named("L2Advertisement", &object.metadata),
            Self::BGPPeer(object) => named("BGPPeer", &object.metadata),
            Self::BGPPeerV1Beta1(object) => named("BGPPeer", &object.metadata),
            Self::BFDProfile(object) => named("BFDProfile", &object.metadata),
            Self::Community(object) => named("Community", &object.metadata),
            Self::Service(view) => ObjectRef::new("Service", view.key.namespace(), view.key.name()),
            Self::EndpointSlice(view) => {
                ObjectRef::new("EndpointSlice", view.key.namespace(), view.key.name())
            }
            Self::Node(view) => ObjectRef::new("Node", "", view.name.as_str()),
            Self::Namespace(view) => ObjectRef::new("Namespace", "", view.name.as_str()),
            Self::Secret(view) => ObjectRef::new("Secret", &*view.namespace, &*view.name),
        }
    }
}
