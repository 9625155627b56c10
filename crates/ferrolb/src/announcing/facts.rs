// SPDX-License-Identifier: Apache-2.0
//! What a speaker tells the others of itself, as it travels with the heartbeat: a small JSON object.
//! Members that a later version adds are passed over.

use std::collections::BTreeSet;

use ferrolb_types::NodeName;
use ferrolb_world::NodeFacts;
use serde::{Deserialize, Serialize};

/// What a speaker tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Its version.
    pub(super) version: String,
    /// The interfaces it can announce on.
    pub(super) interfaces: BTreeSet<String>,
}

impl Facts {
    /// The bytes for the heartbeat.
    pub(super) fn emit(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads another speaker's; nothing where they are none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// As the world takes them.
    pub(super) fn of(self, node: NodeName) -> NodeFacts {
        NodeFacts {
            node,
            version: self.version,
            interfaces: Some(self.interfaces),
            features: BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_both_ways() {
        let facts = Facts {
            version: "1".into(),
            interfaces: ["eth0".to_owned()].into(),
        };
        assert_eq!(Facts::parse(&facts.emit()), Some(facts));
        let newer = br#"{"version":"9","interfaces":[],"colour":"red"}"#;
        assert_eq!(
            Facts::parse(newer).map(|facts| facts.version),
            Some("9".into())
        );
        assert_eq!(Facts::parse(b"\xff"), None);
    }
}
