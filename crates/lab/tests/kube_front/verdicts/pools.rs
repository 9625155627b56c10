// SPDX-License-Identifier: Apache-2.0
//! The cases of pools, communities and advertisements: 86 to 94.

use super::{
    Row,
    Want::{self, Denied, Passes, Schema, Warns},
};

const FIRST: &str = "IPAddressPool first {addresses: [1.1.1.1-1.1.1.100]}";
const SECOND: &str = "IPAddressPool second {addresses: [1.1.1.101-1.1.1.200]}";
const NARROW: &str = "IPAddressPool narrow {addresses: [1.1.1.0/28]}";
const RANGE: &str = "IPAddressPool range {addresses: [3.3.3.2-3.3.3.254]}";
const LOW: &str = "BGPAdvertisement low {localPref: 100}";
const PEER: &str = "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 192.0.2.201}";
const OVERLAPS: Want = Denied(&["FLB-P009", "overlaps with already defined CIDR"]);

pub(super) const POOLS: &[Row] = &[
    Row(
        "86",
        &[FIRST],
        "CREATE IPAddressPool second {addresses: [1.1.1.15-1.1.1.20]}",
        OVERLAPS,
    ),
    Row(
        "86 apart",
        &[FIRST],
        "CREATE IPAddressPool second {addresses: [1.1.1.101-1.1.1.200]}",
        Passes,
    ),
    Row(
        "86 updated",
        &[FIRST, SECOND],
        "UPDATE IPAddressPool second {addresses: [1.1.1.0/24]}",
        OVERLAPS,
    ),
    Row(
        "86 the first is updated",
        &[FIRST, SECOND],
        "UPDATE IPAddressPool first {addresses: [1.1.1.0/24]}",
        OVERLAPS,
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [100.200.300.400/24]}",
        Denied(&["FLB-P003", "100.200.300.400/24"]),
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [1.2.3.0/33]}",
        Denied(&["FLB-P003"]),
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [1.2.3.10-1.2.3.1]}",
        Denied(&["FLB-P005"]),
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [' 10.0.0.0/8']}",
        Denied(&["FLB-P003"]),
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: []}",
        Denied(&["FLB-P001"]),
    ),
    Row(
        "87 two families",
        &[],
        "CREATE IPAddressPool p {addresses: ['1.2.3.4-fe80::1']}",
        Denied(&["FLB-P006"]),
    ),
    Row(
        "88",
        &[NARROW],
        "CREATE BGPAdvertisement a {aggregationLength: 26}",
        Denied(&["FLB-A007", "invalid aggregation length 26"]),
    ),
    Row(
        "88 range",
        &[RANGE],
        "CREATE BGPAdvertisement a {aggregationLength: 26}",
        Passes,
    ),
    Row(
        "88 range",
        &[RANGE],
        "CREATE BGPAdvertisement a {aggregationLength: 24}",
        Denied(&["FLB-A007", "invalid aggregation length 24"]),
    ),
    Row(
        "89",
        &[FIRST, LOW],
        "CREATE BGPAdvertisement high {localPref: 200}",
        Denied(&["FLB-A008"]),
    ),
    Row(
        "89 by update",
        &[FIRST, LOW, "BGPAdvertisement high {localPref: 100}"],
        "UPDATE BGPAdvertisement high {localPref: 200}",
        Denied(&["FLB-A008"]),
    ),
    Row(
        "89 other length",
        &["IPAddressPool wide {addresses: [1.1.0.0/16]}", LOW],
        "CREATE BGPAdvertisement high {localPref: 200, aggregationLength: 24}",
        Passes,
    ),
    Row(
        "89 other peers",
        &[
            FIRST,
            PEER,
            "BGPPeer two {myASN: 1, peerASN: 2, peerAddress: 192.0.2.202}",
            "BGPAdvertisement low {localPref: 100, peers: [one]}",
        ],
        "CREATE BGPAdvertisement high {localPref: 200, peers: [two]}",
        Passes,
    ),
    Row(
        "89 other nodes",
        &[
            FIRST,
            "Node l {side: left}",
            "Node r {side: right}",
            "BGPAdvertisement low {localPref: 100, nodeSelectors: [{matchLabels: {side: left}}]}",
        ],
        "CREATE BGPAdvertisement high {localPref: 200, nodeSelectors: [{matchLabels: {side: right}}]}",
        Passes,
    ),
    Row(
        "89 service selectors",
        &[FIRST, LOW],
        "CREATE BGPAdvertisement high {localPref: 200, serviceSelectors: [{matchLabels: {a: b}}]}",
        Passes,
    ),
    Row(
        "90",
        &[],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLength: 24}",
        Schema("serviceSelectors and aggregationLength are mutually exclusive"),
    ),
    Row(
        "90",
        &[],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLengthV6: 64}",
        Schema("serviceSelectors and aggregationLength are mutually exclusive"),
    ),
    Row(
        "90",
        &[FIRST],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLength: 32, aggregationLengthV6: 128}",
        Passes,
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1234'}]}",
        Denied(&["FLB-C003", "invalid community format"]),
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '99999999:1'}]}",
        Denied(&["FLB-C001", "invalid community value: invalid section"]),
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1:99999999'}]}",
        Denied(&["FLB-C001", "invalid community value: invalid section"]),
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: 'lar:123:9999:123'}]}",
        Denied(&["FLB-C002", "expected community to be of format large"]),
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1111:2222'}]}",
        Passes,
    ),
    Row(
        "91 differs: in every mode",
        &[],
        "CREATE Community c {communities: [{name: alias, value: 'large:1:2:3'}]}",
        Passes,
    ),
    Row(
        "92",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1:1'}, {name: alias, value: '1:2'}]}",
        Denied(&["FLB-C004", "duplicate definition of community"]),
    ),
    Row(
        "92",
        &["Community b {communities: [{name: alias, value: '1:1'}]}"],
        "CREATE Community c {communities: [{name: alias, value: '1:2'}]}",
        Denied(&["FLB-C004", "duplicate definition of community"]),
    ),
    Row(
        "93",
        &[FIRST],
        "CREATE BGPAdvertisement a {communities: [my-valid-alias]}",
        Warns("FLB-A009"),
    ),
    Row(
        "93 defined",
        &[
            FIRST,
            "Community c {communities: [{name: my-valid-alias, value: '1:1'}]}",
        ],
        "CREATE BGPAdvertisement a {communities: [my-valid-alias]}",
        Passes,
    ),
    Row(
        "93 a literal",
        &[FIRST],
        "CREATE BGPAdvertisement a {communities: ['1:2:3']}",
        Denied(&[
            "FLB-A009",
            "invalid community \"1:2:3\" in BGP advertisement",
        ]),
    ),
    Row(
        "94",
        &[FIRST],
        "CREATE BGPAdvertisement a {ipAddressPools: [first, first]}",
        Denied(&["FLB-A001"]),
    ),
    Row(
        "94",
        &[FIRST],
        "CREATE L2Advertisement a {ipAddressPools: [first, first]}",
        Denied(&["FLB-A001"]),
    ),
    Row(
        "94",
        &[PEER],
        "CREATE BGPAdvertisement a {peers: [one, one]}",
        Denied(&["FLB-A002"]),
    ),
    Row(
        "94",
        &[],
        "CREATE BGPAdvertisement a {communities: ['1:1', '1:1']}",
        Denied(&["FLB-A002"]),
    ),
    Row(
        "94",
        &[],
        "CREATE L2Advertisement a {nodeSelectors: [{matchExpressions: [{key: k, operator: In, values: [a, a]}]}]}",
        Denied(&["FLB-S006"]),
    ),
    Row(
        "94",
        &[],
        "CREATE L2Advertisement a {nodeSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]}",
        Denied(&["FLB-S008"]),
    ),
];
