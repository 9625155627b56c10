// SPDX-License-Identifier: Apache-2.0
//! The schemas of `core.yaml` against the Kubernetes types: every field they name passes through unchanged.

use ferrolb_api::core::{EndpointSlice, Namespace, Node, Secret, Service};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json, json};

use crate::manifest::{
    catalogue::KINDS,
    schema::{Format, Schema, Shape},
};

/// A value with every property set.
fn maximal(schema: &Schema) -> Json {
    if let Some(allowed) = schema.allowed.last() {
        return (**allowed).into();
    }
    match &schema.shape {
        Shape::Object(members) => {
            let named = members.properties.iter();
            let mut map: Map<_, _> = named
                .map(|(name, schema)| (name.to_string(), maximal(schema)))
                .collect();
            if let Some(other) = &members.others {
                map.insert("key".into(), maximal(other));
            }
            Json::Object(map)
        }
        Shape::Array { items, .. } => json!([maximal(items)]),
        Shape::Text(None) | Shape::Quantity => json!("text"),
        Shape::Text(Some(Format::Base64)) => json!("aGk="),
        Shape::Text(Some(Format::DateTime)) => json!("2026-01-02T03:04:05Z"),
        Shape::Integer { maximum, .. } => json!(maximum),
        Shape::Boolean => json!(true),
        Shape::IntegerOrText => json!(80),
        Shape::Any => json!({"f:x": {}}),
    }
}

fn check<T: Serialize + DeserializeOwned>(name: &str) {
    let kind = KINDS.iter().find(|kind| kind.name == name).expect(name);
    let mut object = maximal(kind.schema());
    let fields = object.as_object_mut().expect("an object");
    fields["apiVersion"] = kind.api_version.into();
    fields["kind"] = name.into();
    let typed: T =
        serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let back = serde_json::to_value(&typed).expect("serializable");
    assert_eq!(back, object, "{name}");
}

#[test]
fn every_property_survives() {
    check::<Service>("Service");
    check::<EndpointSlice>("EndpointSlice");
    check::<Node>("Node");
    check::<Namespace>("Namespace");
    check::<Secret>("Secret");
}

/// What the schema demands is all that the types demand.
#[test]
fn the_least_is_enough() {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {}});
    serde_json::from_value::<Service>(service).expect("Service");
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {},
        "addressType": "IPv4"});
    serde_json::from_value::<EndpointSlice>(slice).expect("EndpointSlice");
    let table = ["Service", "EndpointSlice", "Node", "Namespace", "Secret"];
    let required = |name: &&str| {
        let kind = KINDS.iter().find(|kind| kind.name == *name).expect("known");
        match &kind.schema().shape {
            Shape::Object(members) => members.required.join(","),
            other => panic!("{name}: {other:?}"),
        }
    };
    let all: Vec<String> = table.iter().map(required).collect();
    assert_eq!(all, ["", "addressType", "", "", ""]);
}
