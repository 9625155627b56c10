// SPDX-License-Identifier: Apache-2.0
//! Route targets (who gets a prefix, with which attributes), each stored once and known by a number.

use std::collections::BTreeMap;

use ferrolb_types::{PeerName, RouteTargets};

use super::{AttributeId, Attributes};

/// The number of a set of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PolicyId(u32);

impl PolicyId {
    /// No targets: the prefix is wanted by nobody.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

/// The targets in use.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    policies: Vec<Policy>,
    free: Vec<PolicyId>,
    index: BTreeMap<RouteTargets, PolicyId>,
}

#[derive(Debug)]
struct Policy {
    targets: Option<RouteTargets>,
    compiled: Compiled,
    users: u32,
}

/// The targets with their attribute sets interned.
#[derive(Debug)]
enum Compiled {
    All(AttributeId),
    Peers(Vec<(PeerName, AttributeId)>),
}

impl Policies {
    /// The id of the targets, with one user more.
    pub(crate) fn intern(
        &mut self,
        targets: RouteTargets,
        attributes: &mut Attributes,
    ) -> PolicyId {
        if let Some(&id) = self.index.get(&targets) {
            if let Some(policy) = self.policies.get_mut(id.0 as usize) {
                policy.users += 1;
            }
            return id;
        }
        let Some(compiled) = Compiled::new(&targets, attributes) else {
            return PolicyId::NONE;
        };
        let policy = Policy {
            targets: Some(targets.clone()),
            compiled,
            users: 1,
        };
        let id = self.place(policy);
        self.index.insert(targets, id);
        id
    }

    /// One user less; the last one frees the id.
    pub(crate) fn release(&mut self, id: PolicyId, attributes: &mut Attributes) {
        let Some(policy) = self.policies.get_mut(id.0 as usize) else {
            return;
        };
        policy.users = policy.users.saturating_sub(1);
        if policy.users > 0 {
            return;
        }
        policy.compiled.ids().for_each(|id| attributes.release(id));
        policy.compiled = Compiled::Peers(Vec::new());
        if let Some(targets) = policy.targets.take() {
            self.index.remove(&targets);
            self.free.push(id);
        }
    }

    /// What `peer` is to be told, if anything.
    pub(crate) fn for_peer(&self, id: PolicyId, peer: &PeerName) -> Option<AttributeId> {
        match &self.policies.get(id.0 as usize)?.compiled {
            Compiled::All(id) => Some(*id),
            Compiled::Peers(list) => {
                let at = list.binary_search_by(|(name, _)| name.cmp(peer)).ok()?;
                list.get(at).map(|(_, id)| *id)
            }
        }
    }

    /// The number of sets of targets in use.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    fn place(&mut self, policy: Policy) -> PolicyId {
        if let Some(id) = self.free.pop()
            && let Some(slot) = self.policies.get_mut(id.0 as usize)
        {
            *slot = policy;
            return id;
        }
        // Each policy is used by a slot at least, and slots are numbered below `u32::MAX`.
        let id = PolicyId(u32::try_from(self.policies.len()).unwrap_or(u32::MAX));
        self.policies.push(policy);
        id
    }
}

impl Compiled {
    fn new(targets: &RouteTargets, attributes: &mut Attributes) -> Option<Self> {
        Some(match targets {
            RouteTargets::All(set) => Self::All(attributes.intern(set)?),
            RouteTargets::Peers(list) => {
                let compile = |(name, set): &(PeerName, _)| {
                    attributes.intern(set).map(|id| (name.clone(), id))
                };
                Self::Peers(list.iter().filter_map(compile).collect())
            }
        })
    }

    fn ids(&self) -> Box<dyn Iterator<Item = AttributeId> + '_> {
        match self {
            Self::All(id) => Box::new(std::iter::once(*id)),
            Self::Peers(list) => Box::new(list.iter().map(|(_, id)| *id)),
        }
    }
}
