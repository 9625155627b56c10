// SPDX-License-Identifier: Apache-2.0
//! An [`Explanation`] as text for people.

use std::fmt::{self, Write};

use crate::explain::{CandidateLine, ElectionLine, Explanation, NodeLine, PeerLine, Refusal};

impl Explanation {
    /// The explanation as lines of text.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, f: &mut impl Write) -> fmt::Result {
        writeln!(f, "Service {}", self.service)?;
        for line in &self.addresses {
            writeln!(f, "  {}: {}", line.address, line.sentence)?;
        }
        if let Some(why) = &self.refusal {
            writeln!(f, "  not announced anywhere: {why}")?;
            return Ok(());
        }
        if let Some(election) = &self.election {
            write_election(f, election)?;
        }
        self.nodes.iter().try_for_each(|node| write_node(f, node))
    }
}

impl fmt::Display for Refusal {
    /// `FLB-N017 sentence; remedy`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; {}", self.code, self.sentence, self.remedy)
    }
}

fn write_election(f: &mut impl Write, election: &ElectionLine) -> fmt::Result {
    match &election.owner {
        Some(owner) => writeln!(f, "  layer 2 owner: {}, {}", owner.node, owner.rule.words())?,
        None => writeln!(f, "  layer 2 owner: none")?,
    }
    for (place, candidate) in (1..).zip(&election.candidates) {
        let lacks = match candidate {
            CandidateLine {
                refuses_pool: true, ..
            } => ", refuses the pool",
            CandidateLine {
                lacks_interfaces: true,
                ..
            } => ", lacks the interfaces",
            _ => "",
        };
        writeln!(
            f,
            "    {place}. {} score {} hash {}…{lacks}",
            candidate.node, candidate.score, candidate.hash
        )?;
    }
    Ok(())
}

fn write_node(f: &mut impl Write, line: &NodeLine) -> fmt::Result {
    writeln!(f, "  node {}", line.node)?;
    match &line.layer2 {
        Ok(interfaces) => writeln!(f, "    layer 2: announced on {interfaces}")?,
        Err(why) => writeln!(f, "    layer 2: no, {why}")?,
    }
    match &line.bgp {
        Ok(peers) if peers.is_empty() => {
            writeln!(f, "    BGP: announced, but the node has no peer")?;
        }
        Ok(peers) => peers.iter().try_for_each(|peer| write_peer(f, peer))?,
        Err(why) => writeln!(f, "    BGP: no, {why}")?,
    }
    let mut overruled = line.overruled.iter();
    overruled.try_for_each(|why| writeln!(f, "    BGP: {why}"))
}

fn write_peer(f: &mut impl Write, line: &PeerLine) -> fmt::Result {
    match &line.told {
        Ok(attributes) => writeln!(
            f,
            "    BGP: {} to {} with {attributes} ({})",
            line.prefix,
            line.peer,
            line.advertisements.join(", ")
        ),
        Err(why) => writeln!(f, "    BGP: {} to {}: no, {why}", line.prefix, line.peer),
    }
}
