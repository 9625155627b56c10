// SPDX-License-Identifier: Apache-2.0
//! Rows on advertisements.

use super::table::{Row, row};

const POOL: &str = "IPAddressPool pool {addresses: [1.1.1.0/28]}";
const SIX: &str = "IPAddressPool pool {addresses: ['fc00::/112']}";
const DUAL: &str = "IPAddressPool pool {addresses: [1.1.1.0/24, 'fc00::/112']}";
const WIDE: &str = "IPAddressPool pool {addresses: [1.1.0.0/16]}";
const P: &str = "BGPPeer p {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1}";
const Q: &str = "BGPPeer q {myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.2}";
const LOW: &str = "BGPAdvertisement low {localPref: 100}";
const HIGH: &str = "BGPAdvertisement high {localPref: 200}";
const BY_AGE: &[&str] = &["A008 low spec.localPref"];

pub(super) const ROWS: &[Row] = &[
    row(
        "A1 A2",
        &[
            POOL,
            P,
            "BGPAdvertisement a {ipAddressPools: [pool, pool], communities: ['1:1', '1:2', '1:1'], peers: [p, p]}",
            "L2Advertisement l {ipAddressPools: [pool, pool], interfaces: [eth0, eth0]}",
        ],
        &[
            "A001 a spec.ipAddressPools[1]",
            "A001 l spec.ipAddressPools[1]",
            "A002 a spec.communities[2]",
            "A002 a spec.peers[1]",
        ],
    ),
    row(
        "A3",
        &[
            POOL,
            "BGPAdvertisement a {nodeSelectors: [{}, {}], serviceSelectors: [{matchExpressions: [{key: k, operator: In}]}]}",
            "L2Advertisement l {ipAddressPoolSelectors: [{matchExpressions: [{key: k, operator: In, values: [a, a]}]}],
                nodeSelectors: [{}, {}], serviceSelectors: [{}, {}]}",
        ],
        &[
            "S002 a spec.serviceSelectors[0].matchExpressions[0].values",
            "S006 l spec.ipAddressPoolSelectors[0].matchExpressions[0].values[1]",
            "S008 a spec.nodeSelectors[1]",
            "S008 l spec.nodeSelectors[1]",
            "S008 l spec.serviceSelectors[1]",
            "~A010 l spec.ipAddressPoolSelectors[0]",
        ],
    ),
    row(
        "A4",
        &[POOL, "L2Advertisement l {preferredNodeSelectors: [{weight: 50, preference: {}}, {weight: 50, preference: {}}]}"],
        &[],
    ),
    row(
        "A4",
        &[POOL, "L2Advertisement l {preferredNodeSelectors: [
            {weight: 0, preference: {matchExpressions: [{key: k, operator: is}]}}, {weight: 101, preference: {}}]}"],
        &[
            "A051 l spec.preferredNodeSelectors[0].weight",
            "A051 l spec.preferredNodeSelectors[1].weight",
            "S001 l spec.preferredNodeSelectors[0].preference.matchExpressions[0].operator",
        ],
    ),
    row(
        "A5",
        &[WIDE, "BGPAdvertisement a {aggregationLength: 24, aggregationLengthV6: 64, serviceSelectors: [{}]}"],
        &["A005 a spec.aggregationLength", "A005 a spec.aggregationLengthV6"],
    ),
    row(
        "A5",
        &[WIDE, "BGPAdvertisement a {aggregationLength: 32, aggregationLengthV6: 128, serviceSelectors: [{}]}"],
        &[],
    ),
    row(
        "A6",
        &[
            POOL,
            "BGPAdvertisement a {aggregationLength: 33, aggregationLengthV6: 129}",
            "BGPAdvertisement b {aggregationLength: 0, aggregationLengthV6: -1}",
        ],
        &[
            "A006 a spec.aggregationLength",
            "A006 a spec.aggregationLengthV6",
            "A006 b spec.aggregationLength",
            "A006 b spec.aggregationLengthV6",
        ],
    ),
    row("A7", &[POOL, "BGPAdvertisement a {aggregationLength: 26}"], &["A007 a spec.aggregationLength"]),
    row("A7", &[SIX, "BGPAdvertisement a {aggregationLengthV6: 64}"], &["A007 a spec.aggregationLengthV6"]),
    row("A7", &[SIX, "BGPAdvertisement a {aggregationLength: 8, aggregationLengthV6: 112}"], &[]),
    row(
        "A7",
        &["IPAddressPool pool {addresses: [3.3.3.2-3.3.3.254]}", "BGPAdvertisement a {aggregationLength: 26}"],
        &[],
    ),
    row(
        "A7",
        &["IPAddressPool pool {addresses: [3.3.3.2-3.3.3.254]}", "BGPAdvertisement a {aggregationLength: 24}"],
        &["A007 a spec.aggregationLength"],
    ),
    row(
        "A7",
        &["IPAddressPool pool {addresses: [1.0.0.0/8, 2.0.0.0/28]}", "BGPAdvertisement a {aggregationLength: 24}"],
        &["A007 a spec.aggregationLength"],
    ),
    row("A8", &[POOL, LOW, HIGH], BY_AGE),
    row("A8", &[POOL, "BGPAdvertisement low@1 {localPref: 100}", HIGH], &["A008 high spec.localPref"]),
    row("A8", &[POOL, "BGPAdvertisement low {}", HIGH], BY_AGE),
    row("A8", &[POOL, "BGPAdvertisement low {}", "BGPAdvertisement high {localPref: 100}"], &[]),
    row(
        "A8",
        &[
            POOL,
            "IPAddressPool other {addresses: [2.2.2.0/28]}",
            "BGPAdvertisement low {localPref: 100, ipAddressPools: [pool]}",
            "BGPAdvertisement high {localPref: 200, ipAddressPools: [other]}",
        ],
        &[],
    ),
    row("A8", &[WIDE, "BGPAdvertisement low {localPref: 100, aggregationLength: 24}", HIGH], &[]),
    row("A8", &[WIDE, "BGPAdvertisement low {localPref: 100, aggregationLengthV6: 64}", HIGH], BY_AGE),
    row("A8", &[SIX, "BGPAdvertisement low {localPref: 100, aggregationLengthV6: 127}", HIGH], &[]),
    row("A8", &[DUAL, "BGPAdvertisement low {localPref: 100, aggregationLength: 24}", HIGH], BY_AGE),
    row(
        "A8",
        &[DUAL, "BGPAdvertisement low {localPref: 100, aggregationLength: 24, aggregationLengthV6: 120}", HIGH],
        &[],
    ),
    row(
        "A8",
        &[
            POOL,
            P,
            Q,
            "BGPAdvertisement low {localPref: 100, peers: [p]}",
            "BGPAdvertisement high {localPref: 200, peers: [q]}",
        ],
        &[],
    ),
    row(
        "A8",
        &[
            POOL,
            P,
            Q,
            "BGPAdvertisement low {localPref: 100, peers: [p, q]}",
            "BGPAdvertisement high {localPref: 200, peers: [q]}",
        ],
        BY_AGE,
    ),
    row("A8", &[POOL, P, "BGPAdvertisement low {localPref: 100, peers: [p]}", HIGH], BY_AGE),
    row("A8", &[POOL, "BGPAdvertisement low {localPref: 100, serviceSelectors: [{}]}", HIGH], &[]),
    row(
        "A8",
        &[
            "Node n {zone: a}",
            "Node m {zone: b}",
            POOL,
            "BGPAdvertisement low {localPref: 100, nodeSelectors: [{matchLabels: {zone: a}}]}",
            "BGPAdvertisement high {localPref: 200, nodeSelectors: [{matchLabels: {zone: b}}]}",
        ],
        &[],
    ),
    row(
        "A8",
        &[
            "Node n {zone: a}",
            POOL,
            "BGPAdvertisement low {localPref: 100, nodeSelectors: [{matchLabels: {zone: a}}]}",
            HIGH,
        ],
        BY_AGE,
    ),
    row(
        "A8",
        &[
            POOL,
            "BGPAdvertisement low {localPref: 100, nodeSelectors: [{matchLabels: {zone: a}}]}",
            "BGPAdvertisement high {localPref: 200, nodeSelectors: [{matchLabels: {zone: b}}]}",
        ],
        &[],
    ),
    row(
        "A9",
        &[
            POOL,
            "Community c {communities: [{name: known, value: '1:1'}, {name: '7:8:9', value: '1:1'}]}",
            "BGPAdvertisement a {communities: [known, '7:8:9', '1:1', unknown, '1:2:3', '70000:1', 'larg:1:2:3', 'large:1:x:3']}",
        ],
        &[
            "A009 a spec.communities[3]",
            "A009 a spec.communities[4]",
            "A009 a spec.communities[5]",
            "A009 a spec.communities[6]",
            "A009 a spec.communities[7]",
        ],
    ),
    row(
        "A10",
        &[
            POOL,
            "BGPAdvertisement a {ipAddressPools: [pol], peers: [q], ipAddressPoolSelectors: [{matchLabels: {x: z}}]}",
            "L2Advertisement l {ipAddressPools: [pool, pol]}",
        ],
        &[
            "~A010 a spec.ipAddressPoolSelectors[0]",
            "~A010 a spec.ipAddressPools[0]",
            "~A010 a spec.peers[0]",
            "~A010 l spec.ipAddressPools[1]",
        ],
    ),
    row(
        "A50",
        &["BGPAdvertisement elsewhere/a {}", "L2Advertisement elsewhere/l {}"],
        &["A050 a metadata.namespace", "A050 l metadata.namespace"],
    ),
    row("A52", &["L2Advertisement metallb-system/ {}"], &["A052  metadata.name"]),
];
