// SPDX-License-Identifier: Apache-2.0
//! The cases of peers, and of all kinds: 95 to 99.

use super::{
    Row,
    Want::{self, Denied, Passes, Schema, Warns},
};

const FIRST: &str = "IPAddressPool first {addresses: [1.1.1.1-1.1.1.100]}";
const PEER: &str = "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201}";
const LEFT: &str = "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, nodeSelectors: [{matchLabels: {side: left}}]}";
const EXISTS: Want = Denied(&["FLB-B060", "already exists"]);
const ELSEWHERE: &str = "resource must be created in metallb-system namespace";

pub(super) const PEERS: &[Row] = &[
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1}",
        Denied(&["FLB-B007", "invalid BGPPeer address"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2}",
        Denied(&["FLB-B006"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, interface: eth0}",
        Denied(&["FLB-B006"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerAddress: 1.1.1.1}",
        Denied(&["FLB-B002"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 0, peerASN: 2, peerAddress: 1.1.1.1}",
        Denied(&["FLB-B001"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, dynamicASN: internal, peerAddress: 1.1.1.1}",
        Denied(&["FLB-B003"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, dynamicASN: both, peerAddress: 1.1.1.1}",
        Schema("dynamicASN"),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 90s, holdTime: 30s}",
        Denied(&["FLB-B010"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: 1s}",
        Denied(&["FLB-B009"]),
    ),
    Row(
        "95 differs: a code",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: soon}",
        Denied(&["FLB-B011"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 1, peerAddress: 1.1.1.1, ebgpMultiHop: true}",
        Denied(&["FLB-B005"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, routerID: garbage}",
        Denied(&["FLB-B007"]),
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: 180s}",
        Passes,
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 60s}",
        Passes,
    ),
    Row(
        "95",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, keepaliveTime: 0s, holdTime: 0s}",
        Passes,
    ),
    Row(
        "96 overlapping",
        &[PEER, "Node l {side: left}"],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, nodeSelectors: [{matchLabels: {side: left}}]}",
        EXISTS,
    ),
    Row(
        "96 disjoint",
        &[LEFT, "Node l {side: left}", "Node r {side: right}"],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, nodeSelectors: [{matchLabels: {side: right}}]}",
        Passes,
    ),
    Row(
        "96 no nodes known",
        &[LEFT],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, nodeSelectors: [{matchLabels: {side: right}}]}",
        EXISTS,
    ),
    Row(
        "96 other VRF",
        &[PEER],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201, vrf: red}",
        Warns("FLB-B052"),
    ),
    Row(
        "96 differs: routerID is a peer's own",
        &[PEER],
        "CREATE BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.202, routerID: 192.0.2.9}",
        Passes,
    ),
    Row(
        "97",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, bfdProfile: none}",
        Warns("FLB-B018"),
    ),
    Row(
        "97",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, passwordSecret: {name: s}}",
        Passes,
    ),
    Row(
        "97 differs: both passwords",
        &[],
        "CREATE BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, password: x, passwordSecret: {name: s}}",
        Denied(&["FLB-B013"]),
    ),
    Row(
        "97 deleted",
        &[
            "BFDProfile fast {}",
            "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, bfdProfile: fast}",
        ],
        "DELETE BFDProfile fast",
        Denied(&[
            "FLB-W004",
            "failed to delete BFDProfile fast, used by BGPPeer one",
        ]),
    ),
    Row(
        "97 deleted, unused",
        &["BFDProfile fast {}", PEER],
        "DELETE BFDProfile fast",
        Passes,
    ),
    Row(
        "97 out of bounds",
        &[],
        "CREATE BFDProfile fast {receiveInterval: 5}",
        Schema("receiveInterval"),
    ),
    Row(
        "98",
        &[],
        "CREATE IPAddressPool default/p {addresses: [1.1.1.0/24]}",
        Denied(&["FLB-P050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE BGPAdvertisement default/p {}",
        Denied(&["FLB-A050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE L2Advertisement default/p {}",
        Denied(&["FLB-A050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE BGPPeer default/p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
        Denied(&["FLB-B050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE BFDProfile default/p {}",
        Denied(&["FLB-B050", ELSEWHERE]),
    ),
    Row(
        "98",
        &[],
        "CREATE Community default/p {}",
        Denied(&["FLB-C050", ELSEWHERE]),
    ),
    Row(
        "99 differs: in every mode",
        &["IPAddressPool six {addresses: ['2001:db8::/120']}"],
        "CREATE BGPAdvertisement a {}",
        Passes,
    ),
    Row(
        "99",
        &["IPAddressPool six {addresses: ['2001:db8::/120']}", FIRST],
        "CREATE BGPAdvertisement a {ipAddressPools: [first]}",
        Passes,
    ),
    Row(
        "v1beta1",
        &[],
        "CREATE BGPPeer/v1beta1 p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
        Warns("FLB-W006"),
    ),
    Row(
        "v1beta1",
        &[],
        "CREATE BGPPeer/v1beta1 p {myASN: 1, peerASN: 2, peerAddress: 1.1.1}",
        Denied(&["FLB-B007"]),
    ),
];
