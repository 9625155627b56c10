// SPDX-License-Identifier: Apache-2.0
//! What a speaker tells the others of itself, as it travels with the heartbeat: a small JSON object.
//! Members that a later version adds are passed over.
//!
//! A beat has room for so much. A host may have more interfaces than that, and then it tells the ones it lacks
//! of those that L2Advertisements name, which is all that an election asks for.

use std::collections::BTreeSet;

use ferrolb_config::Config;
use ferrolb_types::{NodeName, PoolName};
use ferrolb_world::{NodeFacts, pool_mark};
use serde::{Deserialize, Serialize};

/// The octets of the name of an interface, 15 at most (`IFNAMSIZ`), with its quotes and a comma; a mark takes less.
const LONGEST_ENTRY: usize = 18;

/// What a speaker tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Facts {
    /// Its version.
    pub(super) version: String,
    /// The interfaces it can announce on; absent where they are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interfaces: Option<BTreeSet<String>>,
    /// Where they are too many: those it does not have of the ones that L2Advertisements name.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) lacks: BTreeSet<String>,
    /// The marks of the pools it refuses.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) refuses: BTreeSet<u32>,
}

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) bytes: Vec<u8>,
    /// Whether some of it had to be left out, so that the others count on more than there is.
    pub(super) is_cut: bool,
}

impl Facts {
    /// What this version tells with these interfaces under this configuration.
    pub(super) fn new(interfaces: BTreeSet<String>, config: &Config) -> Self {
        let pools = refused_pools(config);
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            interfaces: Some(interfaces),
            lacks: BTreeSet::new(),
            refuses: pools.map(|pool| pool_mark(&pool)).collect(),
        }
    }

    /// The bytes for the heartbeat, no more than `room`. Where they are too many, only the interfaces count that
    /// are `named` by L2Advertisements.
    pub(super) fn emit(&self, room: usize, named: &BTreeSet<String>) -> Told {
        let mut facts = self.clone();
        let mut is_cut = false;
        loop {
            let bytes = serde_json::to_vec(&facts).unwrap_or_default();
            if bytes.len() <= room {
                return Told { bytes, is_cut };
            }
            match facts.interfaces.take() {
                Some(present) => facts.lacks = named.difference(&present).cloned().collect(),
                None if facts.shrink(bytes.len() - room) => is_cut = true,
                None => return Told::default(),
            }
        }
    }

    /// Leaves something out, a pool last, and no more than takes `excess` octets or is but one; false where nothing
    /// is left.
    fn shrink(&mut self, excess: usize) -> bool {
        let count = (excess / LONGEST_ENTRY).max(1);
        let lacks = (0..count).map_while(|_| self.lacks.pop_last()).count();
        lacks > 0 || (0..count).map_while(|_| self.refuses.pop_last()).count() > 0
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
            interfaces: self.interfaces,
            lacks: self.lacks,
            refuses: self.refuses,
            features: BTreeSet::new(),
        }
    }
}

impl Default for Told {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            is_cut: true,
        }
    }
}

/// The pools that are refused and of which no good version is known.
pub(super) fn refused_pools(config: &Config) -> impl Iterator<Item = PoolName> {
    let refused = config
        .refused
        .iter()
        .filter(|(object, refused)| object.kind == "IPAddressPool" && !refused.last_good_in_force);
    refused.map(|(object, _)| PoolName::from(object.name.as_str()))
}

/// The interfaces that L2Advertisements name.
pub(super) fn named(config: &Config) -> BTreeSet<String> {
    let ads = config.pools.values().flat_map(|pool| &pool.l2);
    ads.flat_map(|ad| ad.interfaces.iter().map(ToString::to_string))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prefix: &str, count: usize) -> BTreeSet<String> {
        (0..count).map(|n| format!("{prefix}{n:03}")).collect()
    }

    fn facts(interfaces: usize) -> Facts {
        Facts::new(names("eth", interfaces), &Config::default())
    }

    #[test]
    fn bytes_both_ways() {
        let mut facts = facts(3);
        facts.refuses = [7, u32::MAX].into();
        let told = facts.emit(1000, &BTreeSet::new());
        assert!(!told.is_cut);
        assert_eq!(Facts::parse(&told.bytes), Some(facts));
        let newer = br#"{"version":"9","interfaces":[],"colour":"red"}"#;
        let newer = Facts::parse(newer).unwrap();
        assert_eq!(newer.version, "9");
        assert_eq!(newer.interfaces, Some(BTreeSet::new()));
        assert_eq!(Facts::parse(b"\xff"), None);
    }

    #[test]
    fn no_interface_at_all_is_told_as_that() {
        let told = facts(0).emit(1000, &names("eth", 1));
        let heard = Facts::parse(&told.bytes).unwrap().of("n1".into());
        assert!(heard.has_no_interface());
    }

    #[test]
    fn more_interfaces_than_there_is_room_for_are_told_by_what_is_lacking() {
        let named: BTreeSet<String> = ["eth001", "vlan7", "vlan8"].map(Into::into).into();
        let told = facts(300).emit(900, &named);
        assert!(!told.is_cut);
        let heard = Facts::parse(&told.bytes).unwrap().of("n1".into());
        assert!(!heard.has_no_interface());
        let lacks = |names: &[&str]| {
            heard.lacks_all(&names.iter().map(|name| (*name).to_owned()).collect())
        };
        assert!(lacks(&["vlan7", "vlan8"]));
        assert!(!lacks(&["eth001", "vlan7"]));
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_said_so() {
        let mut facts = facts(300);
        facts.refuses = (0..50).collect();
        for room in [0, 10, 40, 100, 300, 900] {
            let told = facts.emit(room, &names("vlan", 200));
            assert!(told.bytes.len() <= room, "{room}");
            assert!(told.is_cut, "{room}");
        }
        // Pools last: of them all.
        let told = facts.emit(300, &names("vlan", 200));
        assert_eq!(Facts::parse(&told.bytes).unwrap().refuses, facts.refuses);
    }
}
