// SPDX-License-Identifier: Apache-2.0
//! What is decided of one Service on one node, with the reason kept.
//!
//! [`decide`] is the one function behind the stored decisions of the own node, `explain` and `plan`.

use std::{net::IpAddr, sync::Arc};

use ferrolb_config::compiled::BgpAdvertisement;
use ferrolb_types::{Family, NodeName, PeerName};
use ipnet::IpNet;

use crate::{
    bgp,
    candidates::{self, Candidates},
    election,
    inputs::Inputs,
    interfaces::Interfaces,
    layer2::Contest,
    reason::Reason,
    slab::{NodeId, SlotId},
};

/// Announced so, or not announced for a reason.
pub type Verdict<T> = Result<T, Reason>;

/// The decision on one Service and one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the node answers ARP and NDP for the addresses.
    pub layer2: Verdict<L2Announcement>,
    /// Whether the node announces routes, and which.
    pub bgp: Verdict<Vec<RouteOffer>>,
    /// The node elected in layer 2, where there is one.
    pub owner: Option<Owner>,
}

/// Addresses answered for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct L2Announcement {
    /// The addresses of the Service.
    pub addresses: Arc<[IpAddr]>,
    /// Where they are answered for.
    pub interfaces: Interfaces,
}

/// One prefix that one advertisement makes of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteOffer {
    /// The prefix.
    pub prefix: IpNet,
    /// The advertisement, with the attributes and the peers it is for.
    pub advertisement: Arc<BgpAdvertisement>,
}

/// The node elected in layer 2.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Owner {
    /// Its name.
    pub node: NodeName,
    /// What put it first.
    pub rule: Rule,
}

/// What put the first candidate before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// There is no second.
    Only,
    /// A higher score from `preferredNodeSelectors`.
    Preference,
    /// Equal scores, smaller hash.
    Hash,
    /// Those before it lack the interfaces.
    Interfaces,
}

/// What the own node announces of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Announced {
    /// By ARP and NDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer2: Option<L2Announcement>,
    /// By routes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp: Option<BgpAnnouncement>,
}

/// Routes announced.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BgpAnnouncement {
    /// The addresses of the Service.
    pub addresses: Arc<[IpAddr]>,
    /// The prefixes they are announced by, ascending.
    pub prefixes: Vec<IpNet>,
    /// The peers of the node that are sent at least one of them, and of which family, ascending.
    pub receivers: Vec<(PeerName, Family)>,
}

impl BgpAnnouncement {
    /// The peers that are sent at least one route, each once, ascending.
    pub fn peers(&self) -> impl Iterator<Item = &PeerName> {
        let same = |a: &(PeerName, Family), b: &(PeerName, Family)| a.0 == b.0;
        self.receivers
            .chunk_by(same)
            .filter_map(|peer| Some(&peer.first()?.0))
    }
}

impl Announced {
    /// Whether nothing is announced.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.layer2.is_none() && self.bgp.is_none()
    }
}

/// The decision on a Service and a node.
pub(crate) fn decide(inputs: &Inputs, id: SlotId, node: NodeId) -> Decision {
    let (layer2, owner) = match contest(inputs, id, |contest| {
        (contest.decide(node).verdict, elected(inputs, contest))
    }) {
        Ok(both) => both,
        Err(reason) => (Err(reason), None),
    };
    let addresses = || {
        inputs
            .services
            .record(id)
            .and_then(|r| r.addresses.clone().ok())
    };
    Decision {
        layer2: layer2.map(|interfaces| L2Announcement {
            addresses: addresses().unwrap_or_else(|| Arc::from([])),
            interfaces,
        }),
        bgp: offers(inputs, id, node),
        owner,
    }
}

/// Looks at the layer 2 election of a Service, where it comes to one.
pub(crate) fn contest<T>(
    inputs: &Inputs,
    id: SlotId,
    look: impl FnOnce(&Contest<'_>) -> T,
) -> Result<T, Reason> {
    let (record, pool) = inputs.pool_of(id)?;
    if !inputs.services.has_endpoint(id, false) {
        return Err(Reason::NoEndpoints);
    }
    let places = candidates::matching(pool, record)?;
    let candidates = Candidates::new(inputs, pool, &places);
    Ok(look(&Contest::new(inputs, &candidates, id, record)))
}

/// What `node` announces by BGP.
pub(crate) fn offers(inputs: &Inputs, id: SlotId, node: NodeId) -> Verdict<Vec<RouteOffer>> {
    let (record, pool) = inputs.pool_of(id)?;
    let ads = bgp::decide(inputs, id, record, pool, node)?;
    let mut offers = Vec::with_capacity(ads.len());
    for address in record.held() {
        offers.extend(ads.iter().map(|ad| RouteOffer {
            prefix: bgp::prefix(*address, ad),
            advertisement: Arc::clone(ad),
        }));
    }
    Ok(offers)
}

/// Whether nobody wins the election, and `node` is first among those that lack the interfaces.
pub(crate) fn would_answer(contest: &Contest<'_>, node: NodeId) -> bool {
    let ranked = contest.rank();
    let first = ranked.first().map(|ranked| ranked.candidate.node);
    first == Some(node) && election::owner(&ranked).is_none()
}

/// Who wins the election.
pub(crate) fn elected(inputs: &Inputs, contest: &Contest<'_>) -> Option<Owner> {
    let ranked = contest.rank();
    let owner = election::owner(&ranked)?;
    let rule = match &ranked[..] {
        [first, ..] if first.candidate.node != owner.node => Rule::Interfaces,
        [first, second, ..] if first.candidate.score > second.candidate.score => Rule::Preference,
        [_, _, ..] => Rule::Hash,
        _ => Rule::Only,
    };
    let node = inputs.nodes.get(owner.node)?.name.clone();
    Some(Owner { node, rule })
}
