// SPDX-License-Identifier: Apache-2.0
//! The layer 2 election: which of the candidates announces an address.
//!
//! The order must agree byte for byte with MetalLB's, so that a mixed cluster elects one node: higher
//! score first, then the smaller SHA-256 of `<node>#<address>`, compared as a big-endian number. Two
//! rules go beyond it, and neither makes a MetalLB speaker and one of ours announce the same address:
//! a node known to lack the interfaces gives way to the next speaker that knows the same, see
//! [`owner`]; and tied Services share one address text, see [`crate::holders`].

use std::{cmp::Ordering, net::IpAddr};

use sha2::{Digest, Sha256};

use crate::{candidates::Candidate, nodes::Nodes};

/// The number that orders candidates of equal score.
pub(crate) type Hash = [u8; 32];

/// The text of an address in the election: dotted decimal, or RFC 5952.
pub(crate) fn text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

/// SHA-256 over `<node>#<address>`.
pub(crate) fn hash(node: &str, address: &str) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(node.as_bytes());
    hasher.update(b"#");
    hasher.update(address.as_bytes());
    hasher.finalize().into()
}

/// One election: an address text, and the names behind the candidates' numbers.
pub(crate) struct Ballot<'a> {
    pub(crate) nodes: &'a Nodes,
    pub(crate) text: &'a str,
}

/// A candidate with its number.
pub(crate) struct Ranked<'a> {
    pub(crate) candidate: &'a Candidate,
    pub(crate) hash: Hash,
}

impl Ballot<'_> {
    /// The number of a candidate; one whose node is forgotten sorts last.
    pub(crate) fn hash(&self, candidate: &Candidate) -> Hash {
        match self.nodes.get(candidate.node) {
            Some(node) => hash(node.name.as_str(), self.text),
            None => [0xff; 32],
        }
    }

    /// A candidate that comes before `me`, if there is one. Which one it is depends on the order of
    /// `rivals`; on average few numbers are computed before it is found.
    pub(crate) fn beaten_by<'c>(
        &self,
        me: &Candidate,
        rivals: impl Iterator<Item = &'c Candidate>,
    ) -> Option<&'c Candidate> {
        let mut own = None;
        let mut rivals = rivals.filter(|rival| rival.node != me.node && !rival.lacking);
        rivals.find(|rival| match rival.score.cmp(&me.score) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => self.hash(rival) < *own.get_or_insert_with(|| self.hash(me)),
        })
    }

    /// All candidates in the order of the election.
    pub(crate) fn rank<'c>(
        &self,
        candidates: impl Iterator<Item = &'c Candidate>,
    ) -> Vec<Ranked<'c>> {
        let mut ranked: Vec<Ranked<'c>> = candidates
            .map(|candidate| Ranked {
                candidate,
                hash: self.hash(candidate),
            })
            .collect();
        ranked.sort_by(|a, b| {
            let by_score = b.candidate.score.cmp(&a.candidate.score);
            by_score.then_with(|| a.hash.cmp(&b.hash))
        });
        ranked
    }
}

/// Who announces, given the order. The first; or, where the first is known to lack the interfaces, the
/// next that has them among the speakers that said so of themselves: a MetalLB speaker in between
/// leaves the address to the first and would not announce.
pub(crate) fn owner<'a>(ranked: &[Ranked<'a>]) -> Option<&'a Candidate> {
    let first = ranked.first()?.candidate;
    if !first.lacking {
        return Some(first);
    }
    let mut candidates = ranked.iter().map(|ranked| ranked.candidate);
    candidates.find(|candidate| candidate.ours && !candidate.lacking)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Node names and an address, and the order they must come in.
    const VECTORS: &[(&[&str], &str, &[&str])] = &[
        (
            &["node-a", "node-b", "node-c"],
            "10.0.0.1",
            &["node-b", "node-a", "node-c"],
        ),
        (
            &["node-a", "node-b", "node-c"],
            "10.0.0.2",
            &["node-b", "node-c", "node-a"],
        ),
        (
            &["edge-a", "edge-b", "worker-a", "worker-b"],
            "10.20.30.1",
            &["edge-b", "worker-a", "edge-a", "worker-b"],
        ),
        (&["iris1", "iris2"], "10.20.30.1", &["iris2", "iris1"]),
        (&["iris1", "iris2"], "10.20.30.2", &["iris1", "iris2"]),
        (&["iris1", "iris2"], "10.20.30.3", &["iris1", "iris2"]),
        (
            &["node-a", "node-b", "node-c"],
            "fc00:f853:ccd:e799::1",
            &["node-b", "node-a", "node-c"],
        ),
        (
            &["kind-control-plane", "kind-worker", "kind-worker2"],
            "192.168.1.240",
            &["kind-control-plane", "kind-worker2", "kind-worker"],
        ),
    ];

    #[test]
    fn check_vectors() {
        for (nodes, address, want) in VECTORS {
            let address = text(address.parse().unwrap());
            let mut got = nodes.to_vec();
            got.sort_by_key(|node| hash(node, &address));
            assert_eq!(got, *want, "{address}");
        }
    }

    #[test]
    fn address_text() {
        let table = [
            ("10.0.0.1", "10.0.0.1"),
            ("2001:DB8:0:0:1::0", "2001:db8:0:0:1::"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ];
        for (typed, want) in table {
            assert_eq!(text(typed.parse().unwrap()), want);
        }
    }
}
