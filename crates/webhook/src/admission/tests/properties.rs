// SPDX-License-Identifier: Apache-2.0
//! What holds for any body and any cluster.

use ferrolb_config::check;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value as Json, json};

use super::support::{brief, pools, request, send};
use crate::{
    admission::{Webhook, read, review},
    tests::{any_json, mutate},
};

/// A pool of one or two short ranges in a small space, so that overlaps are common; some are no good.
fn pool() -> impl Strategy<Value = String> {
    let range = prop_oneof![
        8 => (0u8..40, 0u8..8).prop_map(|(first, more)| format!("10.0.0.{first}-10.0.0.{}", first + more)),
        1 => Just("nonsense".to_owned()),
    ];
    let name = select(vec!["a", "b", "c", "d", "e"]);
    (name, 0u8..6, vec(range, 1..3)).prop_map(|(name, created, ranges)| {
        format!(
            "IPAddressPool {name}@{created} {{addresses: [{}]}}",
            ranges.join(", ")
        )
    })
}

fn errors(objects: &[&str]) -> usize {
    check(&pools(objects))
        .iter()
        .filter(|found| found.is_error())
        .count()
}

fn name(text: &str) -> String {
    text.split(['@', ' ']).nth(1).unwrap_or_default().to_owned()
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..200)) {
        for webhook in Webhook::ALL {
            prop_assert!(read(webhook, &bytes).is_err());
        }
    }

    #[test]
    fn any_json_is_answered(body in any_json()) {
        let text = body.to_string();
        for webhook in Webhook::ALL {
            let _ = review(webhook, text.as_bytes(), |_| Ok(pools(&[])));
        }
    }

    /// A review in which something was replaced by something else.
    #[test]
    fn a_spoiled_review_is_answered(at in 0usize..60, by in any_json(), text in select(vec![
        "UPDATE IPAddressPool p#a=b {addresses: [1.1.1.0/24], serviceAllocation: {namespaceSelectors: [{matchLabels: {a: b}}]}}",
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, passwordSecret: {name: s}, nodeSelectors: [{}]}",
        "CREATE BGPAdvertisement p {communities: ['1:2'], localPref: 1, aggregationLength: 24}",
        "CREATE L2Advertisement p {interfaces: [a], preferredNodeSelectors: [{weight: 1, preference: {}}]}",
        "CREATE Community p {communities: [{name: a, value: '1:2'}]}",
        "DELETE BFDProfile p {}",
    ])) {
        let (operation, text) = text.split_once(' ').unwrap();
        let (webhook, mut body) = request(operation, text, &[text]);
        mutate(&mut body, at, &by);
        if let Ok(answer) = review(webhook, body.to_string().as_bytes(), |_| Ok(pools(&[text]))) {
            let sent: Json = serde_json::from_slice(&answer.body).unwrap();
            prop_assert_eq!(&sent["response"]["uid"], &body["request"]["uid"]);
            prop_assert_eq!(&sent["response"]["allowed"], &json!(answer.allowed));
        }
    }

    /// From a cluster without faults, what is allowed leads to one without faults, and nothing else is
    /// denied.
    #[test]
    fn a_faultless_cluster_stays_faultless(pools in vec(pool(), 0..5), new in pool()) {
        let mut present: Vec<&str> = Vec::new();
        for pool in &pools {
            present.retain(|other| name(other) != name(pool));
            present.push(pool);
            if errors(&present) > 0 {
                present.pop();
            }
        }
        let update = present.iter().any(|other| name(other) == name(&new));
        let operation = if update { "UPDATE" } else { "CREATE" };
        let answer = send(&present, &format!("{operation} {new}"));
        present.retain(|other| name(other) != name(&new));
        present.push(&new);
        prop_assert_eq!(answer.allowed, errors(&present) == 0, "{:?}", brief(&answer));
    }

    /// Whatever is wrong in the pools, an object that stays as it is passes.
    #[test]
    fn no_change_is_denied_for_old_faults(pools in vec(pool(), 1..6), which in any::<prop::sample::Index>()) {
        let mut present: Vec<&str> = Vec::new();
        for pool in &pools {
            present.retain(|other| name(other) != name(pool));
            present.push(pool);
        }
        let same = present[which.index(present.len())];
        let answer = send(&present, &format!("UPDATE {same}"));
        prop_assert!(answer.allowed, "{:?}", brief(&answer));
    }

    /// A denial names the object or one that would suffer from it, and a good object beside others' faults
    /// passes.
    #[test]
    fn a_pool_of_its_own_addresses_passes(pools in vec(pool(), 0..6)) {
        let mut present: Vec<&str> = Vec::new();
        for pool in &pools {
            present.retain(|other| name(other) != name(pool));
            present.push(pool);
        }
        let answer = send(&present, "CREATE IPAddressPool own {addresses: [192.0.2.0/24]}");
        prop_assert!(answer.allowed && answer.diagnostics.is_empty(), "{:?}", brief(&answer));
    }
}
