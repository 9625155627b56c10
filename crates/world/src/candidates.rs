// SPDX-License-Identifier: Apache-2.0
//! Which nodes may announce in layer 2: one set for all Services with the same pool and advertisements.
//!
//! Endpoints are no part of it: under `externalTrafficPolicy: Local` a Service takes those of the set
//! that have an endpoint.

use std::sync::Arc;

use ferrolb_config::compiled::{L2Advertisement, Pool};
use ferrolb_types::PoolName;

use crate::{
    facts::pool_mark, inputs::Inputs, interfaces::Interfaces, nodes::Node, reason::Reason,
    record::Record, slab::NodeId,
};

/// A node that may announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) node: NodeId,
    pub(crate) score: u32,
    /// Where it would announce.
    pub(crate) interfaces: Interfaces,
    /// Whether it said that it cannot: it has none of these interfaces, or refuses the pool.
    pub(crate) lacking: bool,
    /// Whether it said that it refuses the pool.
    pub(crate) refuses: bool,
    /// Whether its speaker follows our rules: it told facts of itself.
    pub(crate) ours: bool,
}

/// The advertisements that match a Service, and the nodes that may announce by them.
#[derive(Debug)]
pub(crate) struct Candidates {
    pool: PoolName,
    /// What stands for the pool in facts.
    mark: u32,
    ads: Vec<Arc<L2Advertisement>>,
    /// Ascending by node.
    list: Vec<Candidate>,
    lacking: usize,
    foreign: usize,
}

/// The advertisements of the pool that match the Service, as places in the pool's list.
pub(crate) fn matching(pool: &Pool, record: &Record) -> Result<Vec<u32>, Reason> {
    if pool.l2.is_empty() {
        return Err(Reason::NotAdvertised(pool.name.clone()));
    }
    let matching = || {
        let places = (0..).zip(&pool.l2);
        places.filter(|(_, ad)| ad.services.matches(&record.labels))
    };
    let with_selector = || matching().find(|(_, ad)| !ad.services.is_empty());
    if record.sharing.is_some()
        && let Some((_, ad)) = with_selector()
    {
        return Err(Reason::SharedWithSelectors(ad.name.as_str().into()));
    }
    let places: Vec<u32> = matching().map(|(place, _)| place).collect();
    if places.is_empty() {
        return Err(Reason::NoMatchingAdvertisement(pool.name.clone()));
    }
    Ok(places)
}

impl Candidates {
    /// The set for these advertisements of the pool.
    pub(crate) fn new(inputs: &Inputs, pool: &Pool, places: &[u32]) -> Self {
        let ads = places
            .iter()
            .filter_map(|place| pool.l2.get(*place as usize));
        let mut set = Self {
            pool: pool.name.clone(),
            mark: pool_mark(&pool.name),
            ads: ads.cloned().collect(),
            list: Vec::new(),
            lacking: 0,
            foreign: 0,
        };
        for (id, _) in inputs.nodes.present() {
            set.refresh(inputs, id);
        }
        set
    }

    /// Looks at one node again; gives what it was and what it is now.
    pub(crate) fn refresh(
        &mut self,
        inputs: &Inputs,
        node: NodeId,
    ) -> (Option<Candidate>, Option<Candidate>) {
        let now = self.judge(inputs, node).ok();
        let place = self.list.binary_search_by_key(&node, |c| c.node);
        let was = match (place, &now) {
            (Ok(at), Some(now)) => self
                .list
                .get_mut(at)
                .map(|c| std::mem::replace(c, now.clone())),
            (Ok(at), None) => Some(self.list.remove(at)),
            (Err(at), Some(now)) => {
                self.list.insert(at, now.clone());
                None
            }
            (Err(_), None) => None,
        };
        self.recount(was.as_ref(), now.as_ref());
        (was, now)
    }

    /// One candidate changed: the others count as they did.
    fn recount(&mut self, was: Option<&Candidate>, now: Option<&Candidate>) {
        if let Some(was) = was {
            self.lacking -= usize::from(was.lacking);
            self.foreign -= usize::from(!was.ours);
        }
        if let Some(now) = now {
            self.lacking += usize::from(now.lacking);
            self.foreign += usize::from(!now.ours);
        }
    }

    /// Why a candidate that cannot announce cannot.
    pub(crate) fn lack(&self, candidate: &Candidate) -> Reason {
        if candidate.refuses {
            Reason::RefusesPool(self.pool.clone())
        } else {
            Reason::NoInterface
        }
    }

    /// The node as a candidate, or why it is none.
    pub(crate) fn judge(&self, inputs: &Inputs, id: NodeId) -> Result<Candidate, Reason> {
        let node = inputs.nodes.get(id).ok_or(Reason::UnknownNode)?;
        let labels = node.labels().ok_or(Reason::UnknownNode)?;
        let mut selecting = self
            .ads
            .iter()
            .filter(|ad| ad.nodes.matches(labels))
            .peekable();
        if selecting.peek().is_none() {
            return Err(Reason::NodeNotSelected(self.pool.clone()));
        }
        if inputs.is_excluded(node) {
            return Err(Reason::Excluded);
        }
        if node.network_unavailable() {
            return Err(Reason::NetworkUnavailable);
        }
        if !inputs.nodes.is_alive(id) {
            return Err(Reason::NotAlive);
        }
        let interfaces = Interfaces::union(selecting);
        let scores = self.ads.iter().map(|ad| ad.score(labels));
        let facts = node.facts.as_ref();
        let refuses = facts.is_some_and(|facts| facts.refuses.contains(&self.mark));
        Ok(Candidate {
            node: id,
            score: scores.fold(0, u32::saturating_add),
            lacking: refuses || lacks(node, &interfaces),
            refuses,
            ours: node.facts.is_some(),
            interfaces,
        })
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<&Candidate> {
        let at = self.list.binary_search_by_key(&node, |c| c.node).ok()?;
        self.list.get(at)
    }

    /// The candidates; where `endpoints` are given, those among them. The walk begins at `start` and
    /// wraps around, so that different addresses find different rivals first.
    pub(crate) fn iter<'a>(
        &'a self,
        endpoints: Option<&'a [NodeId]>,
        start: usize,
    ) -> Box<dyn Iterator<Item = &'a Candidate> + 'a> {
        match endpoints {
            Some(nodes) => Box::new(nodes.iter().filter_map(|node| self.get(*node))),
            None => {
                let start = start.checked_rem(self.list.len()).unwrap_or(0);
                let (head, tail) = self.list.split_at(start);
                Box::new(tail.iter().chain(head))
            }
        }
    }

    /// Whether all who could be elected told facts, and so follow our rules.
    pub(crate) fn all_ours(&self) -> bool {
        self.foreign == 0
    }

    /// Whether some lack the interfaces while others may not know it: then who is elected depends on
    /// the order of all.
    pub(crate) fn is_uneven(&self) -> bool {
        self.lacking > 0 && self.foreign > 0
    }
}

fn lacks(node: &Node, interfaces: &Interfaces) -> bool {
    node.facts.as_ref().is_some_and(|facts| match interfaces {
        Interfaces::All => facts.has_no_interface(),
        Interfaces::Named(named) => facts.lacks_all(named),
    })
}
