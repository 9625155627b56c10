// SPDX-License-Identifier: Apache-2.0
//! From the present set of objects to a [`Config`]: every rule of the controller reference, section 2.
//!
//! Each object is read by itself, then judged beside the older objects of its kind (`settle`). Faults
//! stay with the object that has them. What is in force and what is refused follow from the present set
//! and, for refused objects alone, from their last good versions.

mod advertisements;
mod bfd;
mod communities;
mod last_good;
mod nodes;
mod peers;
mod pools;
mod ranges;
mod report;
mod selectors;
mod settle;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ferrolb_types::{Diagnostic, PeerName, PoolName};

pub use last_good::LastGood;
pub use report::MOST_OF_A_CODE;

use self::{
    advertisements::{Pools, bgp::BgpRules, l2::L2Rules},
    bfd::BfdRules,
    communities::CommunityRules,
    peers::PeerRules,
    pools::{PoolForm, PoolRules},
    settle::{Outcome, settle},
};
use crate::{
    compiled::{BgpAdvertisement, Config, L2Advertisement},
    resources::Resources,
};

/// Compiles, and remembers the last good version of every object.
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    last_good: LastGood,
}

impl Compiler {
    /// A compiler without a past.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A compiler that goes on from what an earlier one remembered.
    #[must_use]
    pub fn restore(last_good: LastGood) -> Self {
        Self { last_good }
    }

    /// What is to be stored for [`Compiler::restore`]; it holds passwords of peers.
    #[must_use]
    pub fn last_good(&self) -> &LastGood {
        &self.last_good
    }

    /// Compiles the present set. An object that is refused goes on with its last good version, where it
    /// has one that still fits; an object that is gone is forgotten.
    pub fn compile(&mut self, resources: &Resources) -> Arc<Config> {
        Arc::new(compile(resources, &mut self.last_good))
    }
}

/// Every fault and every warning of the present set, errors of an object together.
#[must_use]
pub fn check(resources: &Resources) -> Vec<Diagnostic> {
    diagnostics(&compile(resources, &mut LastGood::default()))
}

/// The same where a fault of an object that `tolerates` holds of is only warned of, and keeps the object
/// out of nothing: for objects that others, to come later, will make right.
#[must_use]
pub fn check_tolerating(
    resources: &Resources,
    tolerates: impl Fn(&Diagnostic) -> bool + 'static,
) -> Vec<Diagnostic> {
    let outcome = Outcome {
        tolerates: Some(Box::new(tolerates)),
        ..Outcome::default()
    };
    diagnostics(&compile_into(resources, &mut LastGood::default(), outcome))
}

fn diagnostics(config: &Config) -> Vec<Diagnostic> {
    let mut diagnostics = config.warnings.clone();
    diagnostics.extend(config.diagnostics().cloned());
    diagnostics.sort_by(|a, b| (&a.object, a.severity).cmp(&(&b.object, b.severity)));
    diagnostics
}

/// The advertisements in force, by number of pool.
struct Attached {
    l2: Vec<Vec<Arc<L2Advertisement>>>,
    bgp: Vec<Vec<Arc<BgpAdvertisement>>>,
    ipv6_peers: BTreeSet<Option<PeerName>>,
}

fn compile(resources: &Resources, last_good: &mut LastGood) -> Config {
    compile_into(resources, last_good, Outcome::default())
}

fn compile_into(resources: &Resources, last_good: &mut LastGood, mut outcome: Outcome) -> Config {
    let mut communities = CommunityRules::default();
    settle(resources, last_good, &mut outcome, &mut communities);
    let mut bfd = BfdRules::default();
    settle(resources, last_good, &mut outcome, &mut bfd);
    let mut pools = PoolRules::new(resources);
    settle(resources, last_good, &mut outcome, &mut pools);
    pools.warn_of_node_addresses(&mut outcome.warnings);

    let attached = attach(
        resources,
        last_good,
        &mut outcome,
        &communities,
        &pools.in_force,
    );
    let passwords = std::mem::take(&mut last_good.passwords);
    let mut peers = PeerRules::new(resources, &bfd, attached.ipv6_peers, passwords);
    settle(resources, last_good, &mut outcome, &mut peers);
    let (peers, older_peers, passwords) = peers.into_parts();
    last_good.passwords = passwords;

    fill(&mut pools.in_force, attached.l2, attached.bgp);
    let pools = pools::finish(pools, &mut outcome.warnings);
    outcome.warnings.sort();
    let config = Config {
        pools,
        peers,
        older_peers,
        bfd_profiles: bfd.in_force,
        refused: outcome.refused,
        warnings: outcome.warnings,
        ..Config::default()
    };
    config.build_index();
    config
}

fn attach(
    resources: &Resources,
    last_good: &mut LastGood,
    outcome: &mut Outcome,
    communities: &CommunityRules,
    pools: &BTreeMap<PoolName, PoolForm>,
) -> Attached {
    let pools = Pools::new(resources, pools);
    let mut l2 = L2Rules::new(&pools);
    settle(resources, last_good, outcome, &mut l2);
    let mut bgp = BgpRules::new(&pools, communities);
    settle(resources, last_good, outcome, &mut bgp);
    Attached {
        l2: l2.attached,
        ipv6_peers: bgp.ipv6_peers(),
        bgp: bgp.attached(),
    }
}

/// Hands each pool its advertisements: those of layer 2 by name, those of BGP oldest first.
fn fill(
    pools: &mut BTreeMap<PoolName, PoolForm>,
    l2: Vec<Vec<Arc<L2Advertisement>>>,
    bgp: Vec<Vec<Arc<BgpAdvertisement>>>,
) {
    for (form, (mut l2, bgp)) in pools.values_mut().zip(l2.into_iter().zip(bgp)) {
        l2.sort_by(|a, b| a.name.cmp(&b.name));
        form.pool.l2 = l2;
        form.pool.bgp = bgp;
    }
}

#[cfg(test)]
mod tests;
