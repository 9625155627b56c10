// SPDX-License-Identifier: Apache-2.0
//! What the scenario tests share: a network of speakers, a scripted peer, and a reader of the wire that
//! knows nothing of the code under test.

#![allow(dead_code, missing_docs, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

pub mod net;
pub mod solo;
pub mod tap;

use std::sync::Arc;

use ferrolb_bgp::{Options, PeerConfig, Speaker};
use ferrolb_types::{Asn, RouteAttributes, RouteTargets, RouterId};

pub fn speaker(id: [u8; 4]) -> Speaker {
    Speaker::new(Options {
        fallback_router_id: RouterId(id.into()),
        seed: 1,
    })
}

pub fn peer(name: &str, mine: u32, theirs: u32, address: &str) -> PeerConfig {
    PeerConfig::new(
        name.into(),
        Asn(mine),
        Asn(theirs),
        address.parse().unwrap(),
    )
}

pub fn attributes(local_pref: Option<u32>, communities: &[&str]) -> Arc<RouteAttributes> {
    let communities = communities
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    Arc::new(RouteAttributes {
        local_pref,
        communities,
    })
}

pub fn to_all(communities: &[&str]) -> Option<RouteTargets> {
    Some(RouteTargets::All(attributes(None, communities)))
}

/// This many cases, or as many as `PROPTEST_CASES` says. Failures are told by their input, not by a file.
pub fn cases(few: u32) -> proptest::test_runner::Config {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok());
    proptest::test_runner::Config {
        cases: asked.unwrap_or(few),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Default::default()
    }
}
