// SPDX-License-Identifier: Apache-2.0
//! The BGP decision: whether a node announces a Service, and by which advertisements.
//!
//! Every node that may announce does; there is no election, and membership plays no part.

use std::{net::IpAddr, sync::Arc};

use ferrolb_config::compiled::{BgpAdvertisement, Peer, Pool};
use ferrolb_types::{Family, Labels};
use ipnet::IpNet;

use crate::{
    inputs::Inputs,
    reason::Reason,
    record::Record,
    slab::{NodeId, SlotId},
};

/// The advertisements by which `node` announces the Service.
pub(crate) fn decide<'a>(
    inputs: &Inputs,
    id: SlotId,
    record: &Record,
    pool: &'a Pool,
    node: NodeId,
) -> Result<Vec<&'a Arc<BgpAdvertisement>>, Reason> {
    if pool.bgp.is_empty() {
        return Err(Reason::NotAdvertised(pool.name.clone()));
    }
    let this = inputs.nodes.get(node).ok_or(Reason::UnknownNode)?;
    let labels = this.labels().ok_or(Reason::UnknownNode)?;
    let ads = matching(pool, record, labels)?;
    if let Some((one, other)) = conflict(pool, &ads) {
        let names = (one.name.clone(), other.name.clone());
        return Err(Reason::ConflictingAdvertisements(Box::new(names)));
    }
    if this.network_unavailable() {
        return Err(Reason::NetworkUnavailable);
    }
    if inputs.is_excluded(this) {
        return Err(Reason::Excluded);
    }
    if record.local && !inputs.services.has_endpoint_on(id, node, true) {
        return Err(Reason::NoLocalEndpoints);
    }
    if !inputs.services.has_endpoint(id, true) {
        return Err(Reason::NoEndpoints);
    }
    Ok(ads)
}

fn matching<'a>(
    pool: &'a Pool,
    record: &Record,
    node: &Labels,
) -> Result<Vec<&'a Arc<BgpAdvertisement>>, Reason> {
    let mut ads = pool.bgp_on(node);
    if ads.is_empty() {
        return Err(Reason::NodeNotSelected(pool.name.clone()));
    }
    ads.retain(|ad| ad.services.matches(&record.labels));
    if ads.is_empty() {
        return Err(Reason::NoMatchingAdvertisement(pool.name.clone()));
    }
    Ok(ads)
}

/// Two advertisements that would tell one peer different LOCAL_PREFs for the same prefix, and of which one
/// is for some Services alone: of others the older one counts.
fn conflict<'a>(
    pool: &Pool,
    ads: &[&'a Arc<BgpAdvertisement>],
) -> Option<(&'a BgpAdvertisement, &'a BgpAdvertisement)> {
    let mut rest = ads.iter();
    while let Some(one) = rest.next() {
        let mut others = rest.clone();
        let other = others.find(|other| one.contradicts(other, |family| pool.has_family(family)));
        if let Some(other) = other {
            return Some((one, other));
        }
    }
    None
}

/// The prefix an advertisement makes of an address.
pub(crate) fn prefix(address: IpAddr, ad: &BgpAdvertisement) -> IpNet {
    let length = ad.aggregation(Family::of(address));
    IpNet::new(address, length).map_or_else(|_| address.into(), |net| net.trunc())
}

/// Whether a session with this peer carries a family: without `dualStackAddressFamily` only that of
/// its addresses; an unnumbered one carries both.
#[must_use]
pub fn carries(peer: &Peer, family: Family) -> bool {
    let own = peer.connection.address.map(Family::of);
    peer.dual_stack || own.is_none_or(|own| own == family)
}
