// SPDX-License-Identifier: Apache-2.0
//! Which faults deny: those that a request brings in, and no others.

use ferrolb_api::resource::IPAddressPool;
use ferrolb_config::{Resources, check};
use serde_json::json;

use super::support::{Row, check_rows, object, pools, response, send};
use crate::admission::verdict::{Change, judge};

const ROWS: &[Row] = &[
    Row(
        "the faults of others",
        &["IPAddressPool bad {addresses: [nonsense]}"],
        "CREATE IPAddressPool good {addresses: [1.1.1.0/24]}",
        &[],
        "",
    ),
    Row(
        "an old fault, untouched",
        &["IPAddressPool bad#a=b {addresses: [nonsense]}"],
        "UPDATE IPAddressPool bad#a=c {addresses: [nonsense]}",
        &["~P003 bad spec.addresses[0]"],
        "",
    ),
    Row(
        "an old fault beside a new one",
        &["IPAddressPool bad {addresses: [nonsense]}"],
        "UPDATE IPAddressPool bad {addresses: [nonsense, more]}",
        &["P003 bad spec.addresses[1]", "~P003 bad spec.addresses[0]"],
        "\"more\"",
    ),
    Row(
        "one of two faults mended",
        &["IPAddressPool bad {addresses: [nonsense, more]}"],
        "UPDATE IPAddressPool bad {addresses: [nonsense]}",
        &["~P003 bad spec.addresses[0]"],
        "",
    ),
    Row(
        "the first of two faults mended",
        &["IPAddressPool bad {addresses: [nonsense, more]}"],
        "UPDATE IPAddressPool bad {addresses: [more]}",
        &["~P003 bad spec.addresses[0]"],
        "",
    ),
    Row(
        "a good entry gone before a bad one",
        &["IPAddressPool bad {addresses: [1.1.1.0/24, nonsense]}"],
        "UPDATE IPAddressPool bad {addresses: [nonsense]}",
        &["~P003 bad spec.addresses[0]"],
        "",
    ),
    Row(
        "a fault in place of another",
        &["IPAddressPool bad {addresses: [nonsense]}"],
        "UPDATE IPAddressPool bad {addresses: [rubbish]}",
        &["P003 bad spec.addresses[0]"],
        "",
    ),
    Row(
        "a mended fault that uncovers one between two",
        &[
            "IPAddressPool bad@1 {addresses: [1.1.1.0/24, x]}",
            "IPAddressPool good@2 {addresses: [1.1.1.0/25]}",
        ],
        "UPDATE IPAddressPool bad@1 {addresses: [1.1.1.0/24]}",
        &["P009 good spec.addresses[0]"],
        "",
    ),
    Row(
        "an old overlap, untouched",
        &[
            "IPAddressPool a@1 {addresses: [1.1.1.0/24]}",
            "IPAddressPool b@2 {addresses: [1.1.1.0/25]}",
        ],
        "UPDATE IPAddressPool b@2 {addresses: [1.1.1.0/25], autoAssign: false}",
        &["~P009 b spec.addresses[0]"],
        "",
    ),
    Row(
        "an old overlap, the older one touched",
        &[
            "IPAddressPool a@1 {addresses: [1.1.1.0/24]}",
            "IPAddressPool b@2 {addresses: [1.1.1.0/25]}",
        ],
        "UPDATE IPAddressPool a@1 {addresses: [1.1.1.0/24], autoAssign: false}",
        &[],
        "",
    ),
    Row(
        "an overlap that goes",
        &[
            "IPAddressPool a@1 {addresses: [1.1.1.0/24]}",
            "IPAddressPool b@2 {addresses: [1.1.1.0/25]}",
        ],
        "UPDATE IPAddressPool a@1 {addresses: [1.1.2.0/24]}",
        &[],
        "",
    ),
    Row(
        "a fault of two others that had been hidden behind this object",
        &[
            "IPAddressPool a@1 {addresses: [1.1.1.0/24]}",
            "IPAddressPool b@2 {addresses: [1.1.1.0/25, 2.2.2.0/24]}",
            "IPAddressPool c@3 {addresses: [2.2.2.0/25]}",
        ],
        "UPDATE IPAddressPool a@1 {addresses: [3.3.3.0/24]}",
        &[],
        "",
    ),
    Row(
        "one overlap in place of another",
        &[
            "IPAddressPool a@1 {addresses: [1.1.1.0/24]}",
            "IPAddressPool b@2 {addresses: [2.2.2.0/24]}",
            "IPAddressPool c@3 {addresses: [1.1.1.0/25]}",
        ],
        "UPDATE IPAddressPool c@3 {addresses: [2.2.2.0/25]}",
        &["P009 c spec.addresses[0]"],
        "",
    ),
    Row(
        "the addresses of a pool with another fault",
        &["IPAddressPool bad@1 {addresses: [1.1.1.0/24, nonsense]}"],
        "CREATE IPAddressPool new {addresses: [1.1.1.0/25]}",
        &["P009 new spec.addresses[0]"],
        "of the older pool bad",
    ),
    Row(
        "the addresses of a pool that is refused for an overlap",
        &[
            "IPAddressPool a@1 {addresses: [1.1.1.0/24]}",
            "IPAddressPool b@2 {addresses: [1.1.1.128-1.1.2.255]}",
        ],
        "CREATE IPAddressPool new {addresses: [1.1.2.0/25]}",
        &["P009 new spec.addresses[0]"],
        "of the older pool b",
    ),
    Row(
        "the alias of a Community with another fault",
        &["Community bad@1 {communities: [{name: a, value: '1:1'}, {name: b, value: x}]}"],
        "CREATE Community new {communities: [{name: a, value: '1:1'}]}",
        &["C004 new spec.communities[0].name"],
        "",
    ),
    Row(
        "the address of a peer with another fault",
        &["BGPPeer bad@1 {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: 1s}"],
        "CREATE BGPPeer new {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
        &["B060 new spec.peerAddress"],
        "",
    ),
    Row(
        "the address of a peer for nodes that nobody can tell",
        &[
            "Node n {}",
            "BGPPeer bad@1 {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, nodeSelectors: [{matchExpressions: [{key: k, operator: Is}]}]}",
        ],
        "CREATE BGPPeer new {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
        &[],
        "",
    ),
    Row(
        "an object elsewhere counts for nothing",
        &["IPAddressPool other/p {addresses: [nonsense]}"],
        "UPDATE IPAddressPool other/p {addresses: [rubbish]}",
        &["~P050 p metadata.namespace"],
        "",
    ),
    Row(
        "an advertisement moved to another pool",
        &[
            "IPAddressPool p {addresses: [1.1.1.0/24]}",
            "IPAddressPool q {addresses: [1.1.2.0/24]}",
            "BGPAdvertisement low@1 {localPref: 100, ipAddressPools: [q]}",
            "BGPAdvertisement high@2 {localPref: 200, ipAddressPools: [p]}",
        ],
        "UPDATE BGPAdvertisement high@2 {localPref: 200, ipAddressPools: [q]}",
        &["A008 high spec.localPref"],
        "",
    ),
    Row(
        "two peers meet on a node while the peer is touched for another reason",
        &[
            "Node n {}",
            "BGPPeer one@1 {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
            "BGPPeer two@2 {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}",
        ],
        "UPDATE BGPPeer two@2 {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, holdTime: 90s}",
        &["~B060 two spec.peerAddress"],
        "",
    ),
];

#[test]
fn only_new_faults_deny() {
    check_rows(ROWS);
}

/// A created object carries a creation time already, of this very second, and so may an older one.
#[test]
fn the_created_object_has_the_fault() {
    let standing = ["IPAddressPool z@5 {addresses: [1.1.1.0/24]}"];
    let answer = send(
        &standing,
        "CREATE IPAddressPool a@5 {addresses: [1.1.1.0/25]}",
    );
    assert_eq!(answer.diagnostics[0].object.name, "a");
}

/// The rules are gone through once for a good object, three times at most for a bad one, however many
/// others there are.
#[test]
fn a_thousand_pools_are_compiled_once() {
    let texts: Vec<String> = (0..1000)
        .map(|n| {
            format!(
                "IPAddressPool p{n}@1 {{addresses: [10.{}.{}.0/24]}}",
                n / 256,
                n % 256
            )
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let count = |new: &str, old: Option<&str>| {
        let decode =
            |text: &str| -> IPAddressPool { serde_json::from_value(object(text).2).unwrap() };
        let change = Change {
            new: decode(new),
            old: old.map(decode),
        };
        let mut present = pools(&texts);
        let mut count = 0;
        let verdict = judge(change, &mut present, &mut |resources: &Resources| {
            count += 1;
            check(resources)
        });
        (count, verdict.errors.len())
    };
    assert_eq!(
        count("IPAddressPool new {addresses: [11.0.0.0/24]}", None),
        (1, 0)
    );
    assert_eq!(
        count("IPAddressPool new {addresses: [10.0.0.0/24]}", None),
        (2, 1)
    );
    let old = "IPAddressPool p7@1 {addresses: [10.0.7.0/24]}";
    assert_eq!(
        count("IPAddressPool p7@1 {addresses: [10.0.8.0/24]}", Some(old)),
        (3, 1)
    );
    // One object in the way of all: still three, and the message stays readable.
    assert_eq!(
        count("IPAddressPool p7@0 {addresses: [10.0.0.0/8]}", Some(old)),
        (3, 999)
    );
    let answer = send(
        &texts,
        "UPDATE IPAddressPool p7@0 {addresses: [10.0.0.0/8]}",
    );
    let response = response(&answer);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(
        message.ends_with("989 more faults are not listed"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 11);
}

#[test]
fn a_password_is_never_told() {
    for spec in [
        "{myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, password: tops3cret, passwordSecret: {name: s}}",
        "{myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, password: [tops3cret]}",
        "{myASN: tops3cret, password: tops3cret}",
    ] {
        let answer = send(&[], &format!("CREATE BGPPeer p {spec}"));
        assert!(!answer.allowed, "{spec}");
        assert!(
            !String::from_utf8(answer.body)
                .unwrap()
                .contains("tops3cret"),
            "{spec}"
        );
    }
}

#[test]
fn warnings_are_short_and_few() {
    let names: Vec<String> = (0..30).map(|n| format!("{n}{}", "x".repeat(300))).collect();
    let text = format!("CREATE BGPAdvertisement a {}", json!({"peers": names}));
    let response = response(&send(&[], &text));
    assert_eq!(response["allowed"], true);
    let warnings = response["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 11);
    assert!(
        warnings
            .iter()
            .all(|text| text.as_str().unwrap().chars().count() <= 256)
    );
    assert_eq!(warnings[10], "20 more warnings are not listed");
}

/// Of a flood of faults nobody can say which of them the object had: it can be mended all the same.
#[test]
fn an_object_with_more_faults_than_are_told_is_mended_step_by_step() {
    let faulty = |count: usize| {
        let entries: Vec<String> = (0..count).map(|n| format!("x{n}")).collect();
        format!("{{addresses: [{}]}}", entries.join(", "))
    };
    let [many, fewer] = [100, 99].map(faulty);
    let present = format!("IPAddressPool bad {many}");
    let update = |spec: &str| send(&[&present], &format!("UPDATE IPAddressPool bad {spec}"));
    assert!(update(&fewer).allowed);
    let other = fewer.replacen("x0", "10.0.0.0/24, 10.0.0.0/25", 1);
    assert!(!update(&other).allowed, "a fault of another code");
}
