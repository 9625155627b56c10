// SPDX-License-Identifier: Apache-2.0
//! Faults stay with their object; an object broken by an edit goes on with its last good version.

use ferrolb_api::resource::{BGPAdvertisement, Community, IPAddressPool};
use ferrolb_types::{Diagnostic, ObjectRef, codes::schema::V003};

use super::support::{NAMESPACE, apply, brief, resources};
use crate::{Compiler, Config, LastGood, compiled::Refused, resources::Resources};

const POOL: &str = "IPAddressPool a {addresses: [10.0.0.0/24]}";

fn refused<'c>(config: &'c Config, kind: &'static str, name: &str) -> &'c Refused {
    let object = ObjectRef::new(kind, NAMESPACE, name);
    config.refused.get(&object).expect("refused")
}

fn entries(config: &Config, pool: &str) -> Vec<String> {
    let entries = config.pools.get(pool).map(|pool| pool.entries.clone());
    let entries = entries.into_iter().flatten();
    entries.map(|entry| entry.range.to_string()).collect()
}

/// Compiles, applies the edit, and compiles again.
fn edit(before: &[&str], edit: &str) -> (Compiler, Resources, std::sync::Arc<Config>) {
    let mut compiler = Compiler::new();
    let mut resources = resources(before);
    let config = compiler.compile(&resources);
    assert!(config.refused.is_empty(), "{:?}", config.refused);
    apply(&mut resources, edit);
    let config = compiler.compile(&resources);
    (compiler, resources, config)
}

#[test]
fn a_broken_pool_keeps_its_last_good_version_until_it_is_deleted() {
    let broken = "IPAddressPool a {addresses: [10.0.0.0/24, nonsense]}";
    let (mut compiler, mut resources, config) = edit(&[POOL], broken);
    assert_eq!(entries(&config, "a"), ["10.0.0.0/24"]);
    let refusal = refused(&config, "IPAddressPool", "a");
    assert!(refusal.last_good_in_force && refusal.ranges.is_empty());
    assert_eq!(
        refusal.diagnostics.iter().map(brief).collect::<Vec<_>>(),
        ["P003 a spec.addresses[1]"]
    );

    resources.delete::<IPAddressPool>("", "a");
    assert!(compiler.compile(&resources).pools.is_empty());
    apply(&mut resources, broken);
    let config = compiler.compile(&resources);
    let refusal = refused(&config, "IPAddressPool", "a");
    assert!(!refusal.last_good_in_force && config.pools.is_empty());
    assert_eq!(refusal.ranges, ["10.0.0.0/24".parse().unwrap()]);
}

#[test]
fn reverting_an_edit_clears_the_refusal() {
    let (mut compiler, mut resources, config) = edit(&[POOL], "IPAddressPool a {addresses: []}");
    assert_eq!(config.refused.len(), 1);
    apply(&mut resources, POOL);
    let config = compiler.compile(&resources);
    assert!(config.refused.is_empty());
    assert_eq!(entries(&config, "a"), ["10.0.0.0/24"]);
}

#[test]
fn a_restart_remembers() {
    let broken = "IPAddressPool a {addresses: []}";
    let (compiler, resources, config) = edit(&[POOL, "L2Advertisement l {}"], broken);
    let stored = serde_json::to_string(compiler.last_good()).unwrap();
    let restored: LastGood = serde_json::from_str(&stored).unwrap();
    assert_eq!(Compiler::restore(restored).compile(&resources), config);
    let empty: LastGood = serde_json::from_str("{}").unwrap();
    assert!(
        Compiler::restore(empty)
            .compile(&resources)
            .pools
            .is_empty()
    );
}

/// An object that cannot be read at all, of a newer version perhaps.
#[test]
fn a_restart_remembers_what_it_cannot_read() {
    let (compiler, mut resources, _) = edit(&[POOL], "L2Advertisement l {}");
    let kept = serde_json::to_string(compiler.last_good()).unwrap();
    let restart = |resources: &Resources| {
        let mut compiler = Compiler::restore(serde_json::from_str(&kept).unwrap());
        let config = compiler.compile(resources);
        (compiler, config)
    };
    resources.delete::<IPAddressPool>("", "a");
    let object = ObjectRef::new("IPAddressPool", NAMESPACE, "a");
    let why = Diagnostic::error(V003, object.clone(), "a number", "write a text");
    assert!(resources.refuse(object.clone(), why.clone()));
    assert!(!resources.refuse(object, why.clone()), "nothing new");

    let (compiler, config) = restart(&resources);
    assert_eq!(entries(&config, "a"), ["10.0.0.0/24"]);
    let refusal = refused(&config, "IPAddressPool", "a");
    assert!(refusal.last_good_in_force && refusal.diagnostics == [why]);
    assert_eq!(serde_json::to_string(compiler.last_good()).unwrap(), kept);

    let config = Compiler::new().compile(&resources);
    assert!(!refused(&config, "IPAddressPool", "a").last_good_in_force);

    assert!(resources.delete::<IPAddressPool>("", "a"));
    let (_, config) = restart(&resources);
    assert!(config.refused.is_empty() && config.pools.is_empty());
}

#[test]
fn a_last_good_version_yields_to_a_present_pool() {
    let young = "IPAddressPool b@9 {addresses: [10.0.0.128/25]}";
    let (mut compiler, mut resources, _) = edit(&[POOL], "IPAddressPool a {addresses: []}");
    apply(&mut resources, young);
    let config = compiler.compile(&resources);
    assert_eq!(entries(&config, "b"), ["10.0.0.128/25"]);
    assert!(entries(&config, "a").is_empty());
    assert!(!refused(&config, "IPAddressPool", "a").last_good_in_force);
    let fresh = Compiler::new().compile(&resources);
    assert_eq!(
        entries(&fresh, "b"),
        entries(&config, "b"),
        "whoever never saw it agrees"
    );
}

#[test]
fn the_loser_of_an_overlap_keeps_its_former_ranges() {
    let (_, _, config) = edit(
        &[POOL, "IPAddressPool b {addresses: [10.0.1.0/24]}"],
        "IPAddressPool b {addresses: [10.0.0.0/23]}",
    );
    assert_eq!(entries(&config, "a"), ["10.0.0.0/24"]);
    assert_eq!(entries(&config, "b"), ["10.0.1.0/24"]);
    assert!(refused(&config, "IPAddressPool", "b").last_good_in_force);
}

#[test]
fn a_refused_pool_stands_in_nobodys_way() {
    let config = Compiler::new().compile(&resources(&[
        POOL,
        "IPAddressPool b {addresses: [10.0.0.0/23]}",
        "IPAddressPool c {addresses: [10.0.1.0/24]}",
    ]));
    assert_eq!(entries(&config, "c"), ["10.0.1.0/24"]);
    assert!(refused(&config, "IPAddressPool", "b").ranges.len() == 1);
}

#[test]
fn an_advertisement_outlives_its_alias() {
    let alias = "Community c {communities: [{name: x, value: '1:2'}]}";
    let ad = "BGPAdvertisement ad {communities: [x]}";
    let (mut compiler, mut resources, _) = edit(&[POOL, alias], ad);
    resources.delete::<Community>("", "c");
    let config = compiler.compile(&resources);
    assert!(refused(&config, "BGPAdvertisement", "ad").last_good_in_force);
    assert_eq!(config.pools["a"].bgp[0].communities.len(), 1);
    let stored = serde_json::to_string(compiler.last_good()).unwrap();
    let restored = serde_json::from_str(&stored).unwrap();
    assert_eq!(Compiler::restore(restored).compile(&resources), config);
}

#[test]
fn a_broken_community_keeps_its_aliases() {
    let (_, _, config) = edit(
        &[
            POOL,
            "Community c {communities: [{name: x, value: '1:2'}]}",
            "BGPAdvertisement ad {communities: [x]}",
        ],
        "Community c {communities: [{name: x, value: '1:2:3'}]}",
    );
    assert_eq!(config.refused.len(), 1);
    assert!(refused(&config, "Community", "c").last_good_in_force);
    assert_eq!(config.pools["a"].bgp.len(), 1);
}

#[test]
fn an_aggregate_too_wide_for_one_pool_leaves_the_others() {
    let (mut compiler, mut resources, config) = edit(
        &[
            "IPAddressPool a {addresses: [10.0.0.0/24]}",
            "IPAddressPool b {addresses: [10.0.1.0/24]}",
            "BGPAdvertisement ad {aggregationLength: 24}",
        ],
        "IPAddressPool b {addresses: [10.0.1.0/28]}",
    );
    assert_eq!(config.pools["a"].bgp.len(), 1);
    assert!(config.pools["b"].bgp.is_empty());
    assert!(!refused(&config, "BGPAdvertisement", "ad").last_good_in_force);

    apply(&mut resources, "IPAddressPool b {addresses: [10.0.1.0/24]}");
    assert!(compiler.compile(&resources).refused.is_empty());
    apply(
        &mut resources,
        "BGPAdvertisement ad {aggregationLength: 16}",
    );
    let config = compiler.compile(&resources);
    assert!(refused(&config, "BGPAdvertisement", "ad").last_good_in_force);
    assert_eq!(config.pools["a"].bgp[0].aggregation_length, 24);
    resources.delete::<BGPAdvertisement>(NAMESPACE, "ad");
    assert!(compiler.compile(&resources).pools["a"].bgp.is_empty());
}

#[test]
fn a_conflict_of_local_pref_is_kept_to_the_shared_pool() {
    let config = Compiler::new().compile(&resources(&[
        "IPAddressPool a {addresses: [10.0.0.0/24]}",
        "IPAddressPool b {addresses: [10.0.1.0/24]}",
        "BGPAdvertisement one@1 {localPref: 1, ipAddressPools: [a]}",
        "BGPAdvertisement two@2 {localPref: 2}",
    ]));
    let names = |pool: &str| -> Vec<&str> {
        config.pools[pool]
            .bgp
            .iter()
            .map(|ad| ad.name.as_str())
            .collect()
    };
    assert_eq!((names("a"), names("b")), (vec!["one"], vec!["two"]));
    assert_eq!(config.refused.len(), 1);
}

#[test]
fn a_peer_outlives_its_secret_but_shows_no_password() {
    let peer =
        "BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, passwordSecret: {name: s}}";
    let secret = "Secret s {type: kubernetes.io/basic-auth, password: hunter2}";
    let (mut compiler, mut resources, _) = edit(&[secret], peer);
    resources.delete_secret(NAMESPACE, "s");
    let config = compiler.compile(&resources);
    assert!(refused(&config, "BGPPeer", "p").last_good_in_force);
    assert!(config.peers["p"].password.is_some());
    let stored = serde_json::to_string(compiler.last_good()).unwrap();
    let shown = format!("{config:?} {compiler:?} {stored}");
    assert!(!shown.contains("hunter2"));
}

#[test]
fn no_diagnostic_shows_a_password() {
    let long = "hunter2".repeat(20);
    let table = [
        format!("BGPPeer p {{myASN: 0, password: {long}}}"),
        "BGPPeer p {myASN: 0, password: hunter2, passwordSecret: {name: s}}".to_owned(),
    ];
    for peer in table {
        let resources = resources(&["Secret s {type: Opaque, password: hunter2}", &peer]);
        for diagnostic in crate::check(&resources) {
            assert!(
                !format!("{diagnostic:?}").contains("hunter2"),
                "{diagnostic}"
            );
        }
    }
}

/// A tolerated fault is warned of, and does not hide that two objects exclude each other.
#[test]
fn a_tolerated_fault_keeps_no_object_out() {
    let resources = resources(&[
        "BGPPeer one@1 {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, bfdProfile: later}",
        "BGPPeer two@2 {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1}",
    ]);
    let strict: Vec<_> = crate::check(&resources).iter().map(brief).collect();
    assert_eq!(
        strict,
        ["B018 one spec.bfdProfile", "B051 one spec.bfdProfile"]
    );
    let tolerates = |fault: &ferrolb_types::Diagnostic| fault.object.name == "one";
    let lenient = crate::check_tolerating(&resources, tolerates);
    let lenient: Vec<_> = lenient.iter().map(brief).collect();
    assert_eq!(
        lenient,
        [
            "~B018 one spec.bfdProfile",
            "~B051 one spec.bfdProfile",
            "B060 two spec.peerAddress"
        ]
    );
}
