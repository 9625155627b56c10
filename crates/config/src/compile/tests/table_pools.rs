// SPDX-License-Identifier: Apache-2.0
//! Rows on pools, communities and selectors.

use super::table::{Row, row};

const OVER: &str = "IPAddressPool a {addresses: [1.1.1.1-1.1.1.100]}";

pub(super) const ROWS: &[Row] = &[
    row("P1", &["IPAddressPool a {addresses: []}"], &["P001 a spec.addresses"]),
    row("P1", &["IPAddressPool a {}"], &["P001 a spec.addresses"]),
    row("P2", &["IPAddressPool metallb-system/ {addresses: [10.0.0.0/24]}"], &["P002  metadata.name"]),
    row(
        "P3",
        &["IPAddressPool a {addresses: [100.200.300.400/24, 1.2.3.0/33, ' 10.0.0.0/8', 1.2.3.4, 10.0.0.01/8]}"],
        &[
            "P003 a spec.addresses[0]",
            "P003 a spec.addresses[1]",
            "P003 a spec.addresses[2]",
            "P003 a spec.addresses[3]",
            "P003 a spec.addresses[4]",
        ],
    ),
    row("P3", &["IPAddressPool a {addresses: [10.0.0.5/8]}"], &[]),
    row(
        "P4",
        &["IPAddressPool a {addresses: [1.2.3.4-1.2.3.8/24, 'fe80::1%eth0-fe80::2', 1.2.3.4-]}"],
        &["P004 a spec.addresses[0]", "P004 a spec.addresses[1]", "P004 a spec.addresses[2]"],
    ),
    row("P5", &["IPAddressPool a {addresses: [1.2.3.10-1.2.3.1]}"], &["P005 a spec.addresses[0]"]),
    row("P6", &["IPAddressPool a {addresses: ['1.2.3.4-fe80::1']}"], &["P006 a spec.addresses[0]"]),
    row("P7 P8", &["IPAddressPool a {addresses: ['::ffff:1.2.3.0/120', 10.0.0.1 - 10.0.0.6]}"], &[]),
    row(
        "P7 P9",
        &["IPAddressPool a {addresses: ['::ffff:1.2.3.0/120', 1.2.3.9/32]}"],
        &["P009 a spec.addresses[1]"],
    ),
    row("P9", &[OVER, "IPAddressPool b {addresses: [1.1.1.15-1.1.1.20]}"], &["P009 b spec.addresses[0]"]),
    row("P9", &[OVER, "IPAddressPool b {addresses: [1.1.1.0/24]}"], &["P009 b spec.addresses[0]"]),
    row("P9", &[OVER, "IPAddressPool b {addresses: [1.1.1.101-1.1.1.200]}"], &[]),
    row(
        "P9",
        &["IPAddressPool a@9 {addresses: [1.1.1.0/24]}", "IPAddressPool b@5 {addresses: [1.1.0.0/16]}"],
        &["P009 a spec.addresses[0]"],
    ),
    row(
        "P9",
        &["IPAddressPool a {addresses: [1.1.1.0/24]}", "IPAddressPool b@5 {addresses: [1.1.0.0/16]}"],
        &["P009 a spec.addresses[0]"],
    ),
    row(
        "P9",
        &[
            "IPAddressPool a {addresses: [10.0.0.0/26]}",
            "IPAddressPool b {addresses: [10.0.0.128/26]}",
            "IPAddressPool c {addresses: [10.0.0.0/24, 'fc00::/64']}",
        ],
        &["P009 c spec.addresses[0]", "P009 c spec.addresses[0]"],
    ),
    row(
        "P9",
        &["IPAddressPool a {addresses: [10.0.0.9/32, 10.0.0.0/24, 10.0.1.0/24, 10.0.0.7-10.0.1.7]}"],
        &["P009 a spec.addresses[1]", "P009 a spec.addresses[3]"],
    ),
    row(
        "P11",
        &["IPAddressPool a {addresses: [10.0.0.0/24], serviceAllocation: {namespaces: [x, z, x]}}"],
        &["P011 a spec.serviceAllocation.namespaces[2]"],
    ),
    row(
        "P12 Sa Sb Sc",
        &["IPAddressPool a {addresses: [10.0.0.0/24], serviceAllocation: {namespaceSelectors: [
            {matchExpressions: [{key: k, operator: In, values: [a, a]}]},
            {matchExpressions: [{key: k, operator: In, values: [a, b]}, {key: k, operator: In, values: [b, a]}]},
            {matchLabels: {x: z}}, {matchLabels: {x: z}}]}}"],
        &[
            "S006 a spec.serviceAllocation.namespaceSelectors[0].matchExpressions[0].values[1]",
            "S007 a spec.serviceAllocation.namespaceSelectors[1].matchExpressions[1]",
            "S008 a spec.serviceAllocation.namespaceSelectors[3]",
        ],
    ),
    row(
        "Sc",
        &["IPAddressPool a {addresses: [10.0.0.0/24], serviceAllocation: {serviceSelectors: [
            {matchExpressions: [{key: k, operator: Exists}, {key: l, operator: Exists}]},
            {matchExpressions: [{key: l, operator: Exists}, {key: k, operator: Exists}]}]}}"],
        &[],
    ),
    row(
        "P13",
        &["IPAddressPool a {addresses: [10.0.0.0/24], serviceAllocation: {serviceSelectors: [
            {matchExpressions: [{key: k, operator: is, values: [a]}, {key: k, operator: In}, {key: k, operator: NotIn, values: []},
                {key: k, operator: Exists, values: [a]}, {key: k, operator: DoesNotExist, values: [a]}]},
            {matchLabels: {'a/b/c': x, 'UP/b': x, '': x, -a: x, a_b.c-d: '-', ok/a: 'a b'}}]}}"],
        &[
            "S001 a spec.serviceAllocation.serviceSelectors[0].matchExpressions[0].operator",
            "S002 a spec.serviceAllocation.serviceSelectors[0].matchExpressions[1].values",
            "S002 a spec.serviceAllocation.serviceSelectors[0].matchExpressions[2].values",
            "S003 a spec.serviceAllocation.serviceSelectors[0].matchExpressions[3].values",
            "S003 a spec.serviceAllocation.serviceSelectors[0].matchExpressions[4].values",
            "S004 a spec.serviceAllocation.serviceSelectors[1].matchLabels.",
            "S004 a spec.serviceAllocation.serviceSelectors[1].matchLabels.-a",
            "S004 a spec.serviceAllocation.serviceSelectors[1].matchLabels[UP/b]",
            "S004 a spec.serviceAllocation.serviceSelectors[1].matchLabels[a/b/c]",
            "S005 a spec.serviceAllocation.serviceSelectors[1].matchLabels[a_b.c-d]",
            "S005 a spec.serviceAllocation.serviceSelectors[1].matchLabels[ok/a]",
        ],
    ),
    row(
        "P14",
        &[
            "Namespace known",
            "IPAddressPool a {addresses: [10.0.0.0/24], serviceAllocation: {namespaces: [known, unknown]}}",
        ],
        &["~P014 a spec.serviceAllocation.namespaces[1]"],
    ),
    row(
        "P14",
        &["IPAddressPool a {addresses: [10.0.0.0/24], serviceAllocation: {namespaces: [unknown]}}"],
        &[],
    ),
    row(
        "P15",
        &["NodeIP n 10.0.0.7", "NodeIP m 192.0.2.1", "IPAddressPool a {addresses: ['fc00::/64', 10.0.0.0/24]}"],
        &["~P015 a spec.addresses[1]"],
    ),
    row(
        "P50",
        &["IPAddressPool elsewhere/a {addresses: [10.0.0.0/24]}", "IPAddressPool a {addresses: [10.0.0.0/24]}"],
        &["P050 a metadata.namespace"],
    ),
    row(
        "P51",
        &[
            "IPAddressPool a {addresses: [10.0.0.0/24]}",
            "IPAddressPool b {addresses: [10.0.1.0/24]}",
            "L2Advertisement l {ipAddressPools: [b]}",
        ],
        &["~P051 a"],
    ),
    row(
        "C1 C2 C3",
        &["Community c {communities: [{name: a, value: '99999999:1'}, {name: b, value: '1:99999999'},
            {name: c, value: 'lar:123:9999:123'}, {name: d, value: '1234'}, {name: e, value: '1:2:3'}, {name: f},
            {name: g, value: '1111:2222'}, {name: h, value: 'large:1:2:3'}, {value: '1:1'}]}"],
        &[
            "C001 c spec.communities[0].value",
            "C001 c spec.communities[1].value",
            "C002 c spec.communities[2].value",
            "C003 c spec.communities[3].value",
            "C003 c spec.communities[4].value",
            "C003 c spec.communities[5].value",
            "C051 c spec.communities[8].name",
        ],
    ),
    row(
        "C4",
        &["Community c {communities: [{name: a, value: '1:1'}, {name: a, value: '1:1'}]}"],
        &["C004 c spec.communities[1].name"],
    ),
    row(
        "C4",
        &[
            "Community c@2 {communities: [{name: b, value: '1:1'}, {name: a, value: '1:1'}]}",
            "Community d@1 {communities: [{name: a, value: '1:1'}]}",
        ],
        &["C004 c spec.communities[1].name"],
    ),
    row(
        "C50",
        &["Community elsewhere/c {communities: [{name: a, value: '1:1'}]}"],
        &["C050 c metadata.namespace"],
    ),
    row("C52", &["Community metallb-system/ {}"], &["C052  metadata.name"]),
];
