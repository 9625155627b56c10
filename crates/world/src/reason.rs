// SPDX-License-Identifier: Apache-2.0
//! Why a Service is not announced: one value per cause, with its code.
//!
//! The sentences and remedies stand in [`crate::sentence`].

use std::{net::IpAddr, sync::Arc};

use ferrolb_types::{Code, ObjectRef, PoolName, ServiceKey, codes::announce as code};

/// How a Service is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// By answering ARP and NDP.
    Layer2,
    /// By routes.
    Bgp,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Layer2 => "layer 2",
            Self::Bgp => "BGP",
        })
    }
}

/// Why a node does not announce a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// The first complete lists are not in: nothing is announced and nothing withdrawn.
    #[default]
    NotSynced,
    /// There is no such Service.
    NoSuchService,
    /// Its type is another.
    NotLoadBalancer,
    /// Its class is not the one this process stands for.
    OtherClass(Option<Box<str>>),
    /// Its status holds no entry.
    NoAddress,
    /// An entry of its status is no address; the text, empty where there is none.
    InvalidAddress(Box<str>),
    /// The address belongs to no pool.
    NotInPool(IpAddr),
    /// The addresses belong to these two pools.
    SeveralPools(Box<(PoolName, PoolName)>),
    /// The address belongs to a pool that is refused and has no good version.
    PoolRefused(Box<(IpAddr, ObjectRef)>),
    /// An older Service that may not share holds the address too.
    Doubled(Box<(IpAddr, ServiceKey)>),
    /// No advertisement of the protocol selects the pool.
    NotAdvertised(PoolName),
    /// None of the pool's advertisements matches the labels of the Service.
    NoMatchingAdvertisement(PoolName),
    /// None of the advertisements in question selects the node.
    NodeNotSelected(PoolName),
    /// Shared addresses and advertisements with service selectors do not go together in layer 2.
    SharedWithSelectors(Arc<str>),
    /// Two advertisements say different things of the same route.
    ConflictingAdvertisements(Box<(String, String)>),
    /// There is no such Node object.
    UnknownNode,
    /// The node's network is unavailable.
    NetworkUnavailable,
    /// The node's label takes it out.
    Excluded,
    /// The speaker there is not alive.
    NotAlive,
    /// No endpoint is usable anywhere.
    NoEndpoints,
    /// No endpoint on this node is usable, and the traffic policy is `Local`.
    NoLocalEndpoints,
    /// The node has none of the interfaces to announce on.
    NoInterface,
    /// The speaker there refuses the pool and knows no good version of it.
    RefusesPool(PoolName),
    /// Another candidate comes first in the election.
    NotOwner,
}

impl Reason {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoAddress => code::N001,
            Self::InvalidAddress(_) => code::N002,
            Self::NotInPool(_) => code::N003,
            Self::SeveralPools(_) => code::N004,
            Self::PoolRefused(_) => code::N005,
            Self::Doubled(_) => code::N006,
            Self::NotLoadBalancer => code::N007,
            Self::OtherClass(_) => code::N008,
            Self::NotSynced => code::N009,
            Self::NotAdvertised(_) => code::N010,
            Self::NoMatchingAdvertisement(_) => code::N011,
            Self::NodeNotSelected(_) => code::N012,
            Self::SharedWithSelectors(_) => code::N013,
            Self::ConflictingAdvertisements(_) => code::N014,
            Self::NetworkUnavailable => code::N015,
            Self::Excluded => code::N016,
            Self::NoEndpoints => code::N017,
            Self::NoLocalEndpoints => code::N018,
            Self::NotOwner => code::N019,
            Self::NotAlive => code::N020,
            Self::NoInterface => code::N021,
            Self::RefusesPool(_) => code::N026,
            Self::NoSuchService => code::N022,
            Self::UnknownNode => code::N023,
        }
    }

    /// The word MetalLB's log has for it, for those who search by it; absent where it has none.
    #[must_use]
    pub fn metallb(&self, protocol: Protocol) -> Option<&'static str> {
        Some(match (self, protocol) {
            (Self::NoAddress, _) => "noIPAllocated",
            (Self::InvalidAddress(_), _) => "invalidIP",
            (Self::NotInPool(_) | Self::SeveralPools(_) | Self::PoolRefused(_), _) => {
                "ipNotAllowed"
            }
            (Self::NoMatchingAdvertisement(_), _)
            | (Self::NotAdvertised(_) | Self::NodeNotSelected(_), Protocol::Layer2) => {
                "noMatchingAdvertisement"
            }
            (Self::SharedWithSelectors(_), _) => "sharedIPWithServiceSelector",
            (Self::ConflictingAdvertisements(_), _) => "conflictingAdvertisements",
            (Self::NetworkUnavailable, Protocol::Bgp) => "nodeNetworkUnavailable",
            (Self::Excluded, Protocol::Bgp) => "nodeLabeledExcludeBalancers",
            (Self::NoLocalEndpoints, Protocol::Bgp) => "noLocalEndpoints",
            (Self::NoEndpoints, Protocol::Bgp) => "noEndpoints",
            (
                Self::NotAdvertised(_)
                | Self::NodeNotSelected(_)
                | Self::NetworkUnavailable
                | Self::Excluded
                | Self::NotAlive
                | Self::NoEndpoints
                | Self::NoLocalEndpoints
                | Self::NoInterface
                | Self::RefusesPool(_)
                | Self::NotOwner,
                _,
            ) => "notOwner",
            _ => return None,
        })
    }
}
