// SPDX-License-Identifier: Apache-2.0
//! Rows on peers and BFD profiles.

use super::table::{Row, row};

const GOOD: &str = "BGPPeer p {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1}";

/// A peer with further fields.
macro_rules! peer {
    ($fields:literal) => {
        concat!(
            "BGPPeer p {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1, ",
            $fields,
            "}"
        )
    };
}

pub(super) const ROWS: &[Row] = &[
    row(
        "B1",
        &["BGPPeer p {myASN: 0, peerASN: 64513, peerAddress: 192.0.2.1}"],
        &["B001 p spec.myASN"],
    ),
    row(
        "B2",
        &["BGPPeer p {myASN: 64512, peerAddress: 192.0.2.1}"],
        &["B002 p spec.peerASN"],
    ),
    row(
        "B2",
        &["BGPPeer p {myASN: 64512, peerASN: 0, peerAddress: 192.0.2.1}"],
        &["B002 p spec.peerASN"],
    ),
    row(
        "B3 B4",
        &[peer!("dynamicASN: any")],
        &[
            "B003 p spec.dynamicASN",
            "B004 p spec.dynamicASN",
            "B055 p spec.dynamicASN",
        ],
    ),
    row(
        "B4 B5",
        &[
            "BGPPeer p {myASN: 64512, dynamicASN: internal, peerAddress: 192.0.2.1, ebgpMultiHop: true}",
        ],
        &["B055 p spec.dynamicASN"],
    ),
    row(
        "B5",
        &["BGPPeer p {myASN: 64512, peerASN: 64512, peerAddress: 192.0.2.1, ebgpMultiHop: true}"],
        &["B005 p spec.ebgpMultiHop"],
    ),
    row("B5", &[peer!("ebgpMultiHop: true")], &[]),
    row(
        "B6",
        &["BGPPeer p {myASN: 64512, peerASN: 64513}"],
        &["B006 p spec.peerAddress"],
    ),
    row(
        "B6",
        &[peer!("interface: eth0")],
        &["B006 p spec.interface", "B054 p spec.interface"],
    ),
    row(
        "B7",
        &[
            "BGPPeer p {myASN: 64512, peerASN: 64513, peerAddress: 1.1.1, sourceAddress: x, routerID: garbage}",
        ],
        &[
            "B007 p spec.peerAddress",
            "B007 p spec.routerID",
            "B007 p spec.sourceAddress",
        ],
    ),
    row(
        "B7",
        &[peer!("routerID: 'fe80::1'")],
        &["B064 p spec.routerID"],
    ),
    row(
        "B7",
        &[peer!("routerID: 0.0.0.0")],
        &["B064 p spec.routerID"],
    ),
    row(
        "B7",
        &[peer!("sourceAddress: 'fc00::1'")],
        &["~B065 p spec.sourceAddress"],
    ),
    row("B8", &[peer!("holdTime: 180s")], &[]),
    row("B8", &[peer!("keepaliveTime: 60s")], &[]),
    row(
        "B8 B9 B10",
        &[peer!("holdTime: 0s, keepaliveTime: 0s")],
        &[],
    ),
    row("B9", &[peer!("holdTime: 1s")], &["B009 p spec.holdTime"]),
    row(
        "B9",
        &[peer!("holdTime: 2999ms")],
        &["B009 p spec.holdTime"],
    ),
    row(
        "B9",
        &[peer!("keepaliveTime: 500ms")],
        &["B009 p spec.keepaliveTime"],
    ),
    row(
        "B9",
        &[peer!("holdTime: 900ms")],
        &["~B069 p spec.holdTime"],
    ),
    row("B9", &[peer!("holdTime: 3s")], &[]),
    row(
        "B9",
        &[peer!("holdTime: 65536s")],
        &["B067 p spec.holdTime"],
    ),
    row(
        "B70",
        &[peer!("holdTime: 3s, keepaliveTime: 999ms")],
        &["~B070 p spec.keepaliveTime"],
    ),
    row("B70", &[peer!("holdTime: 3s, keepaliveTime: 1s")], &[]),
    row("B70", &[peer!("holdTime: 3s, keepaliveTime: 0s")], &[]),
    row(
        "B10",
        &[peer!("holdTime: 30s, keepaliveTime: 90s")],
        &["B010 p spec.keepaliveTime"],
    ),
    row("B10", &[peer!("holdTime: 90s, keepaliveTime: 1m30s")], &[]),
    row(
        "B11",
        &[peer!(
            "holdTime: '90', keepaliveTime: soon, connectTime: -1s"
        )],
        &[
            "B011 p spec.connectTime",
            "B011 p spec.holdTime",
            "B011 p spec.keepaliveTime",
        ],
    ),
    row(
        "B11",
        &[peer!("connectTime: 500ms")],
        &["B061 p spec.connectTime"],
    ),
    row(
        "B11",
        &[peer!("connectTime: 1500ms")],
        &["B061 p spec.connectTime"],
    ),
    row(
        "B11",
        &[peer!("connectTime: 65536s")],
        &["B061 p spec.connectTime"],
    ),
    row("B11", &[peer!("connectTime: 65535s")], &[]),
    row("B62", &[peer!("peerPort: 0")], &["B062 p spec.peerPort"]),
    row(
        "B62",
        &[peer!("peerPort: 16385")],
        &["B062 p spec.peerPort"],
    ),
    row("B62", &[peer!("peerPort: 16384")], &[]),
    row(
        "B12",
        &[peer!(
            "nodeSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}, {matchExpressions: [{key: a, operator: is}]}]"
        )],
        &[
            "S001 p spec.nodeSelectors[2].matchExpressions[0].operator",
            "S008 p spec.nodeSelectors[1]",
        ],
    ),
    row(
        "B13",
        &[
            peer!("password: a, passwordSecret: {name: s}"),
            "Secret s {type: kubernetes.io/basic-auth, password: x}",
        ],
        &["B013 p spec.passwordSecret.name"],
    ),
    row(
        "B14",
        &[
            peer!("passwordSecret: {name: s}"),
            "Secret default/s {type: kubernetes.io/basic-auth, password: x}",
        ],
        &["B014 p spec.passwordSecret.name"],
    ),
    row(
        "B15",
        &[
            peer!("passwordSecret: {name: s}"),
            "Secret s {type: Opaque, password: x}",
        ],
        &["B015 p spec.passwordSecret.name"],
    ),
    row(
        "B16",
        &[
            peer!("passwordSecret: {name: s}"),
            "Secret s {type: kubernetes.io/basic-auth}",
        ],
        &["B016 p spec.passwordSecret.name"],
    ),
    row(
        "B14 B15 B16",
        &[
            peer!("passwordSecret: {name: s}"),
            "Secret s {type: kubernetes.io/basic-auth, password: x}",
        ],
        &[],
    ),
    row(
        "B66",
        &[peer!(
            "password: k23456789012345678901234567890123456789012345678901234567890123456789012345678901"
        )],
        &["B066 p spec.password"],
    ),
    row(
        "B18",
        &[peer!("bfdProfile: f")],
        &["B018 p spec.bfdProfile", "B051 p spec.bfdProfile"],
    ),
    row(
        "B18",
        &[peer!("bfdProfile: f"), "BFDProfile f {}"],
        &["B051 p spec.bfdProfile"],
    ),
    row(
        "B18 B20",
        &[peer!("bfdProfile: f"), "BFDProfile f {minimumTtl: 0}"],
        &[
            "B018 p spec.bfdProfile",
            "B020 f spec.minimumTtl",
            "B051 p spec.bfdProfile",
        ],
    ),
    row(
        "B20",
        &[
            "BFDProfile f {receiveInterval: 9, transmitInterval: 60001, detectMultiplier: 1, echoInterval: 5, minimumTtl: 255}",
        ],
        &[
            "B020 f spec.detectMultiplier",
            "B020 f spec.echoInterval",
            "B020 f spec.minimumTtl",
            "B020 f spec.receiveInterval",
            "B020 f spec.transmitInterval",
        ],
    ),
    row(
        "B20",
        &[
            "BFDProfile f {receiveInterval: 10, transmitInterval: 60000, detectMultiplier: 255, minimumTtl: 254}",
        ],
        &[],
    ),
    row(
        "B20",
        &["BFDProfile metallb-system/ {}"],
        &["B068  metadata.name"],
    ),
    row(
        "B21",
        &[
            peer!("bfdProfile: f"),
            "BFDProfile f {echoMode: true}",
            "IPAddressPool six {addresses: ['fc00::/64']}",
            "BGPAdvertisement a {}",
        ],
        &["B021 p spec.bfdProfile", "B051 p spec.bfdProfile"],
    ),
    row(
        "B21",
        &[
            peer!("bfdProfile: f"),
            "BGPPeer other {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.2}",
            "BFDProfile f {echoMode: true}",
            "IPAddressPool six {addresses: ['fc00::/64']}",
            "IPAddressPool four {addresses: [10.0.0.0/24]}",
            "BGPAdvertisement a {ipAddressPools: [six], peers: [other]}",
            "BGPAdvertisement b {ipAddressPools: [four], peers: [p]}",
        ],
        &["B051 p spec.bfdProfile"],
    ),
    row(
        "B50",
        &[
            "BGPPeer elsewhere/p {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1}",
            "BFDProfile elsewhere/f {}",
        ],
        &["B050 f metadata.namespace", "B050 p metadata.namespace"],
    ),
    row(
        "B52 B53 B56 B57",
        &[peer!(
            "vrf: red, enableGracefulRestart: true, localASN: 0, disableMP: true"
        )],
        &[
            "B052 p spec.vrf",
            "B053 p spec.enableGracefulRestart",
            "B056 p spec.localASN",
            "B063 p spec.localASN",
            "~B057 p spec.disableMP",
        ],
    ),
    row(
        "B52 B53",
        &[peer!(
            "vrf: '', enableGracefulRestart: false, interface: '', dynamicASN: '', bfdProfile: '', dualStackAddressFamily: true"
        )],
        &[],
    ),
    row(
        "M7 M9",
        &[
            GOOD,
            "BGPPeer q {myASN: 64999, peerASN: 64513, peerAddress: 192.0.2.2, routerID: 1.1.1.1}",
        ],
        &[],
    ),
    row(
        "M8",
        &[
            GOOD,
            "BGPPeer q {myASN: 64999, peerASN: 64513, peerAddress: '::ffff:192.0.2.1'}",
        ],
        &["B060 q spec.peerAddress"],
    ),
    row(
        "M8",
        &[
            "Node n {zone: a}",
            "Node m {zone: b}",
            peer!("nodeSelectors: [{matchLabels: {zone: a}}]"),
            "BGPPeer q {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1, nodeSelectors: [{matchLabels: {zone: b}}]}",
        ],
        &[],
    ),
    row(
        "M8",
        &[
            "Node n {zone: a, role: x}",
            peer!("nodeSelectors: [{matchLabels: {zone: a}}]"),
            "BGPPeer q@1 {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1, nodeSelectors: [{matchLabels: {role: x}}]}",
        ],
        &["B060 p spec.peerAddress"],
    ),
    row(
        "M8",
        &[
            peer!("nodeSelectors: [{matchLabels: {zone: a}}]"),
            "BGPPeer q {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1, nodeSelectors: [{matchLabels: {zone: b}}]}",
        ],
        &["B060 q spec.peerAddress"],
    ),
    row(
        "M8",
        &[
            GOOD,
            "BGPPeer q {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1, vrf: red}",
        ],
        &["B052 q spec.vrf"],
    ),
];
