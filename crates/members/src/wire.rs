// SPDX-License-Identifier: Apache-2.0
//! The datagram of the heartbeat.
//!
//! ```text
//! |      'F'      |      'L'      |      'B'      |      'H'      |
//! |  version = 1  |     kind      |  length of the node name      |
//! |  node name, UTF-8 …           |  facts, to the end …
//! ```
//!
//! The facts are what the sender tells of itself; their form is no matter of the heartbeat.

use std::fmt;

use ferrolb_types::NodeName;

const MAGIC: [u8; 4] = *b"FLBH";
const VERSION: u8 = 1;
/// The octets before the node name.
const HEAD: usize = 8;
/// A node name is a DNS subdomain: at most 253 octets (RFC 1123, Kubernetes object names).
const LONGEST_NAME: usize = 253;
/// A datagram fits into the smallest IPv6 packet a link must carry (RFC 8200 section 5).
pub const LONGEST: usize = 1200;

/// What a datagram says of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// "I am here."
    Alive,
    /// "I am going": whoever can take over need not wait.
    Leaving,
    /// "I hear, and cannot answer for anything yet."
    Listening,
    /// "I am here, and about to answer, as nobody does yet."
    Coming,
}

/// One datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// What it says.
    pub kind: Kind,
    /// Who says it.
    pub node: NodeName,
    /// What it tells of itself; facts that do not fit ([`room_for_facts`]) are left out.
    pub facts: Vec<u8>,
}

/// Why bytes are no heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// Another protocol's datagram, or a version we do not speak.
    Foreign,
    /// The node name is empty, too long, cut short or not UTF-8.
    Name,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "not a heartbeat of a version we speak",
            Self::Name => "its node name is empty, too long, cut short or not UTF-8",
        })
    }
}

impl std::error::Error for WireError {}

/// How many octets of facts fit into a beat of this node.
#[must_use]
pub fn room_for_facts(node: &NodeName) -> usize {
    LONGEST.saturating_sub(HEAD + node.as_str().len())
}

impl Beat {
    /// The bytes of this beat.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Alive => 1,
            Kind::Leaving => 2,
            Kind::Listening => 3,
            Kind::Coming => 4,
        };
        let name = self.node.as_str().as_bytes();
        let mut bytes = MAGIC.to_vec();
        bytes.extend([VERSION, kind]);
        bytes.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(name);
        if bytes.len() + self.facts.len() <= LONGEST {
            bytes.extend_from_slice(&self.facts);
        }
        bytes
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// [`WireError`]; such a datagram is dropped and counts for nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(WireError::Foreign)?;
        let (kind, rest) = match rest {
            [VERSION, 1, rest @ ..] => (Kind::Alive, rest),
            [VERSION, 2, rest @ ..] => (Kind::Leaving, rest),
            [VERSION, 3, rest @ ..] => (Kind::Listening, rest),
            [VERSION, 4, rest @ ..] => (Kind::Coming, rest),
            _ => return Err(WireError::Foreign),
        };
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(WireError::Name)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if !(1..=LONGEST_NAME).contains(&length) {
            return Err(WireError::Name);
        }
        let (name, facts) = rest.split_at_checked(length).ok_or(WireError::Name)?;
        let name = std::str::from_utf8(name).map_err(|_| WireError::Name)?;
        Ok(Self {
            kind,
            node: NodeName::from(name),
            facts: facts.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_both_ways() {
        let beat = Beat {
            kind: Kind::Leaving,
            node: NodeName::from("n1"),
            facts: b"{}".to_vec(),
        };
        assert_eq!(beat.emit(), b"FLBH\x01\x02\x00\x02n1{}");
        assert_eq!(Beat::parse(b"FLBH\x01\x02\x00\x02n1{}"), Ok(beat));
    }

    #[test]
    fn facts_that_do_not_fit_are_left_out() {
        let beat = Beat {
            kind: Kind::Alive,
            node: NodeName::from("n1"),
            facts: vec![0; LONGEST],
        };
        assert_eq!(beat.emit(), b"FLBH\x01\x01\x00\x02n1");
        let most = Beat {
            facts: vec![0; room_for_facts(&beat.node)],
            ..beat
        };
        assert_eq!(most.emit().len(), LONGEST);
    }

    #[test]
    fn what_is_no_heartbeat() {
        assert_eq!(Beat::parse(b""), Err(WireError::Foreign));
        assert_eq!(
            Beat::parse(b"FLBH\x02\x01\x00\x02n1"),
            Err(WireError::Foreign)
        );
        assert_eq!(
            Beat::parse(b"FLBH\x01\x05\x00\x02n1"),
            Err(WireError::Foreign)
        );
        assert_eq!(Beat::parse(b"FLBH\x01\x01\x00"), Err(WireError::Name));
        assert_eq!(Beat::parse(b"FLBH\x01\x01\x00\x00"), Err(WireError::Name));
        assert_eq!(Beat::parse(b"FLBH\x01\x01\x00\x03n1"), Err(WireError::Name));
        assert_eq!(
            Beat::parse(b"FLBH\x01\x01\x00\x01\xff"),
            Err(WireError::Name)
        );
        let long = [b"FLBH\x01\x01\x00\xfe".as_slice(), &[b'a'; 254]].concat();
        assert_eq!(Beat::parse(&long), Err(WireError::Name));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(beat) = Beat::parse(&bytes) {
                prop_assert_eq!(beat.emit(), bytes);
            }
        }
    }
}
