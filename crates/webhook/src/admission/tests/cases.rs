// SPDX-License-Identifier: Apache-2.0
//! The numbered cases of the behaviour reference that concern pools, communities and advertisements: 86 to 94.

use super::support::{Row, check_rows};

const POOL: &str = "IPAddressPool first@1 {addresses: [1.1.1.1-1.1.1.100]}";
const NARROW: &str = "IPAddressPool narrow@1 {addresses: [1.1.1.0/28]}";
const RANGE: &str = "IPAddressPool range@1 {addresses: [3.3.3.2-3.3.3.254]}";
const LOW: &str = "BGPAdvertisement low@1 {localPref: 100}";
const PEER: &str = "BGPPeer one@1 {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1}";

const CASES: &[Row] = &[
    Row(
        "86",
        &[POOL],
        "CREATE IPAddressPool second {addresses: [1.1.1.15-1.1.1.20]}",
        &["P009 second spec.addresses[0]"],
        "overlaps with already defined CIDR",
    ),
    Row(
        "86 updated",
        &[
            POOL,
            "IPAddressPool second@2 {addresses: [1.1.1.101-1.1.1.200]}",
        ],
        "UPDATE IPAddressPool second@2 {addresses: [1.1.1.0/24]}",
        &["P009 second spec.addresses[0]"],
        "overlaps with already defined CIDR",
    ),
    Row(
        "86 the older one is updated",
        &[
            POOL,
            "IPAddressPool second@2 {addresses: [1.1.1.101-1.1.1.200]}",
        ],
        "UPDATE IPAddressPool first@1 {addresses: [1.1.1.0/24]}",
        &["P009 second spec.addresses[0]"],
        "overlaps with already defined CIDR",
    ),
    Row(
        "86 apart",
        &[POOL],
        "CREATE IPAddressPool second {addresses: [1.1.1.101-1.1.1.200]}",
        &[],
        "",
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [100.200.300.400/24]}",
        &["P003 p spec.addresses[0]"],
        "",
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [1.2.3.0/33]}",
        &["P003 p spec.addresses[0]"],
        "",
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [1.2.3.10-1.2.3.1]}",
        &["P005 p spec.addresses[0]"],
        "",
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: [' 10.0.0.0/8']}",
        &["P003 p spec.addresses[0]"],
        "",
    ),
    Row(
        "87",
        &[],
        "CREATE IPAddressPool p {addresses: []}",
        &["P001 p spec.addresses"],
        "",
    ),
    Row(
        "88",
        &[NARROW],
        "CREATE BGPAdvertisement a {aggregationLength: 26}",
        &["A007 a spec.aggregationLength"],
        "invalid aggregation length 26",
    ),
    Row(
        "88 range",
        &[RANGE],
        "CREATE BGPAdvertisement a {aggregationLength: 26}",
        &[],
        "",
    ),
    Row(
        "88 range",
        &[RANGE],
        "CREATE BGPAdvertisement a {aggregationLength: 24}",
        &["A007 a spec.aggregationLength"],
        "invalid aggregation length 24",
    ),
    Row(
        "89",
        &[POOL, LOW],
        "CREATE BGPAdvertisement high {localPref: 200}",
        &["A008 high spec.localPref"],
        "",
    ),
    Row(
        "89 other length",
        &[POOL, LOW],
        "CREATE BGPAdvertisement high {localPref: 200, aggregationLength: 31, ipAddressPools: [none]}",
        &["~A010 high spec.ipAddressPools[0]"],
        "",
    ),
    Row(
        "89 other length",
        &["IPAddressPool wide {addresses: [1.1.0.0/16]}", LOW],
        "CREATE BGPAdvertisement high {localPref: 200, aggregationLength: 24}",
        &[],
        "",
    ),
    Row(
        "89 other peers",
        &[
            POOL,
            "BGPPeer a {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1}",
            "BGPPeer b {myASN: 1, peerASN: 2, peerAddress: 192.0.2.2}",
            "BGPAdvertisement low@1 {localPref: 100, peers: [a]}",
        ],
        "CREATE BGPAdvertisement high {localPref: 200, peers: [b]}",
        &[],
        "",
    ),
    Row(
        "89 other nodes",
        &[
            POOL,
            "Node l {side: left}",
            "Node r {side: right}",
            "BGPAdvertisement low@1 {localPref: 100, nodeSelectors: [{matchLabels: {side: left}}]}",
        ],
        "CREATE BGPAdvertisement high {localPref: 200, nodeSelectors: [{matchLabels: {side: right}}]}",
        &[],
        "",
    ),
    Row(
        "89 service selectors",
        &[POOL, LOW],
        "CREATE BGPAdvertisement high {localPref: 200, serviceSelectors: [{matchLabels: {a: b}}]}",
        &[],
        "",
    ),
    Row(
        "90",
        &[],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLength: 24}",
        &["A005 a spec.aggregationLength"],
        "serviceSelectors and aggregationLength are mutually exclusive",
    ),
    Row(
        "90",
        &[],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLengthV6: 64}",
        &["A005 a spec.aggregationLengthV6"],
        "serviceSelectors and aggregationLength are mutually exclusive",
    ),
    Row(
        "90",
        &[],
        "CREATE BGPAdvertisement a {serviceSelectors: [{}], aggregationLength: 32, aggregationLengthV6: 128}",
        &[],
        "",
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1234'}]}",
        &["C003 c spec.communities[0].value"],
        "invalid community format",
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '99999999:1'}]}",
        &["C001 c spec.communities[0].value"],
        "invalid community value: invalid section",
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1:99999999'}]}",
        &["C001 c spec.communities[0].value"],
        "invalid community value: invalid section",
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: 'lar:123:9999:123'}]}",
        &["C002 c spec.communities[0].value"],
        "expected community to be of format large",
    ),
    Row(
        "91",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1111:2222'}]}",
        &[],
        "",
    ),
    Row(
        "91 differs: in every mode",
        &[],
        "CREATE Community c {communities: [{name: alias, value: 'large:1:2:3'}]}",
        &[],
        "",
    ),
    Row(
        "92",
        &[],
        "CREATE Community c {communities: [{name: alias, value: '1:1'}, {name: alias, value: '1:2'}]}",
        &["C004 c spec.communities[1].name"],
        "duplicate definition of community",
    ),
    Row(
        "92",
        &["Community b {communities: [{name: alias, value: '1:1'}]}"],
        "CREATE Community c {communities: [{name: alias, value: '1:2'}]}",
        &["C004 c spec.communities[0].name"],
        "duplicate definition of community",
    ),
    Row(
        "93",
        &[],
        "CREATE BGPAdvertisement a {communities: [my-valid-alias]}",
        &["~A009 a spec.communities[0]"],
        "",
    ),
    Row(
        "93 defined",
        &["Community c {communities: [{name: my-valid-alias, value: '1:1'}]}"],
        "CREATE BGPAdvertisement a {communities: [my-valid-alias]}",
        &[],
        "",
    ),
    Row(
        "94",
        &[POOL],
        "CREATE BGPAdvertisement a {ipAddressPools: [first, first]}",
        &["A001 a spec.ipAddressPools[1]"],
        "",
    ),
    Row(
        "94",
        &[POOL],
        "CREATE L2Advertisement a {ipAddressPools: [first, first]}",
        &["A001 a spec.ipAddressPools[1]"],
        "",
    ),
    Row(
        "94",
        &[PEER],
        "CREATE BGPAdvertisement a {peers: [one, one]}",
        &["A002 a spec.peers[1]"],
        "",
    ),
    Row(
        "94",
        &[],
        "CREATE BGPAdvertisement a {communities: ['1:1', '1:1']}",
        &["A002 a spec.communities[1]"],
        "",
    ),
    Row(
        "94",
        &[],
        "CREATE L2Advertisement a {nodeSelectors: [{matchExpressions: [{key: k, operator: In, values: [a, a]}]}]}",
        &["S006 a spec.nodeSelectors[0].matchExpressions[0].values[1]"],
        "",
    ),
    Row(
        "94",
        &[],
        "CREATE L2Advertisement a {nodeSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]}",
        &["S008 a spec.nodeSelectors[1]"],
        "",
    ),
];

#[test]
fn every_case() {
    check_rows(CASES);
}
