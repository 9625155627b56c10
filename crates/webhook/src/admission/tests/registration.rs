// SPDX-License-Identifier: Apache-2.0
//! What our manifests have the API server ask, against what is judged here.

use serde_json::{Value as Json, json};

use super::support::{Row, check_rows};
use crate::admission::Webhook;

const MANIFEST: &str = include_str!("../../../../../deploy/base/webhooks.yaml");

fn registered() -> Vec<Json> {
    let documents = MANIFEST.split("\n---\n");
    let documents = documents.map(|text| serde_saphyr::from_str::<Json>(text).unwrap());
    let ours = documents.filter(|one| one["kind"] == "ValidatingWebhookConfiguration");
    ours.flat_map(|one| one["webhooks"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn every_operation_that_is_judged_is_asked_about() {
    let registered = registered();
    assert_eq!(registered.len(), Webhook::ALL.len());
    for webhook in Webhook::ALL {
        let path = json!(webhook.path());
        let is_its = |one: &&Json| one["clientConfig"]["service"]["path"] == path;
        let rules = &registered.iter().find(is_its).unwrap()["rules"];
        let operations = match webhook {
            Webhook::BFDProfile => json!(["CREATE", "UPDATE", "DELETE"]),
            _ => json!(["CREATE", "UPDATE"]),
        };
        assert_eq!(rules[0]["operations"], operations, "{webhook:?}");
        assert_eq!(rules[0]["apiVersions"], json!([webhook.version()]));
    }
}

#[test]
fn an_update_of_a_profile_answers_for_what_it_brings_in() {
    check_rows(&[
        Row(
            "B20: a value out of bounds",
            &["BFDProfile fast {receiveInterval: 300}"],
            "UPDATE BFDProfile fast {receiveInterval: 5}",
            &["B020 fast spec.receiveInterval"],
            "",
        ),
        Row(
            "one that it had before",
            &["BFDProfile fast {receiveInterval: 5}"],
            "UPDATE BFDProfile fast {receiveInterval: 5, echoMode: true}",
            &["~B020 fast spec.receiveInterval"],
            "",
        ),
        Row(
            "one in use",
            &[
                "BFDProfile fast {}",
                "BGPPeer one {myASN: 1, peerASN: 2, peerAddress: 1.1.1.1, bfdProfile: fast}",
            ],
            "UPDATE BFDProfile fast {receiveInterval: 300}",
            &[],
            "",
        ),
    ]);
}
