// SPDX-License-Identifier: Apache-2.0
//! The states of the drivers as metrics, taken right before a scrape.

use ferrolb_bgp::{PeerStatus, State};
use ferrolb_telemetry::metrics::{BgpPeer, Layer2Address, Messages, PeerLabels};

use crate::drivers::layer2;

/// A BGP peer.
#[must_use]
pub fn bgp_peer(status: &PeerStatus, labels: PeerLabels) -> BgpPeer {
    BgpPeer {
        labels,
        up: status.state == State::Established,
        advertised: status.families.iter().map(|family| family.advertised).sum(),
        pending: status.families.iter().map(|family| family.pending).sum(),
        sent: messages(&status.sent),
        received: messages(&status.received),
        losses: status.flaps,
    }
}

fn messages(messages: &ferrolb_bgp::Messages) -> Messages {
    Messages {
        open: messages.open,
        update: messages.update,
        notification: messages.notification,
        keepalive: messages.keepalive,
        route_refresh: messages.route_refresh,
    }
}

/// The addresses answered in layer 2.
#[must_use]
pub fn layer2_addresses(status: &layer2::Status) -> Vec<Layer2Address> {
    let address = |status: &layer2::AddressStatus| Layer2Address {
        address: status.address,
        requests_received: status.requests_received,
        responses_sent: status.responses_sent,
        gratuitous_sent: status.gratuitous_sent,
    };
    status.addresses.iter().map(address).collect()
}
