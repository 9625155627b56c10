// SPDX-License-Identifier: Apache-2.0
//! Properties over arbitrary sets of objects, good and broken.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, sample::select};

use super::support::{apply, resources, verdict};
use crate::{Compiler, Config, check};

/// Words from which fields are filled: some right, some wrong, some at the edge.
fn word() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "''",
            "a",
            "b",
            "'1:2'",
            "'1:2:3'",
            "'large:1:2:3'",
            "10.0.0.0/24",
            "10.0.0.0/8",
            "10.0.0.128/25",
            "10.0.0.9-10.0.1.9",
            "'fc00::/64'",
            "'1.2.3.4-fe80::1'",
            "10.0.9.1-10.0.8.1",
            "192.0.2.1",
            "'fe80::1'",
            "90s",
            "1s",
            "-1s",
            "1h",
            "'\u{fc}'",
            "'a b'",
        ][..],
    )
}

fn list() -> impl Strategy<Value = String> {
    vec(word(), 0..4).prop_map(|words| format!("[{}]", words.join(", ")))
}

fn selectors() -> impl Strategy<Value = String> {
    let operator = select(&["In", "NotIn", "Exists", "DoesNotExist", "is"][..]);
    let selector = (word(), operator, list()).prop_map(|(key, operator, values)| {
        format!("{{matchExpressions: [{{key: {key}, operator: {operator}, values: {values}}}]}}")
    });
    vec(prop_oneof![Just("{}".to_owned()), selector], 0..3)
        .prop_map(|selectors| format!("[{}]", selectors.join(", ")))
}

/// Name and age; few of each, so that objects replace and meet one another.
fn name() -> impl Strategy<Value = String> {
    (
        select(&["a", "b", "c", "a#a=b"][..]),
        select(&["", "@1", "@2"][..]),
    )
        .prop_map(|(name, age)| format!("{name}{age}"))
}

fn pool() -> impl Strategy<Value = String> {
    (name(), list(), list(), selectors()).prop_map(|(name, addresses, namespaces, selectors)| {
        format!(
            "IPAddressPool {name} {{addresses: {addresses}, serviceAllocation: {{namespaces: {namespaces}, \
             namespaceSelectors: {selectors}}}}}"
        )
    })
}

fn peer() -> impl Strategy<Value = String> {
    (name(), 0..3_u32, 0..3_u32, [word(), word(), word(), word()], selectors()).prop_map(
        |(name, mine, theirs, [address, source, hold, keepalive], nodes)| {
            format!(
                "BGPPeer {name} {{myASN: {mine}, peerASN: {theirs}, peerAddress: {address}, sourceAddress: {source}, \
                 holdTime: {hold}, keepaliveTime: {keepalive}, nodeSelectors: {nodes}, ebgpMultiHop: true}}"
            )
        },
    )
}

fn bgp() -> impl Strategy<Value = String> {
    (name(), [list(), list(), list()], selectors(), selectors(), -1..34_i32, 0..3_u32).prop_map(
        |(name, [communities, pools, peers], services, nodes, length, local_pref)| {
            format!(
                "BGPAdvertisement {name} {{communities: {communities}, ipAddressPools: {pools}, peers: {peers}, \
                 serviceSelectors: {services}, nodeSelectors: {nodes}, aggregationLength: {length}, \
                 localPref: {local_pref}}}"
            )
        },
    )
}

fn l2() -> impl Strategy<Value = String> {
    (name(), list(), selectors(), selectors(), list()).prop_map(
        |(name, pools, by_label, nodes, interfaces)| {
            format!(
                "L2Advertisement {name} {{ipAddressPools: {pools}, ipAddressPoolSelectors: {by_label}, \
                 nodeSelectors: {nodes}, interfaces: {interfaces}}}"
            )
        },
    )
}

fn community() -> impl Strategy<Value = String> {
    (name(), word(), word(), word()).prop_map(|(name, first, second, value)| {
        format!(
            "Community {name} {{communities: [{{name: {first}, value: {value}}}, {{name: {second}, value: '1:1'}}]}}"
        )
    })
}

fn object() -> impl Strategy<Value = String> {
    let node = name().prop_map(|name| format!("Node {name} {{a: b}}"));
    prop_oneof![
        3 => pool(), 2 => peer(), 3 => bgp(), 1 => l2(), 1 => community(), 1 => node,
    ]
}

fn objects() -> impl Strategy<Value = Vec<String>> {
    vec(object(), 0..9)
}

/// Kind and name: what a later object of the list would replace.
fn identity(object: &str) -> &str {
    let end = object.find(['#', '@', '{']).unwrap_or(object.len());
    object[..end].trim()
}

fn config_of(objects: &[String]) -> Config {
    Config::clone(&Compiler::new().compile(&resources(objects)))
}

/// Few by default, as many as `PROPTEST_CASES` says when it is set.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig::with_cases(cases.and_then(|text| text.parse().ok()).unwrap_or(40))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_order_of_arrival_does_not_matter(objects in objects(), seed in any::<u64>()) {
        let mut seen = BTreeSet::new();
        let mut distinct = objects;
        distinct.retain(|object| seen.insert(identity(object).to_owned()));
        let forward = config_of(&distinct);
        let at = usize::try_from(seed).unwrap_or_default() % distinct.len().max(1);
        distinct.rotate_left(at);
        distinct.reverse();
        prop_assert_eq!(forward, config_of(&distinct));
    }

    #[test]
    fn every_object_is_in_force_or_refused_and_pools_are_apart(objects in objects()) {
        let resources = resources(&objects);
        let config = Compiler::new().compile(&resources);
        let ranges: Vec<_> = config.pools.values().flat_map(|pool| &pool.entries).collect();
        for (n, one) in ranges.iter().enumerate() {
            for other in &ranges[n + 1..] {
                prop_assert!(!one.range.overlaps(&other.range));
            }
        }
        for refused in config.refused.values() {
            prop_assert!(refused.diagnostics.iter().any(ferrolb_types::Diagnostic::is_error));
        }
        for kind in ["IPAddressPool", "BGPPeer"] {
            let names: BTreeSet<&str> = objects
                .iter()
                .map(|object| identity(object))
                .filter(|identity| identity.starts_with(kind))
                .collect();
            let refused = config.refused.keys().filter(|object| object.kind == kind).count();
            let in_force = if kind == "BGPPeer" { config.peers.len() } else { config.pools.len() };
            prop_assert_eq!(names.len(), refused + in_force);
        }
        let told: usize = config.refused.values().map(|refused| refused.diagnostics.len()).sum();
        prop_assert_eq!(check(&resources).len(), told + config.warnings.len());
    }

    #[test]
    fn a_broken_object_changes_no_good_one(objects in objects()) {
        let before = config_of(&objects);
        let mut more = objects;
        more.extend([
            "IPAddressPool z@0 {addresses: [10.0.0.0/8, x]}".to_owned(),
            "BGPPeer z@0 {myASN: 0, peerASN: 1, peerAddress: 192.0.2.1}".to_owned(),
            "BGPAdvertisement z@0 {localPref: 9, aggregationLength: 0}".to_owned(),
            "L2Advertisement z@0 {nodeSelectors: [{}, {}]}".to_owned(),
            "Community z@0 {communities: [{name: a, value: x}]}".to_owned(),
            "BFDProfile z@0 {minimumTtl: 0}".to_owned(),
        ]);
        let after = config_of(&more);
        prop_assert_eq!(&before.pools, &after.pools);
        prop_assert_eq!(&before.peers, &after.peers);
        prop_assert_eq!(after.refused.len(), before.refused.len() + 6);
    }

    #[test]
    fn last_good_versions_do_not_change_the_verdict_on_pools(old in objects(), new in objects()) {
        let mut compiler = Compiler::new();
        compiler.compile(&resources(&old));
        let present = resources(&new);
        let config = compiler.compile(&present);
        let fresh = Compiler::new().compile(&present);
        for (name, pool) in &fresh.pools {
            prop_assert_eq!(&config.pools[name].entries, &pool.entries);
        }
        let refused = |config: &Config| -> Vec<_> {
            config.refused.keys().filter(|object| object.kind == "IPAddressPool").cloned().collect()
        };
        prop_assert_eq!(refused(&config), refused(&fresh));
    }

    #[test]
    fn returning_to_a_set_gives_its_verdict_again(objects in objects(), detour in objects()) {
        let present = resources(&objects);
        let mut compiler = Compiler::new();
        let first = compiler.compile(&present);
        let mut changed = present.clone();
        for object in &detour {
            apply(&mut changed, object);
        }
        compiler.compile(&changed);
        let again = compiler.compile(&present);
        let good = |name: &&ferrolb_types::PoolName| again.pools.contains_key(*name);
        prop_assert!(first.pools.keys().all(|name| good(&name)));
        prop_assert_eq!(verdict(&present).is_empty(), first.refused.is_empty() && first.warnings.is_empty());
    }

    #[test]
    fn any_text_as_a_duration(text in "[-+0-9.a-z\u{b5} ]{0,12}") {
        let _ = crate::duration::parse(&text);
    }
}
