// SPDX-License-Identifier: Apache-2.0
//! Conversion of a `BGPPeer` from `metallb.io/v1beta1`.

use ferrolb_api::{
    core::{LabelSelector, LabelSelectorRequirement},
    resource::{
        BGPPeer, BGPPeerSpec, BGPPeerSpecV1Beta1, BGPPeerV1Beta1, NodeSelectorV1Beta1,
        RequirementV1Beta1,
    },
};

/// The same peer in the stored version. Timers that are not written stay unwritten, a port of 0 means the
/// default, and an empty node selector matches every node.
#[must_use]
pub fn peer_from_v1beta1(old: BGPPeerV1Beta1) -> BGPPeer {
    BGPPeer {
        metadata: old.metadata,
        spec: spec(old.spec),
    }
}

fn spec(old: BGPPeerSpecV1Beta1) -> BGPPeerSpec {
    BGPPeerSpec {
        my_asn: old.my_asn,
        peer_asn: Some(old.peer_asn),
        peer_address: Some(old.peer_address),
        source_address: old.source_address,
        peer_port: old.peer_port.filter(|port| *port != 0),
        hold_time: old.hold_time,
        keepalive_time: old.keepalive_time,
        router_id: old.router_id,
        node_selectors: old.node_selectors.into_iter().map(selector).collect(),
        password: old.password,
        bfd_profile: old.bfd_profile,
        ebgp_multi_hop: old.ebgp_multi_hop,
        ..BGPPeerSpec::default()
    }
}

fn selector(old: NodeSelectorV1Beta1) -> LabelSelector {
    let expressions = old.match_expressions.into_iter().map(requirement);
    LabelSelector {
        match_labels: Some(old.match_labels).filter(|labels| !labels.is_empty()),
        match_expressions: Some(expressions.collect::<Vec<_>>()).filter(|list| !list.is_empty()),
    }
}

fn requirement(old: RequirementV1Beta1) -> LabelSelectorRequirement {
    LabelSelectorRequirement {
        key: old.key,
        operator: old.operator,
        values: Some(old.values),
    }
}
