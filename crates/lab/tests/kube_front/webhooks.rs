// SPDX-License-Identifier: Apache-2.0
//! The webhooks, called by the API server over TLS: verdicts, conversion, requests that are none, and
//! what happens while nobody answers.

use ferrolb_lab::{Process, cluster::Call};
use serde_json::{Value, json};

use super::{
    conversion, hostile,
    stand::{Stand, path},
    verdicts,
};

const CONFIGURATION: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration";

const CANARY: &str = "canary-5d7e";

#[test]
fn the_api_server_calls_the_webhooks() {
    let Some(stand) = Stand::new("base", 1, &[]) else {
        return;
    };
    let host = stand.node("n1");
    let controller = stand.controller(host, &["--webhook-http2"]);
    let cases = verdicts::check(&stand);
    println!("{cases} cases of the reference");
    conversion::check(&stand);
    hostile::check(&stand, host);
    passwords_stay_where_they_are(&stand, &controller);

    stand.no_endpoint(host);
    drop(controller);
    while_nobody_answers(&stand);
}

/// A peer that is denied, one that cannot be read, one that cannot be converted: neither the answers nor
/// the log tell its password, nor the key of the certificate.
fn passwords_stay_where_they_are(stand: &Stand, controller: &Process) {
    let create = |version: &str, spec: Value| {
        let object = json!({
            "apiVersion": format!("metallb.io/{version}"), "kind": "BGPPeer",
            "metadata": { "name": "secretive", "annotations": { "ferrolb.io/v1beta2-fields": CANARY } },
            "spec": spec,
        });
        stand.try_to(&Call::create(&path(version, "bgppeers"), object))
    };
    let good = json!({ "myASN": 1, "peerASN": 2, "peerAddress": "1.1.1.1", "password": CANARY });
    let with = |key: &str, value: Value| {
        let mut spec = good.clone();
        spec[key] = value;
        spec
    };
    let answers = [
        create("v1beta2", with("holdTime", "1s".into())),
        create("v1beta2", with("password", CANARY.repeat(9).into())),
        create("v1beta2", with("passwordSecret", json!({ "name": CANARY }))),
        create("v1beta1", with("routerID", "x".into())),
        create("v1beta1", with("holdTime", "soon".into())),
    ];
    for answer in answers {
        assert_eq!(answer.code, 403, "{answer:?}");
        // The name of a Secret is none.
        let said = answer.body["message"].to_string();
        assert!(
            said.contains("FLB-B013") || !said.contains(CANARY),
            "{said}"
        );
    }
    assert_eq!(create("v1beta1", good).code, 200);
    let log = controller.log();
    assert!(
        log.contains("FLB-B009") && log.contains("FLB-W008"),
        "{log}"
    );
    let tells = |line: &&str| line.contains(CANARY) && !line.contains("FLB-B013");
    assert_eq!(log.lines().find(tells), None);
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

fn pool(name: &str, addresses: &str) -> Call {
    let object = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
        "metadata": { "name": name }, "spec": { "addresses": [addresses] },
    });
    Call::create(&path("v1beta1", "ipaddresspools"), object)
}

/// `Fail` lets nothing pass, `Ignore` everything, a peer of the old version is beyond reach in both.
fn while_nobody_answers(stand: &Stand) {
    stand.until("a pool is refused", || {
        stand.try_to(&pool("late", "203.0.113.0/24")).code == 500
    });
    let configuration = stand.done(&Call::get(CONFIGURATION));
    let mut webhooks = configuration["webhooks"].clone();
    for webhook in webhooks.as_array_mut().unwrap() {
        webhook["failurePolicy"] = "Ignore".into();
    }
    stand.done(&Call::merge(CONFIGURATION, json!({ "webhooks": webhooks })));
    stand.until("a pool passes", || {
        stand.try_to(&pool("late", "203.0.113.0/24")).code == 200
    });
    let peers = |version| stand.try_to(&Call::get(&path(version, "bgppeers")));
    let stored: Value = peers("v1beta2").ok().unwrap();
    assert!(!stored["items"].as_array().unwrap().is_empty());
    assert_eq!(peers("v1beta1").code, 500);
}
