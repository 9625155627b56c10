// SPDX-License-Identifier: Apache-2.0
//! Tests of the conversion: the table of fields, what survives, what is not trusted, envelopes.

mod envelope;
mod fields;
mod properties;

use ferrolb_types::Diagnostic;
use serde_json::{Value as Json, json};

use super::convert;

const OLD: &str = "metallb.io/v1beta1";
const NEW: &str = "metallb.io/v1beta2";
const KEY: &str = ferrolb_api::annotations::V1BETA2_FIELDS;

fn peer(version: &str, spec: Json) -> Json {
    let mut object = json!({
        "apiVersion": version, "kind": "BGPPeer",
        "metadata": {
            "name": "p", "namespace": "metallb-system", "uid": "1", "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"a": "b"},
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
        },
        "status": {},
    });
    object["spec"] = spec;
    object
}

fn body(desired: &str, objects: &[Json]) -> Json {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
        "request": {"uid": "7", "desiredAPIVersion": desired, "objects": objects},
    })
}

/// The response, and what is to be logged.
fn send(body: &Json) -> (Json, Vec<Diagnostic>) {
    let converted = convert(body.to_string().as_bytes()).unwrap();
    let mut sent: Json = serde_json::from_slice(&converted.body).unwrap();
    let response = sent["response"].take();
    let count = response["convertedObjects"].as_array().unwrap().len();
    assert_eq!(count, converted.count);
    (response, converted.diagnostics)
}

fn try_to(desired: &str, object: &Json) -> (Json, Vec<Diagnostic>) {
    let (mut response, notes) = send(&body(desired, std::slice::from_ref(object)));
    assert_eq!(response["result"], json!({"status": "Success"}));
    let object = response["convertedObjects"][0].take();
    assert_eq!(object["apiVersion"], desired);
    (object, notes)
}

/// The object in the other version, without anything to note.
fn to(desired: &str, object: &Json) -> Json {
    let (object, notes) = try_to(desired, object);
    assert_eq!(notes, [], "{object}");
    object
}
