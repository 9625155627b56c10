// SPDX-License-Identifier: Apache-2.0
//! A conflict of some nodes stays on these: there the older object counts, elsewhere nothing changes.

use ferrolb_types::{Labels, NodeName};

use super::support::{apply, brief, resources};
use crate::{Compiler, Config, resources::Resources};

const POOL: &str = "IPAddressPool a {addresses: [10.0.0.0/24]}";

/// What the nodes speak and announce by: `node: peers; advertisements`.
fn in_force(resources: &Resources, config: &Config) -> Vec<String> {
    let line = |(name, labels): (&NodeName, &Labels)| {
        let peers = config.peers_on(labels).map(|(name, _)| name.as_str());
        let peers: Vec<&str> = peers.collect();
        let pools = config.pools.values();
        let ads = pools.flat_map(|pool| pool.bgp_on(labels));
        let ads: Vec<&str> = ads.map(|ad| ad.name.as_str()).collect();
        format!("{name}: {}; {}", peers.join(" "), ads.join(" "))
    };
    let nodes = resources.nodes.iter();
    nodes
        .map(|(name, facts)| line((name, &facts.labels)))
        .collect()
}

fn peer(name: &str, label: &str) -> String {
    format!(
        "BGPPeer {name} {{myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, nodeSelectors: [{{matchLabels: {{{label}}}}}]}}"
    )
}

fn ad(name: &str, local_pref: u8, label: &str) -> String {
    format!(
        "BGPAdvertisement {name} {{localPref: {local_pref}, nodeSelectors: [{{matchLabels: {{{label}}}}}]}}"
    )
}

/// An older and a younger peer and advertisement for nodes of two labels, which no node has both of.
fn apart() -> Resources {
    resources(&[
        "Node n1 {rack: a}".to_owned(),
        "Node n2 {zone: edge}".to_owned(),
        "Node n3 {zone: edge, site: x}".to_owned(),
        POOL.to_owned(),
        peer("old@1", "rack: a"),
        peer("young@2", "zone: edge"),
        ad("low@1", 1, "rack: a"),
        ad("high@2", 2, "zone: edge"),
    ])
}

fn faults(config: &Config) -> Vec<String> {
    config.diagnostics().map(brief).collect()
}

#[test]
fn a_node_with_both_labels_concerns_no_other_node() {
    let (mut compiler, mut resources) = (Compiler::new(), apart());
    let before = compiler.compile(&resources);
    assert!(before.refused.is_empty(), "{:?}", before.refused);
    let apart = ["n1: old; low", "n2: young; high", "n3: young; high"];
    assert_eq!(in_force(&resources, &before), apart);

    apply(&mut resources, "Node n2 {zone: edge, rack: a}");
    let config = compiler.compile(&resources);
    let want = ["n1: old; low", "n2: old; low", "n3: young; high"];
    assert_eq!(in_force(&resources, &config), want);
    let codes = ["A008 high spec.localPref", "B060 young spec.peerAddress"];
    assert_eq!(faults(&config), codes);
    let fresh = Compiler::new().compile(&resources);
    assert_eq!(fresh, config, "whoever starts now agrees");
    apply(&mut resources, "Node n4 {zone: edge, rack: a}");
    let wider = compiler.compile(&resources);
    assert!(
        wider.diagnostics().eq(config.diagnostics()),
        "nothing new is told of one more"
    );
    resources.delete_node(&"n4".into());

    apply(&mut resources, "Node n2 {zone: edge}");
    assert_eq!(compiler.compile(&resources), before);
}

/// Nobody younger takes the place of an object that is overruled on some nodes.
#[test]
fn the_order_of_age_holds_on_every_node() {
    let mut resources = apart();
    apply(&mut resources, &peer("third@3", "site: x"));
    apply(&mut resources, &ad("third@3", 3, "site: x"));
    apply(&mut resources, "Node n4 {site: x}");
    for both in ["Node n2 {zone: edge, rack: a}", "Node n2 {zone: edge}"] {
        apply(&mut resources, both);
        let config = Compiler::new().compile(&resources);
        let nodes = in_force(&resources, &config);
        assert_eq!(nodes[2..], ["n3: young; high", "n4: third; third"]);
    }
    apply(&mut resources, "Node n3 {zone: edge, site: x, rack: a}");
    let config = Compiler::new().compile(&resources);
    let nodes = in_force(&resources, &config);
    assert_eq!(
        nodes[1..],
        ["n2: young; high", "n3: old; low", "n4: third; third"]
    );
    let causes: Vec<&str> = config.diagnostics().map(|d| d.cause.as_str()).collect();
    let of_old = |cause: &&str| cause.contains(" old ") || cause.contains(" low ");
    assert!(causes.len() == 4 && causes.iter().all(of_old), "{causes:?}");
}

/// An advertisement is in nobody's way where an older one is in its own.
#[test]
fn who_is_overruled_overrules_nobody() {
    let with = |name: &str, pref: u8, peers: &str| {
        format!("BGPAdvertisement {name} {{localPref: {pref}, peers: [{peers}]}}")
    };
    let resources = resources(&[
        "Node n1 {rack: a}".to_owned(),
        POOL.to_owned(),
        with("one@1", 1, "p"),
        with("two@2", 2, "p, q"),
        with("three@3", 3, "q"),
    ]);
    let config = Compiler::new().compile(&resources);
    assert_eq!(in_force(&resources, &config), ["n1: ; one three"]);
    assert_eq!(faults(&config), ["A008 two spec.localPref"]);
}

/// Where an older object leaves an edited one no node, the last good version goes on.
#[test]
fn an_edit_that_leaves_nothing_keeps_the_last_good_version() {
    let mut compiler = Compiler::new();
    let elsewhere = "BGPPeer young@2 {myASN: 1, peerASN: 2, peerAddress: 192.0.2.9}";
    let mut resources = resources(&["Node n1 {rack: a}", &peer("old@1", "rack: a"), elsewhere]);
    compiler.compile(&resources);
    apply(&mut resources, &peer("young@2", "rack: a"));
    let config = compiler.compile(&resources);
    assert_eq!(in_force(&resources, &config), ["n1: old young; "]);
    assert!(
        config
            .refused
            .values()
            .all(|refused| refused.last_good_in_force)
    );
    assert_eq!(faults(&config), ["B060 young spec.peerAddress"]);
}

/// A label that takes the last node from an object takes nothing else, and gives it back with the node.
#[test]
fn an_object_comes_back_with_its_node() {
    let mut compiler = Compiler::new();
    let mut resources = apart();
    compiler.compile(&resources);
    for node in [
        "Node n2 {zone: edge, rack: a}",
        "Node n3 {zone: edge, rack: a}",
    ] {
        apply(&mut resources, node);
    }
    let config = compiler.compile(&resources);
    let all_old = ["n1: old; low", "n2: old; low", "n3: old; low"];
    assert_eq!(in_force(&resources, &config), all_old);
    assert_eq!(config.refused.len(), 2);
    apply(&mut resources, "Node n4 {zone: edge}");
    let config = compiler.compile(&resources);
    assert_eq!(in_force(&resources, &config)[3], "n4: young; high");
}
