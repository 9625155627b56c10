// SPDX-License-Identifier: Apache-2.0
//! What good objects compile to.

use std::{sync::Arc, time::Duration};

use ferrolb_api::resource::BGPPeerV1Beta1;
use ferrolb_types::{Asn, Labels, Secret};

use super::support::{apply, resources};
use crate::{
    Compiler, Config,
    compiled::{Peer, PeerAs, Timers},
    convert::peer_from_v1beta1,
    resources::Resources,
};

fn compile(objects: &[&str]) -> Arc<Config> {
    let config = Compiler::new().compile(&resources(objects));
    assert_eq!(config.refused.len(), 0, "{:?}", config.refused);
    config
}

fn peer(fields: &str) -> Arc<Peer> {
    let text =
        format!("BGPPeer p {{myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1, {fields}}}");
    let secret = "Secret s {type: kubernetes.io/basic-auth, password: hunter2}";
    compile(&[&text, secret]).peers["p"].clone()
}

#[test]
fn timers_complete_each_other() {
    let table = [
        ("", None),
        ("holdTime: 180s", Some((180, 60_000))),
        ("keepaliveTime: 60s", Some((180, 60_000))),
        ("holdTime: 0s", Some((0, 0))),
        ("holdTime: 90s, keepaliveTime: 90s", Some((90, 90_000))),
        ("holdTime: 900ms", Some((0, 0))),
        ("holdTime: 3900ms, keepaliveTime: 3500ms", Some((3, 3000))),
        ("holdTime: 3s", Some((3, 1000))),
        ("holdTime: 3s, keepaliveTime: 1ms", Some((3, 1000))),
        ("holdTime: 90s, keepaliveTime: 0s", Some((90, 0))),
    ];
    for (fields, want) in table {
        let want = want.map_or_else(Timers::default, |(hold, keepalive)| Timers {
            hold: Some(Duration::from_secs(hold)),
            keepalive: Some(Duration::from_millis(keepalive)),
            connect: None,
        });
        assert_eq!(peer(fields).timers, want, "{fields}");
    }
}

#[test]
fn a_peer_in_full() {
    let peer = peer(
        "holdTime: 9s, connectTime: 5s, sourceAddress: 192.0.2.9, peerPort: 1179, routerID: 1.2.3.4, \
         ebgpMultiHop: true, dualStackAddressFamily: true, passwordSecret: {name: s}, \
         nodeSelectors: [{matchLabels: {a: b}}]",
    );
    assert_eq!(
        (peer.my_asn, peer.peer_as),
        (Asn(64512), PeerAs::Exactly(Asn(64513)))
    );
    assert_eq!(peer.connection.address, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(peer.connection.source, Some("192.0.2.9".parse().unwrap()));
    assert_eq!(peer.connection.port, 1179);
    assert!(peer.connection.multihop && peer.dual_stack && !peer.graceful_restart);
    assert_eq!(peer.router_id.unwrap().to_string(), "1.2.3.4");
    assert_eq!(peer.timers.connect, Some(Duration::from_secs(5)));
    assert_eq!(peer.password, Some(Secret::new("hunter2")));
    assert!(
        peer.nodes
            .matches(&[("a".to_owned(), "b".to_owned())].into())
    );
}

#[test]
fn the_old_version_of_a_peer_keeps_absent_timers_absent() {
    let old: BGPPeerV1Beta1 = serde_saphyr::from_str(
        "{metadata: {name: p}, spec: {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, peerPort: 0, \
         nodeSelectors: [{}, {matchExpressions: [{key: k, operator: In, values: [v]}]}]}}",
    )
    .unwrap();
    let mut resources = Resources::new("metallb-system");
    assert!(resources.apply(peer_from_v1beta1(old)));
    let config = Compiler::new().compile(&resources);
    let peer = &config.peers["p"];
    assert_eq!(peer.timers, Timers::default());
    assert_eq!(peer.connection.port, 179);
    assert!(
        peer.nodes.matches(&Labels::new()),
        "an empty selector matches every node"
    );
}

#[test]
fn advertisements_reach_pools_by_name_and_label_once() {
    let config = compile(&[
        "IPAddressPool a#team=x {addresses: [10.0.0.0/24]}",
        "IPAddressPool b#team=x {addresses: [10.0.1.0/24]}",
        "IPAddressPool c {addresses: [10.0.2.0/24]}",
        "BGPAdvertisement both {ipAddressPools: [a], ipAddressPoolSelectors: [{matchLabels: {team: x}}]}",
        "BGPAdvertisement all {}",
        "BGPAdvertisement none {ipAddressPoolSelectors: [{matchLabels: {team: z}}]}",
        "L2Advertisement l {ipAddressPools: [a, c], ipAddressPoolSelectors: [{matchLabels: {team: z}}]}",
    ]);
    let names = |pool: &str| {
        let pool = &config.pools[pool];
        let bgp = pool.bgp.iter().map(|ad| ad.name.as_str());
        let l2 = pool.l2.iter().map(|ad| ad.name.as_str());
        bgp.chain(l2).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("a"), "all both l");
    assert_eq!(names("b"), "all both");
    assert_eq!(names("c"), "all l");
}

#[test]
fn aliases_win_over_numbers_and_collapse() {
    let config = compile(&[
        "IPAddressPool a {addresses: [10.0.0.0/24]}",
        "Community c {communities: [{name: '1:1', value: '2:2'}, {name: no-export, value: '65535:65281'}]}",
        "BGPAdvertisement ad {communities: ['1:1', '2:2', no-export, 'large:1:2:3']}",
    ]);
    let communities = config.pools["a"].bgp[0].communities.iter();
    let communities: Vec<String> = communities.map(ToString::to_string).collect();
    assert_eq!(communities, ["2:2", "65535:65281", "large:1:2:3"]);
}

#[test]
fn an_address_finds_its_pool() {
    let config = compile(&[
        "IPAddressPool a {addresses: [10.0.0.0/24, 'fc00::/64', 10.0.9.0-10.0.9.7], avoidBuggyIPs: true}",
        "IPAddressPool b {addresses: [10.0.1.0/24, 'fc00:0:0:1::7/128']}",
    ]);
    let table = [
        ("10.0.0.1", Some("a")),
        ("10.0.0.0", None),
        ("10.0.0.255", None),
        ("10.0.9.7", Some("a")),
        ("10.0.9.8", None),
        ("10.0.1.0", Some("b")),
        ("10.0.2.0", None),
        ("9.255.255.255", None),
        ("fc00::", Some("a")),
        ("fc00:0:0:1::7", Some("b")),
        ("fc00:0:0:1::8", None),
    ];
    for (address, want) in table {
        let pool = config.pool_of(address.parse().unwrap());
        assert_eq!(pool.map(|pool| pool.name.as_str()), want, "{address}");
    }
}

#[test]
fn an_unchanged_object_is_no_change() {
    let mut resources = resources(&["IPAddressPool a {addresses: [10.0.0.0/24]}"]);
    let again = super::support::object::<ferrolb_api::resource::IPAddressPool>(
        "a",
        "{addresses: [10.0.0.0/24]}",
    );
    assert!(!resources.apply(again));
    apply(&mut resources, "Node n {a: b}");
    let node = ferrolb_api::view::NodeView {
        name: "n".into(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        internal_ips: Vec::new(),
        network_unavailable: true,
    };
    assert!(!resources.apply_node(&node));
}
