// SPDX-License-Identifier: Apache-2.0
//! What an API server sends around an object, and what others send.

use serde_json::{Value as Json, json};

use super::support::{NAMESPACE, pools, request, response};
use crate::admission::{List, Webhook, read, review};

const POOL: &str = "IPAddressPool p {addresses: [1.1.1.0/24]}";

fn body() -> Json {
    request("CREATE", POOL, &[]).1
}

fn send(body: &Json) -> Json {
    let text = body.to_string();
    let answer = review(Webhook::IPAddressPool, text.as_bytes(), |_| Ok(pools(&[])));
    response(&answer.unwrap())
}

#[test]
fn paths_are_those_of_metallb() {
    let paths = Webhook::ALL.map(Webhook::path);
    assert_eq!(paths[0], "/validate-metallb-io-v1beta2-bgppeer");
    for (webhook, path) in Webhook::ALL.into_iter().zip(paths) {
        assert_eq!(Webhook::of_path(path), Some(webhook));
        assert!(path.ends_with(&webhook.kind().to_lowercase()));
    }
    assert_eq!(Webhook::of_path("/validate"), None);
}

#[test]
fn the_uid_is_echoed() {
    let response = send(&body());
    assert_eq!(
        response,
        json!({"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": true})
    );
}

#[test]
fn what_is_no_review_has_no_answer() {
    let mut wrong_kind = body();
    wrong_kind["kind"] = json!("ConversionReview");
    let mut old = body();
    old["apiVersion"] = json!("admission.k8s.io/v1beta1");
    let mut empty = body();
    empty["request"] = Json::Null;
    let mut no_uid = body();
    no_uid["request"].as_object_mut().unwrap().remove("uid");
    let texts = ["", "{", "[]", "null", "7", "\"text\"", "{}", "not JSON"];
    let bodies = [wrong_kind, old, empty, no_uid].map(|body| body.to_string());
    for text in texts.into_iter().chain(bodies.iter().map(String::as_str)) {
        let refusal = read(Webhook::IPAddressPool, text.as_bytes())
            .err()
            .expect(text);
        assert_eq!(refusal.status, 400, "{text}");
        assert!(
            refusal.to_string().starts_with("FLB-W001 AdmissionReview"),
            "{refusal}"
        );
    }
    let nested = "[".repeat(1 << 20);
    assert!(read(Webhook::IPAddressPool, nested.as_bytes()).is_err());
}

#[test]
fn an_object_that_cannot_be_read_is_answered() {
    for (object, field) in [
        (Json::Null, ":"),
        (json!(7), ":"),
        (json!({"spec": {"addresses": 7}}), " spec.addresses:"),
        (
            json!({"spec": {"addresses": ["a", 7]}}),
            " spec.addresses[1]:",
        ),
        (json!({"spec": 7}), " spec:"),
    ] {
        let mut body = body();
        body["request"]["object"] = object;
        let response = send(&body);
        assert_eq!(response["allowed"], false);
        assert_eq!(response["status"]["code"], 400);
        assert_eq!(response["status"]["reason"], "BadRequest");
        let message = response["status"]["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("FLB-W003 IPAddressPool metallb-system/p{field}")),
            "{message}"
        );
        assert!(
            !message.contains(" line "),
            "of no text that anybody wrote: {message}"
        );
    }
}

#[test]
fn fields_of_a_later_release_do_no_harm() {
    let mut body = body();
    body["request"]["object"]["spec"]["later"] = json!({"a": [1]});
    body["request"]["later"] = json!(true);
    assert_eq!(send(&body)["allowed"], true);
}

#[test]
fn another_path_is_told() {
    let kinds = [
        json!({"group": "metallb.io", "version": "v1beta1", "kind": "Community"}),
        json!({"group": "metallb.io", "version": "v1beta2", "kind": "IPAddressPool"}),
        json!({"group": "example.com", "version": "v1beta1", "kind": "IPAddressPool"}),
    ];
    for kind in kinds {
        let mut body = body();
        body["request"]["kind"] = kind;
        let response = send(&body);
        assert_eq!(response["status"]["code"], 400);
        let message = response["status"]["message"].as_str().unwrap();
        assert!(message.starts_with("FLB-W002 "), "{message}");
    }
}

#[test]
fn an_old_object_that_cannot_be_read_is_none() {
    let mut body = request("UPDATE", POOL, &[]).1;
    body["request"]["oldObject"] = json!({"spec": 7});
    assert_eq!(send(&body)["allowed"], true);
}

#[test]
fn other_operations() {
    for (operation, allowed) in [("CONNECT", true), ("DELETE", true), ("EAT", false)] {
        let mut body = body();
        body["request"]["operation"] = json!(operation);
        body["request"]["object"]["spec"]["addresses"] = json!([]);
        assert_eq!(send(&body)["allowed"], allowed, "{operation}");
    }
    let mut body = body();
    body["request"]["subResource"] = json!("status");
    body["request"]["object"]["spec"]["addresses"] = json!([]);
    assert_eq!(send(&body)["allowed"], true);
}

#[test]
fn each_path_asks_for_what_it_needs() {
    let needs = |operation: &str, text: &str| {
        let (webhook, body) = request(operation, text, &[]);
        read(webhook, body.to_string().as_bytes())
            .unwrap()
            .needs()
            .to_vec()
    };
    let peer = "BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}";
    assert_eq!(needs("CREATE", POOL), [List::IPAddressPools]);
    assert_eq!(needs("UPDATE", POOL), [List::IPAddressPools]);
    assert_eq!(needs("DELETE", POOL), []);
    assert_eq!(
        needs("CREATE", peer),
        [List::BGPPeers, List::Nodes, List::BFDProfiles]
    );
    assert_eq!(needs("CREATE", "BFDProfile p"), []);
    assert_eq!(needs("DELETE", "BFDProfile p"), [List::BGPPeers]);
    assert_eq!(needs("CREATE", "Community c"), [List::Communities]);
    assert_eq!(
        needs("CREATE", "L2Advertisement a"),
        [List::L2Advertisements, List::IPAddressPools]
    );
    let all = needs("CREATE", "BGPAdvertisement a");
    assert!(
        all.contains(&List::BGPAdvertisements) && all.contains(&List::Nodes),
        "{all:?}"
    );
}

/// It waits for its lists on whatever thread there is.
#[test]
fn a_request_can_wait() {
    fn wait<T: Send + 'static>(_: T) {}
    let (webhook, body) = request("CREATE", POOL, &[]);
    wait(read(webhook, body.to_string().as_bytes()));
}

#[test]
fn lists_that_fail_are_an_error_of_ours() {
    let (webhook, body) = request("CREATE", POOL, &[]);
    let answer = review(webhook, body.to_string().as_bytes(), |_| {
        Err("timed out".to_owned())
    });
    let response = response(&answer.unwrap());
    assert_eq!(response["status"]["code"], 500);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("FLB-W005 ") && message.contains("timed out"),
        "{message}"
    );
}

/// `matchPolicy: Equivalent` has the API server convert what was written as `v1beta1`.
#[test]
fn the_old_version_is_warned_of() {
    let peer = "BGPPeer p {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1}";
    let (webhook, mut body) = request("CREATE", peer, &[]);
    body["request"]["requestKind"]["version"] = json!("v1beta1");
    let answer = review(webhook, body.to_string().as_bytes(), |_| Ok(pools(&[]))).unwrap();
    let response = response(&answer);
    assert_eq!(response["allowed"], true);
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with(&format!("FLB-W006 BGPPeer {NAMESPACE}/p apiVersion")),
        "{warning}"
    );
}
