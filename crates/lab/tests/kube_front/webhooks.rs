// SPDX-License-Identifier: Apache-2.0
//! The webhooks, called by the API server over TLS: verdicts, conversion, requests that are none, and
//! what happens while nobody answers.

use ferrolb_lab::cluster::Call;
use serde_json::{Value, json};

use super::{
    conversion, hostile,
    stand::{Stand, path},
    verdicts,
};

const CONFIGURATION: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration";

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

    stand.no_endpoint(host);
    drop(controller);
    while_nobody_answers(&stand);
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
