// SPDX-License-Identifier: Apache-2.0
//! Every property of the CRDs passes through our Rust types unchanged.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

use ferrolb_api::{
    crds,
    resource::{
        BFDProfile, BGPAdvertisement, BGPPeer, BGPPeerV1Beta1, Community, ConfigurationState,
        IPAddressPool, L2Advertisement, ServiceBGPStatus, ServiceL2Status,
    },
};
use k8s_openapi::Resource;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// The schema of a kind's version.
fn schema(kind: &str, version: &str) -> Value {
    let crd = crds::all().iter().find(|crd| crd.kind == kind).expect(kind);
    let document: Value = serde_saphyr::from_str(crd.yaml).expect("a CRD is YAML");
    let versions = document["spec"]["versions"].as_array().expect("versions");
    let found = versions.iter().find(|v| v["name"] == version);
    found.expect(version)["schema"]["openAPIV3Schema"].clone()
}

/// A value with every property set, none to its default; nothing where the schema names no property.
fn maximal(path: &str, schema: &Value) -> Option<Value> {
    if let Some(allowed) = schema["enum"].as_array() {
        return allowed.last().cloned();
    }
    Some(match schema["type"].as_str()? {
        "string" if schema["format"] == "date-time" => json!("2026-01-02T03:04:05Z"),
        "string" => json!(format!("text of {path}")),
        "integer" => json!(schema["maximum"].as_i64().unwrap_or(i32::MAX.into())),
        "boolean" => json!(schema["default"] != json!(true)),
        "array" => json!([maximal(&format!("{path}[]"), &schema["items"])?]),
        "object" if schema["additionalProperties"].is_object() => json!({"key": "value"}),
        "object" => Value::Object(members(path, schema)?),
        other => panic!("{path}: type {other}"),
    })
}

fn members(path: &str, schema: &Value) -> Option<Map<String, Value>> {
    let properties = schema["properties"].as_object()?;
    let pairs = properties.iter().filter_map(|(name, property)| {
        Some((name.clone(), maximal(&format!("{path}.{name}"), property)?))
    });
    Some(pairs.collect())
}

fn check<T: Resource + Serialize + DeserializeOwned>() {
    let mut object = members("", &schema(T::KIND, T::VERSION)).expect("properties");
    // The API version and the kind are the type itself.
    assert!(object.remove("apiVersion").is_some() && object.remove("kind").is_some());
    object.insert("metadata".into(), json!({"name": "a", "namespace": "b"}));
    let object = Value::Object(object);
    let typed: T =
        serde_json::from_value(object.clone()).unwrap_or_else(|e| panic!("{}: {e}", T::KIND));
    let back = serde_json::to_value(&typed).expect("serializable");
    assert_eq!(back, object, "{}", T::KIND);
}

#[test]
fn every_property_survives() {
    check::<BFDProfile>();
    check::<BGPAdvertisement>();
    check::<BGPPeer>();
    check::<BGPPeerV1Beta1>();
    check::<Community>();
    check::<ConfigurationState>();
    check::<IPAddressPool>();
    check::<L2Advertisement>();
    check::<ServiceBGPStatus>();
    check::<ServiceL2Status>();
}

/// The least a schema demands is enough for the types.
#[test]
fn required_properties_suffice() {
    let metadata = json!({"name": "a"});
    let table = [
        (json!({"spec": {"myASN": 1}}), "v1beta2"),
        (
            json!({"spec": {"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1"}}),
            "v1beta1",
        ),
    ];
    for (mut object, version) in table {
        object["metadata"] = metadata.clone();
        match version {
            "v1beta2" => drop(serde_json::from_value::<BGPPeer>(object).expect(version)),
            _ => drop(serde_json::from_value::<BGPPeerV1Beta1>(object).expect(version)),
        }
    }
    let bare = || json!({"metadata": {"name": "a"}});
    serde_json::from_value::<BFDProfile>(bare()).expect("BFDProfile");
    serde_json::from_value::<BGPAdvertisement>(bare()).expect("BGPAdvertisement");
    serde_json::from_value::<L2Advertisement>(bare()).expect("L2Advertisement");
    serde_json::from_value::<Community>(bare()).expect("Community");
    let pool = json!({"metadata": {"name": "a"}, "spec": {"addresses": []}});
    serde_json::from_value::<IPAddressPool>(pool).expect("IPAddressPool");
}
