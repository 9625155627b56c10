// SPDX-License-Identifier: Apache-2.0
//! Why a Service is announced where it is, and where not: every node, every peer, the whole election.
//!
//! The decisions are those of [`crate::decision`]; this module only looks on and puts into words.

use std::net::IpAddr;

use ferrolb_config::compiled::{DEFAULT_LOCAL_PREF, Peer, PeerAs};
use ferrolb_types::{
    Code, Family, NodeName, PeerName, PoolName, RouteTargets, ServiceKey, codes::announce,
};
use ipnet::IpNet;
use serde::Serialize;

use crate::{
    bgp,
    decision::{self, Owner, RouteOffer},
    election,
    interfaces::Interfaces,
    layer2::Contest,
    nodes::Node,
    overruled,
    reason::{Protocol, Reason},
    refresh::peers_of,
    routes,
    sentence::Subject,
    slab::{NodeId, SlotId},
    world::World,
};

/// Everything that can be said about the announcing of one Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The Service.
    pub service: ServiceKey,
    /// Why no node can announce it by any protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Its addresses.
    pub addresses: Vec<AddressLine>,
    /// The layer 2 election, where it came to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub election: Option<ElectionLine>,
    /// Every node, by name.
    pub nodes: Vec<NodeLine>,
}

/// A reason in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// What is the case.
    pub sentence: String,
    /// What to do.
    pub remedy: String,
}

/// An address and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddressLine {
    /// The address.
    pub address: IpAddr,
    /// The pool it lies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolName>,
    /// Why that pool, or why none.
    pub sentence: String,
}

/// An election.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElectionLine {
    /// The address text hashed together with the names of the nodes.
    pub text: String,
    /// Who won.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The candidates in order.
    pub candidates: Vec<CandidateLine>,
}

/// A candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CandidateLine {
    /// The node.
    pub node: NodeName,
    /// Its score; the higher comes first.
    pub score: u32,
    /// The first 8 hexadecimal digits of its hash; the smaller comes first.
    pub hash: String,
    /// Whether it said that it has none of the interfaces.
    pub lacks_interfaces: bool,
    /// Whether it said that it refuses the pool.
    pub refuses_pool: bool,
}

/// A node: what it announces, or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeLine {
    /// The node.
    pub node: NodeName,
    /// Where it answers in layer 2, or why it does not.
    pub layer2: Result<Interfaces, Refusal>,
    /// What it tells its peers, or why nothing.
    pub bgp: Result<Vec<PeerLine>, Refusal>,
    /// The advertisements and peers of BGP that older ones keep from having an effect on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overruled: Vec<Refusal>,
}

/// A peer of a node: what it is told, or why nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerLine {
    /// The peer.
    pub peer: PeerName,
    /// The prefix.
    pub prefix: IpNet,
    /// The advertisements it comes from.
    pub advertisements: Vec<String>,
    /// The attributes in words, or why the peer is not told.
    pub told: Result<String, Refusal>,
}

impl World {
    /// Explains a Service: for people through [`Explanation::render`], for programs serialised.
    #[must_use]
    pub fn explain(&self, key: &ServiceKey) -> Explanation {
        let id = self.inputs.services.id(key);
        let (id, reason) = match id {
            _ if !self.is_synced() => (None, Some(Reason::NotSynced)),
            None => (None, Some(Reason::NoSuchService)),
            Some(id) => (Some(id), self.inputs.pool_of(id).err()),
        };
        let nobody = NodeName::from("");
        Explanation {
            service: key.clone(),
            refusal: reason.map(|r| refusal(&r, &nobody, Protocol::Layer2, None)),
            addresses: id.map(|id| self.address_lines(id)).unwrap_or_default(),
            election: id.and_then(|id| self.election_line(id)),
            nodes: id.map(|id| self.node_lines(id)).unwrap_or_default(),
        }
    }

    fn address_lines(&self, id: SlotId) -> Vec<AddressLine> {
        let record = self.inputs.services.record(id);
        let held = record.map(crate::record::Record::held).unwrap_or_default();
        held.iter()
            .map(|address| self.address_line(*address))
            .collect()
    }

    fn address_line(&self, address: IpAddr) -> AddressLine {
        let pool = self.inputs.config.pool_of(address);
        let entry = pool.and_then(|p| p.entries.iter().find(|e| e.range.contains(address)));
        AddressLine {
            address,
            pool: pool.map(|pool| pool.name.clone()),
            sentence: match (pool, entry) {
                (Some(pool), Some(entry)) => format!(
                    "it lies in {}, spec.addresses[{}] of the pool {}",
                    entry.range, entry.index, pool.name
                ),
                _ => "it lies in no usable pool".into(),
            },
        }
    }

    fn election_line(&self, id: SlotId) -> Option<ElectionLine> {
        decision::contest(&self.inputs, id, |contest| ElectionLine {
            text: contest.text(),
            owner: decision::elected(&self.inputs, contest),
            candidates: self.candidate_lines(contest),
        })
        .ok()
    }

    fn candidate_lines(&self, contest: &Contest<'_>) -> Vec<CandidateLine> {
        let ranked = contest.rank();
        let lines = ranked.iter().filter_map(|ranked| {
            Some(CandidateLine {
                node: self.inputs.nodes.get(ranked.candidate.node)?.name.clone(),
                score: ranked.candidate.score,
                hash: prefix_of(&ranked.hash),
                lacks_interfaces: ranked.candidate.lacking && !ranked.candidate.refuses,
                refuses_pool: ranked.candidate.refuses,
            })
        });
        lines.collect()
    }

    fn node_lines(&self, id: SlotId) -> Vec<NodeLine> {
        let layer2 = decision::contest(&self.inputs, id, |contest| {
            let owner = decision::elected(&self.inputs, contest);
            let present = self.inputs.nodes.present();
            let verdicts = present.map(|(node, _)| contest.decide(node).verdict);
            (verdicts.collect::<Vec<_>>(), owner)
        });
        let present = self.inputs.nodes.present().enumerate();
        let lines = present.map(|(place, (at, node))| {
            let (verdict, owner) = match &layer2 {
                Ok((verdicts, owner)) => (verdicts.get(place).cloned(), owner.as_ref()),
                Err(reason) => (Some(Err(reason.clone())), None),
            };
            let verdict = verdict.unwrap_or(Err(Reason::UnknownNode));
            let labels = node.labels();
            NodeLine {
                node: node.name.clone(),
                layer2: verdict.map_err(|r| refusal(&r, &node.name, Protocol::Layer2, owner)),
                bgp: self.bgp_lines(id, at, node),
                overruled: labels
                    .map(|labels| overruled::on(&self.inputs, id, labels))
                    .unwrap_or_default(),
            }
        });
        lines.collect()
    }

    fn bgp_lines(&self, id: SlotId, at: NodeId, node: &Node) -> Result<Vec<PeerLine>, Refusal> {
        let mut offers = decision::offers(&self.inputs, id, at)
            .map_err(|reason| refusal(&reason, &node.name, Protocol::Bgp, None))?;
        offers.sort_by_key(|offer| offer.prefix);
        let peers = node
            .labels()
            .map(|labels| peers_of(&self.inputs.config, labels));
        let peers = peers.unwrap_or_default();
        let mut lines = Vec::new();
        for (name, peer) in &peers {
            for same in offers.chunk_by(|a, b| a.prefix == b.prefix) {
                lines.extend(peer_line(name, peer, same, &peers));
            }
        }
        Ok(lines)
    }
}

fn peer_line(
    name: &PeerName,
    peer: &Peer,
    offers: &[RouteOffer],
    peers: &routes::Peers,
) -> Option<PeerLine> {
    let prefix = offers.first()?.prefix;
    let family = Family::of(prefix.addr());
    let theirs: Vec<_> = offers
        .iter()
        .map(|offer| offer.advertisement.as_ref())
        .filter(|ad| ad.is_for(name))
        .collect();
    let told = if !bgp::carries(peer, family) {
        Err(Refusal {
            code: announce::N025,
            sentence: format!("the session with {name} does not carry {family}"),
            remedy: "set dualStackAddressFamily on the BGPPeer".into(),
        })
    } else {
        let targets = routes::merge(&theirs, peers);
        attributes(peer, targets.as_ref()).ok_or_else(|| Refusal {
            code: announce::N024,
            sentence: format!("the advertisements name other peers than {name}"),
            remedy: "nothing, if that is meant; otherwise add it to spec.peers".into(),
        })
    };
    Some(PeerLine {
        peer: name.clone(),
        prefix,
        advertisements: theirs.iter().map(|ad| ad.name.clone()).collect(),
        told,
    })
}

/// LOCAL_PREF is said of internal peers alone: nobody else is sent it (RFC 4271 section 5.1.5).
fn attributes(peer: &Peer, targets: Option<&RouteTargets>) -> Option<String> {
    let attributes = targets?.for_peer(&peer.name)?;
    let internal = matches!(peer.peer_as, PeerAs::Internal)
        || matches!(peer.peer_as, PeerAs::Exactly(asn) if asn == peer.my_asn);
    let local_pref = attributes.local_pref.unwrap_or(DEFAULT_LOCAL_PREF);
    let local_pref = internal.then(|| format!("localPref {local_pref}"));
    let communities: Vec<String> = attributes
        .communities
        .iter()
        .map(ToString::to_string)
        .collect();
    let communities =
        (!communities.is_empty()).then(|| format!("communities {}", communities.join(" ")));
    let said: Vec<String> = local_pref.into_iter().chain(communities).collect();
    Some(if said.is_empty() {
        "no attributes of its own".into()
    } else {
        said.join(", ")
    })
}

fn refusal(reason: &Reason, node: &NodeName, protocol: Protocol, owner: Option<&Owner>) -> Refusal {
    let subject = Subject {
        node,
        protocol,
        owner,
    };
    Refusal {
        code: reason.code(),
        sentence: reason.cause(subject),
        remedy: reason.remedy(subject),
    }
}

/// The first 8 hexadecimal digits of a hash.
fn prefix_of(hash: &election::Hash) -> String {
    let first = hash.iter().take(4);
    first.map(|byte| format!("{byte:02x}")).collect()
}
