// SPDX-License-Identifier: Apache-2.0
//! The layer 2 decision: whether a node answers for the addresses of a Service, and where.

use std::net::IpAddr;

use crate::{
    candidates::{Candidate, Candidates},
    election::{self, Ballot, Ranked},
    inputs::Inputs,
    interfaces::Interfaces,
    reason::Reason,
    record::Record,
    slab::{NodeId, SlotId},
};

/// The verdict on one node, and the candidate that stands in its way.
pub(crate) struct Standing {
    pub(crate) verdict: Result<Interfaces, Reason>,
    pub(crate) witness: Option<NodeId>,
}

impl Standing {
    pub(crate) fn refused(reason: Reason) -> Self {
        Self {
            verdict: Err(reason),
            witness: None,
        }
    }
}

/// A Service in the election among some candidates.
pub(crate) struct Contest<'a> {
    inputs: &'a Inputs,
    candidates: &'a Candidates,
    /// The nodes with an endpoint, where only they may announce.
    endpoints: Option<Vec<NodeId>>,
    address: Option<IpAddr>,
}

impl<'a> Contest<'a> {
    pub(crate) fn new(
        inputs: &'a Inputs,
        candidates: &'a Candidates,
        id: SlotId,
        record: &Record,
    ) -> Self {
        let services = &inputs.services;
        let all_ours = candidates.all_ours();
        Self {
            inputs,
            candidates,
            endpoints: record.local.then(|| services.endpoint_nodes(id)),
            address: inputs
                .holders
                .election_address(services, record.held(), all_ours),
        }
    }

    /// Whether `node` announces.
    pub(crate) fn decide(&self, node: NodeId) -> Standing {
        let me = match self.candidate(node) {
            Ok(me) => me,
            Err(reason) => return Standing::refused(reason),
        };
        match self.ahead_of(me) {
            None => Standing {
                verdict: Ok(me.interfaces.clone()),
                witness: None,
            },
            Some(rival) => Standing {
                verdict: Err(Reason::NotOwner),
                witness: Some(rival),
            },
        }
    }

    /// The node as a candidate of this Service, or why it is none.
    pub(crate) fn candidate(&self, node: NodeId) -> Result<&'a Candidate, Reason> {
        let Some(me) = self.candidates.get(node) else {
            let judged = self.candidates.judge(self.inputs, node);
            return Err(judged.err().unwrap_or(Reason::UnknownNode));
        };
        if self
            .endpoints
            .as_ref()
            .is_some_and(|nodes| !nodes.contains(&node))
        {
            return Err(Reason::NoLocalEndpoints);
        }
        if me.lacking {
            return Err(self.candidates.lack(me));
        }
        Ok(me)
    }

    /// All candidates in order.
    pub(crate) fn rank(&self) -> Vec<Ranked<'a>> {
        let text = self.text();
        let ballot = self.ballot(&text);
        match &self.endpoints {
            None => ballot.rank(self.candidates.iter(None, 0)),
            Some(nodes) => ballot.rank(nodes.iter().filter_map(|n| self.candidates.get(*n))),
        }
    }

    /// Whether `rival` comes before `node` as far as these two are concerned.
    pub(crate) fn beats(&self, rival: &Candidate, node: NodeId) -> bool {
        let takes_part = |n: &Vec<NodeId>| n.contains(&rival.node);
        let text = self.text();
        self.endpoints.as_ref().is_none_or(takes_part)
            && self.candidates.get(node).is_some_and(|me| {
                let one = std::iter::once(rival);
                self.ballot(&text).beaten_by(me, one).is_some()
            })
    }

    fn ahead_of(&self, me: &Candidate) -> Option<NodeId> {
        if self.candidates.is_uneven() {
            let ranked = self.rank();
            let first = ranked.first().map(|ranked| ranked.candidate);
            let ahead = election::owner(&ranked).or(first)?.node;
            return (ahead != me.node).then_some(ahead);
        }
        let text = self.text();
        let rivals = self
            .candidates
            .iter(self.endpoints.as_deref(), self.start());
        let rival = self.ballot(&text).beaten_by(me, rivals)?;
        Some(rival.node)
    }

    /// The address whose text is hashed.
    pub(crate) fn text(&self) -> String {
        self.address.map(election::text).unwrap_or_default()
    }

    fn ballot<'t>(&self, text: &'t str) -> Ballot<'t>
    where
        'a: 't,
    {
        Ballot {
            nodes: &self.inputs.nodes,
            text,
        }
    }

    /// Spreads the walks over the candidates; it has no part in who is elected.
    fn start(&self) -> usize {
        let bits = match self.address {
            Some(IpAddr::V4(v4)) => u128::from(v4.to_bits()),
            Some(IpAddr::V6(v6)) => v6.to_bits(),
            None => 0,
        };
        let mixed = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        usize::try_from(mixed >> 96).unwrap_or(0)
    }
}
