// SPDX-License-Identifier: Apache-2.0
//! The routes of the own node: what all Services and advertisements together say of each prefix.
//!
//! A prefix that several Services or advertisements yield is one route. Its communities are united;
//! of different LOCAL_PREFs the highest wins, an unset one counting as 100. It stays while any of
//! them yields it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ferrolb_config::compiled::{BgpAdvertisement, Peer};
use ferrolb_types::{PeerName, RouteAttributes, RouteTargets};
use ipnet::IpNet;

use crate::slab::{OfferId, Slab};

/// The peers of a node.
pub(crate) type Peers = BTreeMap<PeerName, Arc<Peer>>;

#[derive(Debug)]
struct Offer {
    ad: Arc<BgpAdvertisement>,
    refs: u32,
}

/// Which advertisements yield a prefix, each with the number of times; nearly always one.
#[derive(Debug)]
enum Sources {
    One(OfferId, u32),
    Many(BTreeMap<OfferId, u32>),
}

/// The routes of the own node.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    pub(crate) peers: Peers,
    offers: Slab<OfferId, Offer>,
    by_ad: BTreeMap<usize, OfferId>,
    prefixes: BTreeMap<IpNet, Sources>,
    merged: BTreeMap<Vec<OfferId>, Option<RouteTargets>>,
}

impl Routes {
    /// The number of an advertisement, held until it is given back once.
    pub(crate) fn acquire(&mut self, ad: &Arc<BgpAdvertisement>) -> OfferId {
        let place = Arc::as_ptr(ad) as usize;
        let known = self.by_ad.get(&place).copied();
        let id = known.unwrap_or_else(|| {
            self.offers.insert(Offer {
                ad: Arc::clone(ad),
                refs: 0,
            })
        });
        self.by_ad.insert(place, id);
        if let Some(offer) = self.offers.get_mut(id) {
            offer.refs = offer.refs.saturating_add(1);
        }
        id
    }

    /// Gives a number back.
    pub(crate) fn release(&mut self, id: OfferId) {
        let Some(offer) = self.offers.get_mut(id) else {
            return;
        };
        offer.refs = offer.refs.saturating_sub(1);
        if offer.refs == 0 {
            self.by_ad.remove(&(Arc::as_ptr(&offer.ad) as usize));
            self.offers.remove(id);
            self.merged.retain(|offers, _| !offers.contains(&id));
        }
    }

    /// The advertisement of a number.
    pub(crate) fn advertisement(&self, id: OfferId) -> Option<&Arc<BgpAdvertisement>> {
        self.offers.get(id).map(|offer| &offer.ad)
    }

    /// One more time an advertisement yields a prefix.
    pub(crate) fn add(&mut self, prefix: IpNet, id: OfferId) {
        let sources = self.prefixes.entry(prefix).or_insert(Sources::One(id, 0));
        sources.add(id);
        let ids = sources.ids();
        if !self.merged.contains_key(&ids) {
            let targets = self.merge(&ids, &self.peers);
            self.merged.insert(ids, targets);
        }
    }

    /// One time less.
    pub(crate) fn remove(&mut self, prefix: IpNet, id: OfferId) {
        if let Some(sources) = self.prefixes.get_mut(&prefix)
            && sources.remove(id)
        {
            self.prefixes.remove(&prefix);
        }
    }

    /// What the peers are to be told of a prefix, if anything.
    pub(crate) fn targets(&self, prefix: &IpNet) -> Option<RouteTargets> {
        let ids = self.prefixes.get(prefix)?.ids();
        match self.merged.get(&ids) {
            Some(targets) => targets.clone(),
            None => self.merge(&ids, &self.peers),
        }
    }

    /// Every route there is.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (IpNet, RouteTargets)> {
        let prefixes = self.prefixes.keys();
        prefixes.filter_map(|prefix| Some((*prefix, self.targets(prefix)?)))
    }

    /// Takes the peers and gives the prefixes for which the answer changed, with the answer before.
    pub(crate) fn set_peers(&mut self, peers: Peers) -> Vec<(IpNet, Option<RouteTargets>)> {
        let mut sets: BTreeMap<Vec<OfferId>, bool> = BTreeMap::new();
        let mut changed = Vec::new();
        for (prefix, sources) in &self.prefixes {
            let ids = sources.ids();
            let differs = *sets
                .entry(ids)
                .or_insert_with_key(|ids| self.merge(ids, &self.peers) != self.merge(ids, &peers));
            if differs {
                changed.push((*prefix, self.targets(prefix)));
            }
        }
        self.peers = peers;
        self.merged = sets
            .into_keys()
            .map(|ids| {
                let targets = self.merge(&ids, &self.peers);
                (ids, targets)
            })
            .collect();
        changed
    }

    fn merge(&self, ids: &[OfferId], peers: &Peers) -> Option<RouteTargets> {
        let ads: Vec<&BgpAdvertisement> = ids
            .iter()
            .filter_map(|id| self.advertisement(*id).map(AsRef::as_ref))
            .collect();
        merge(&ads, peers)
    }
}

impl Sources {
    fn add(&mut self, id: OfferId) {
        match self {
            Self::One(one, count) if *one == id => *count = count.saturating_add(1),
            Self::One(one, count) => {
                *self = Self::Many(BTreeMap::from([(*one, *count), (id, 1)]));
            }
            Self::Many(counts) => {
                let count = counts.entry(id).or_insert(0);
                *count = count.saturating_add(1);
            }
        }
    }

    /// Takes one away; true when nothing is left.
    fn remove(&mut self, id: OfferId) -> bool {
        match self {
            Self::One(one, count) if *one == id => {
                *count = count.saturating_sub(1);
                *count == 0
            }
            Self::One(..) => false,
            Self::Many(counts) => {
                if let Some(count) = counts.get_mut(&id) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        counts.remove(&id);
                    }
                }
                let mut left = counts.iter();
                if let (Some((id, count)), None) = (left.next(), left.next()) {
                    *self = Self::One(*id, *count);
                }
                false
            }
        }
    }

    fn ids(&self) -> Vec<OfferId> {
        match self {
            Self::One(id, _) => vec![*id],
            Self::Many(counts) => counts.keys().copied().collect(),
        }
    }
}

/// What all these advertisements say of one prefix to each of the peers.
pub(crate) fn merge(ads: &[&BgpAdvertisement], peers: &Peers) -> Option<RouteTargets> {
    let open: Vec<&BgpAdvertisement> = ads
        .iter()
        .copied()
        .filter(|ad| ad.peers.is_empty())
        .collect();
    if peers.is_empty() || open.len() == ads.len() {
        return attributes(&open).map(|attributes| RouteTargets::All(Arc::new(attributes)));
    }
    let mut distinct: BTreeSet<Arc<RouteAttributes>> = BTreeSet::new();
    let mut list = Vec::new();
    for name in peers.keys() {
        let theirs: Vec<&BgpAdvertisement> =
            ads.iter().copied().filter(|ad| ad.is_for(name)).collect();
        let Some(attributes) = attributes(&theirs) else {
            continue;
        };
        let shared = match distinct.get(&attributes) {
            Some(shared) => Arc::clone(shared),
            None => Arc::new(attributes),
        };
        distinct.insert(Arc::clone(&shared));
        list.push((name.clone(), shared));
    }
    match (
        distinct.pop_first(),
        distinct.is_empty(),
        list.len() == peers.len(),
    ) {
        (None, ..) => None,
        (Some(same), true, true) => Some(RouteTargets::All(same)),
        _ => Some(RouteTargets::Peers(list)),
    }
}

fn attributes(ads: &[&BgpAdvertisement]) -> Option<RouteAttributes> {
    let first = ads.first()?;
    let best = ads
        .iter()
        .copied()
        .max_by_key(|ad| (ad.effective_local_pref(), ad.local_pref));
    let communities: BTreeSet<_> = ads.iter().flat_map(|ad| &ad.communities).copied().collect();
    Some(RouteAttributes {
        local_pref: best.unwrap_or(first).local_pref,
        communities: communities.into_iter().collect(),
    })
}
