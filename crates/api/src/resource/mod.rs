// SPDX-License-Identifier: Apache-2.0
//! The nine kinds of the group `metallb.io`, a file each.
//!
//! Every kind implements [`k8s_openapi::Resource`], which carries its `apiVersion` and `kind`; the
//! structs hold `metadata`, `spec` and `status` alone.

mod bfd_profile;
mod bgp_advertisement;
mod bgp_peer;
mod community;
mod ip_address_pool;
mod l2_advertisement;
mod status;

pub use bfd_profile::{BFDProfile, BFDProfileSpec};
pub use bgp_advertisement::{BGPAdvertisement, BGPAdvertisementSpec};
pub use bgp_peer::{
    BGPPeer, BGPPeerSpec, BGPPeerSpecV1Beta1, BGPPeerV1Beta1, NodeSelectorV1Beta1, PasswordSecret,
    RequirementV1Beta1,
};
pub use community::{Community, CommunityAlias, CommunitySpec};
pub use ip_address_pool::{
    IPAddressPool, IPAddressPoolSpec, IPAddressPoolStatus, ServiceAllocation,
};
pub use l2_advertisement::{L2Advertisement, L2AdvertisementSpec, PreferredNodeSelector};
pub use status::{
    ConfigurationState, ConfigurationStateStatus, InterfaceInfo, ServiceBGPStatus,
    ServiceBGPStatusStatus, ServiceL2Status, ServiceL2StatusStatus,
};

/// The API group of all nine kinds.
pub const GROUP: &str = "metallb.io";

/// Implements the Kubernetes resource traits for a namespaced kind of `metallb.io`.
macro_rules! resource {
    ($type:ident, $kind:literal, $version:literal, $plural:literal) => {
        impl k8s_openapi::Resource for $type {
            const API_VERSION: &'static str = concat!("metallb.io/", $version);
            const GROUP: &'static str = "metallb.io";
            const KIND: &'static str = $kind;
            const VERSION: &'static str = $version;
            const URL_PATH_SEGMENT: &'static str = $plural;
            type Scope = k8s_openapi::NamespaceResourceScope;
        }

        impl k8s_openapi::Metadata for $type {
            type Ty = k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

            fn metadata(&self) -> &Self::Ty {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut Self::Ty {
                &mut self.metadata
            }
        }
    };
}
use resource;
