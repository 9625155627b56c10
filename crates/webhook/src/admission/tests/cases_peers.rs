// SPDX-License-Identifier: Apache-2.0
//! The numbered cases of the behaviour reference that concern peers, and all kinds: 95 to 99.

use super::support::{Row, check_rows};

const PEER: &str = "BGPPeer one@1 {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1}";
const LEFT: &str = "BGPPeer one@1 {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, nodeSelectors: [{matchLabels: {side: left}}]}";

const CASES: &[Row] = &[
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1}",
        &["B007 p spec.peerAddress"],
        "invalid BGPPeer address",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2}",
        &["B006 p spec.peerAddress"],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, interface: eth0}",
        &["B006 p spec.interface", "~B054 p spec.interface"],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerAddress: 1.1.1.1}",
        &["B002 p spec.peerASN"],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, dynamicASN: internal, peerAddress: 1.1.1.1}",
        &["B003 p spec.dynamicASN", "~B055 p spec.dynamicASN"],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 90s, holdTime: 30s}",
        &["B010 p spec.keepaliveTime"],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: 1s}",
        &["B009 p spec.holdTime"],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 1, peerAddress: 1.1.1.1, ebgpMultiHop: true}",
        &["B005 p spec.ebgpMultiHop"],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, routerID: garbage}",
        &["B007 p spec.routerID"],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: 180s}",
        &[],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 60s}",
        &[],
        "",
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 0s, holdTime: 0s}",
        &[],
        "",
    ),
    Row(
        "96 overlapping",
        &[PEER, "Node l {side: left}"],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, nodeSelectors: [{matchLabels: {side: left}}]}",
        &["B060 two spec.peerAddress"],
        "already exists",
    ),
    Row(
        "96 disjoint",
        &[LEFT, "Node l {side: left}", "Node r {side: right}"],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, nodeSelectors: [{matchLabels: {side: right}}]}",
        &[],
        "",
    ),
    Row(
        "96 no nodes known",
        &[LEFT],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, nodeSelectors: [{matchLabels: {side: right}}]}",
        &["B060 two spec.peerAddress"],
        "already exists",
    ),
    Row(
        "96 other VRF",
        &[PEER],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, vrf: red}",
        &["~B052 two spec.vrf"],
        "",
    ),
    Row(
        "96 same VRF",
        &["BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, vrf: red}"],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, vrf: red}",
        &["B060 two spec.peerAddress", "~B052 two spec.vrf"],
        "already exists",
    ),
    Row(
        "96 differs: routerID is a peer's own",
        &[PEER],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.2, routerID: 192.0.2.9}",
        &[],
        "",
    ),
    Row(
        "97",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, bfdProfile: none}",
        &["~B018 p spec.bfdProfile", "~B051 p spec.bfdProfile"],
        "",
    ),
    Row(
        "97",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, passwordSecret: {name: s}}",
        &[],
        "",
    ),
    Row(
        "97 deleted",
        &[
            "BFDProfile fast {}",
            "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, bfdProfile: fast}",
        ],
        "DELETE BFDProfile fast",
        &["W004 fast"],
        "failed to delete BFDProfile fast, used by BGPPeer one",
    ),
    Row(
        "97 deleted, unused",
        &["BFDProfile fast {}", PEER],
        "DELETE BFDProfile fast",
        &[],
        "",
    ),
    Row(
        "98",
        &[],
        "CREATE IPAddressPool other/p {addresses: [1.1.1.0/24]}",
        &["P050 p metadata.namespace"],
        "resource must be created in metallb-system namespace",
    ),
    Row(
        "98",
        &[],
        "CREATE BGPAdvertisement other/p",
        &["A050 p metadata.namespace"],
        "resource must be created in metallb-system namespace",
    ),
    Row(
        "98",
        &[],
        "CREATE L2Advertisement other/p",
        &["A050 p metadata.namespace"],
        "resource must be created in metallb-system namespace",
    ),
    Row(
        "98",
        &[],
        "CREATE BGPPeer other/p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
        &["B050 p metadata.namespace"],
        "resource must be created in metallb-system namespace",
    ),
    Row(
        "98",
        &[],
        "CREATE BFDProfile other/p",
        &["B050 p metadata.namespace"],
        "resource must be created in metallb-system namespace",
    ),
    Row(
        "98",
        &[],
        "CREATE Community other/p",
        &["C050 p metadata.namespace"],
        "resource must be created in metallb-system namespace",
    ),
    Row(
        "99 differs: in every mode",
        &["IPAddressPool six {addresses: ['2001:db8::/120']}"],
        "CREATE BGPAdvertisement a",
        &[],
        "",
    ),
];

#[test]
fn every_case() {
    check_rows(CASES);
}
