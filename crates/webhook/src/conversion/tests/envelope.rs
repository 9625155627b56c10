// SPDX-License-Identifier: Apache-2.0
//! What an API server sends around the objects, and what others send.

use serde_json::{Value as Json, json};

use super::{NEW, OLD, body, convert, peer, send};

fn good() -> Json {
    peer(
        OLD,
        json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1"}),
    )
}

#[test]
fn the_version_of_the_envelope_is_echoed() {
    for version in ["apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"] {
        let mut body = body(NEW, &[good()]);
        body["apiVersion"] = json!(version);
        let converted = convert(body.to_string().as_bytes()).unwrap();
        let sent: Json = serde_json::from_slice(&converted.body).unwrap();
        assert_eq!(sent["apiVersion"], version);
        assert_eq!(sent["kind"], "ConversionReview");
        assert_eq!(sent["response"]["uid"], "7");
        assert_eq!(sent["response"]["result"], json!({"status": "Success"}));
    }
}

#[test]
fn what_is_no_review_has_no_answer() {
    let mut kind = body(NEW, &[]);
    kind["kind"] = json!("AdmissionReview");
    let mut version = body(NEW, &[]);
    version["apiVersion"] = json!("apiextensions.k8s.io/v2");
    let mut empty = body(NEW, &[]);
    empty["request"] = Json::Null;
    let bodies = [kind, version, empty].map(|body| body.to_string());
    let texts = ["", "{", "[]", "{}", "not JSON"];
    for text in texts.into_iter().chain(bodies.iter().map(String::as_str)) {
        let refusal = convert(text.as_bytes()).expect_err(text);
        assert_eq!(refusal.status, 400);
        assert!(
            refusal.to_string().starts_with("FLB-W001 ConversionReview"),
            "{refusal}"
        );
    }
}

#[test]
fn objects_come_back_in_order_whatever_their_version() {
    let named = |name: &str, version: &str| {
        let mut object = good();
        object["metadata"]["name"] = json!(name);
        object["apiVersion"] = json!(version);
        object
    };
    let (response, _) = send(&body(
        NEW,
        &[named("a", OLD), named("b", NEW), named("c", OLD)],
    ));
    let objects = response["convertedObjects"].as_array().unwrap();
    let names: Vec<_> = objects
        .iter()
        .map(|object| &object["metadata"]["name"])
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(objects.iter().all(|object| object["apiVersion"] == NEW));
    let (response, _) = send(&body(NEW, &[]));
    assert_eq!(response["result"]["status"], "Success");
}

#[test]
fn one_bad_object_fails_the_review() {
    let changed = |change: fn(&mut Json)| {
        let mut object = good();
        change(&mut object);
        object
    };
    let bad = [
        json!(7),
        changed(|object| object["kind"] = json!("Community")),
        changed(|object| object["apiVersion"] = json!("metallb.io/v1")),
        changed(|object| object["metadata"] = Json::Null),
        changed(|object| object["metadata"]["annotations"] = json!([])),
    ];
    for object in bad {
        let (response, diagnostics) = send(&body(NEW, &[good(), object]));
        assert_eq!(response["result"]["status"], "Failure");
        assert_eq!(response["convertedObjects"], json!([]));
        let message = response["result"]["message"].as_str().unwrap();
        assert!(message.starts_with("FLB-W007 BGPPeer"), "{message}");
        assert!(diagnostics[0].is_error());
    }
    let (response, _) = send(&body("metallb.io/v2", &[good()]));
    let message = response["result"]["message"].as_str().unwrap();
    assert!(
        message.contains("cannot become \"metallb.io/v2\""),
        "{message}"
    );
}
