// SPDX-License-Identifier: Apache-2.0
//! From a peer of the configuration to one the BGP speaker takes.

use ferrolb_bgp::{Families, PeerConfig};
use ferrolb_config::compiled::{Peer, PeerAs};

/// The peer as the speaker takes it; nothing for one that needs what the speaker does not have. Such
/// a peer is refused when the configuration is compiled, so it does not come here.
pub(super) fn config(peer: &Peer) -> Option<PeerConfig> {
    let PeerAs::Exactly(peer_asn) = peer.peer_as else {
        return None;
    };
    let mut config = PeerConfig::new(
        peer.name.clone(),
        peer.my_asn,
        peer_asn,
        peer.connection.address?,
    );
    config.port = peer.connection.port;
    config.source_address = peer.connection.source;
    config.hold_time = peer.timers.hold.unwrap_or(config.hold_time);
    config.keepalive_time = peer.timers.keepalive;
    config.connect_time = peer.timers.connect;
    config.router_id = peer.router_id;
    config.password = peer.password.clone();
    config.ebgp_multihop = peer.connection.multihop;
    config.families = if peer.dual_stack {
        Families::Both
    } else {
        Families::Own
    };
    Some(config)
}
