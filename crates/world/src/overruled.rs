// SPDX-License-Identifier: Apache-2.0
//! What older objects keep from having an effect on a node, put into words.

use ferrolb_config::compiled::{BgpAdvertisement, Peer, Pool};
use ferrolb_types::{
    Labels,
    codes::{advertisement, peer as session},
};

use crate::{explain::Refusal, inputs::Inputs, slab::SlotId};

/// The BGP advertisements and peers that select a node with these labels and that the Service is not
/// announced by there, since older ones have their place. Nothing where BGP does not announce the pool.
pub(crate) fn on(inputs: &Inputs, id: SlotId, node: &Labels) -> Vec<Refusal> {
    let Ok((_, pool)) = inputs.pool_of(id) else {
        return Vec::new();
    };
    if pool.bgp.is_empty() {
        return Vec::new();
    }
    let overruled = pool.overruled_on(node).into_iter();
    let ads = overruled.map(|(ad, older)| of_advertisement(pool, ad, older));
    let config = &inputs.config;
    let peers = config
        .peers
        .values()
        .filter(|peer| peer.nodes.matches(node));
    let peers = peers.filter_map(|peer| {
        let older = config.overruling(&peer.name, node)?;
        Some(of_peer(peer, older))
    });
    ads.chain(peers).collect()
}

fn of_advertisement(pool: &Pool, ad: &BgpAdvertisement, older: &BgpAdvertisement) -> Refusal {
    Refusal {
        code: advertisement::A008,
        sentence: format!(
            "the BGPAdvertisement {} has no effect here, as the older {} gives the pool {} the localPref {} \
             and not {}",
            ad.name,
            older.name,
            pool.name,
            older.effective_local_pref(),
            ad.effective_local_pref()
        ),
        remedy: "make localPref equal, or give them nodeSelectors without a common node".into(),
    }
}

fn of_peer(peer: &Peer, older: &Peer) -> Refusal {
    Refusal {
        code: session::B060,
        sentence: format!(
            "the BGPPeer {} has no effect here, as the older {} speaks with the same router",
            peer.name, older.name
        ),
        remedy: "remove one of the two, or give them nodeSelectors without a common node".into(),
    }
}
