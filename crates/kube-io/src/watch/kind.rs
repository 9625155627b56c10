// SPDX-License-Identifier: Apache-2.0
//! The kinds that are followed: where they are, and which of their objects we ask for.

use ferrolb_api::resource::{
    BFDProfile, BGPAdvertisement, BGPPeer, Community, IPAddressPool, L2Advertisement,
};
use k8s_openapi::Resource;

use crate::{request, source::Source};

/// A kind that can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watched {
    /// Services of all namespaces.
    Services,
    /// EndpointSlices of all namespaces.
    EndpointSlices,
    /// Nodes.
    Nodes,
    /// Namespaces.
    Namespaces,
    /// Secrets of type `kubernetes.io/basic-auth` in our namespace, for passwords of peers.
    Secrets,
    /// `IPAddressPool`s in our namespace.
    IPAddressPools,
    /// `BGPAdvertisement`s in our namespace.
    BGPAdvertisements,
    /// `L2Advertisement`s in our namespace.
    L2Advertisements,
    /// `BGPPeer`s in our namespace, as `v1beta2`.
    BGPPeers,
    /// `BFDProfile`s in our namespace.
    BFDProfiles,
    /// `Community`s in our namespace.
    Communities,
}

/// The type of Secret that a peer's password may be in.
const BASIC_AUTH: &str = "type=kubernetes.io/basic-auth";

impl Watched {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Services,
        Self::EndpointSlices,
        Self::Nodes,
        Self::Namespaces,
        Self::Secrets,
        Self::IPAddressPools,
        Self::BGPAdvertisements,
        Self::L2Advertisements,
        Self::BGPPeers,
        Self::BFDProfiles,
        Self::Communities,
    ];

    /// The kind as on the wire.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Services => "Service",
            Self::EndpointSlices => "EndpointSlice",
            Self::Nodes => "Node",
            Self::Namespaces => "Namespace",
            Self::Secrets => "Secret",
            Self::IPAddressPools => IPAddressPool::KIND,
            Self::BGPAdvertisements => BGPAdvertisement::KIND,
            Self::L2Advertisements => L2Advertisement::KIND,
            Self::BGPPeers => BGPPeer::KIND,
            Self::BFDProfiles => BFDProfile::KIND,
            Self::Communities => Community::KIND,
        }
    }

    /// API version and plural.
    fn place(self) -> (&'static str, &'static str) {
        fn of<K: Resource>() -> (&'static str, &'static str) {
            (K::API_VERSION, K::URL_PATH_SEGMENT)
        }
        match self {
            Self::Services => ("v1", "services"),
            Self::EndpointSlices => ("discovery.k8s.io/v1", "endpointslices"),
            Self::Nodes => ("v1", "nodes"),
            Self::Namespaces => ("v1", "namespaces"),
            Self::Secrets => ("v1", "secrets"),
            Self::IPAddressPools => of::<IPAddressPool>(),
            Self::BGPAdvertisements => of::<BGPAdvertisement>(),
            Self::L2Advertisements => of::<L2Advertisement>(),
            Self::BGPPeers => of::<BGPPeer>(),
            Self::BFDProfiles => of::<BFDProfile>(),
            Self::Communities => of::<Community>(),
        }
    }

    /// Whether objects of the whole cluster are asked for.
    fn is_cluster_wide(self) -> bool {
        matches!(
            self,
            Self::Services | Self::EndpointSlices | Self::Nodes | Self::Namespaces
        )
    }

    /// Where its objects are read; those of our own kinds in `namespace`.
    pub(crate) fn source(self, namespace: &str) -> Source {
        let (api_version, plural) = self.place();
        let namespace = (!self.is_cluster_wide()).then_some(namespace);
        let selector = match self {
            Self::Secrets => format!("fieldSelector={}", request::escape(BASIC_AUTH)),
            _ => String::new(),
        };
        let source = Source::new(
            request::collection(api_version, namespace, plural),
            selector,
        );
        match self {
            Self::Nodes => source.of_big_objects(),
            _ => source,
        }
    }
}

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.place().1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let url = |kind: Watched| kind.source("metallb-system").list_path(None);
        let table = [
            (Watched::Services, "/api/v1/services?limit=500"),
            (
                Watched::EndpointSlices,
                "/apis/discovery.k8s.io/v1/endpointslices?limit=500",
            ),
            (
                Watched::Secrets,
                "/api/v1/namespaces/metallb-system/secrets?fieldSelector=type%3Dkubernetes.io%2Fbasic-auth&limit=500",
            ),
            (
                Watched::BGPPeers,
                "/apis/metallb.io/v1beta2/namespaces/metallb-system/bgppeers?limit=500",
            ),
        ];
        for (kind, want) in table {
            assert_eq!(url(kind), want);
        }
    }
}
