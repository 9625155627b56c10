// SPDX-License-Identifier: Apache-2.0
//! The CRDs we ship have exactly the structure of MetalLB's, and a description on every field.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

use std::fmt::Write as _;

use ferrolb_api::crds;
use serde_json::Value;

/// What is for people to read and so our own.
const PROSE: [&str; 3] = ["description", "message", "deprecationWarning"];

fn load(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).expect("a CRD is YAML")
}

fn fixture(name: &str) -> Value {
    let (plural, group) = name.split_once('.').expect("plural.group");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/crd-structure");
    let path = format!("{folder}/{group}_{plural}.yaml");
    load(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// Removes the prose, but not a property that happens to bear such a name.
fn without_prose(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| !(PROSE.contains(&key.as_str()) && value.is_string()));
            map.values_mut().for_each(without_prose);
        }
        Value::Array(list) => list.iter_mut().for_each(without_prose),
        _ => {}
    }
}

/// Every place where the trees differ, a line each.
fn differences(path: &str, ours: &Value, theirs: &Value, out: &mut String) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let at = format!("{path}.{key}");
                let null = Value::Null;
                let (a, b) = (a.get(key), b.get(key));
                differences(&at, a.unwrap_or(&null), b.unwrap_or(&null), out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{n}]"), a, b, out);
            }
        }
        (a, b) if a == b => {}
        (a, b) => writeln!(out, "{path}: ours {a}, theirs {b}").expect("writing to a string"),
    }
}

#[test]
fn structure_is_that_of_metallb() {
    let mut out = String::new();
    for crd in crds::all() {
        let mut ours = load(crd.yaml);
        without_prose(&mut ours);
        differences(crd.name, &ours, &fixture(crd.name), &mut out);
    }
    assert!(out.is_empty(), "the CRDs differ:\n{out}");
}

#[test]
fn every_fixture_has_its_crd() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/crd-structure");
    let count = std::fs::read_dir(folder).expect("fixtures").count();
    assert_eq!((count, crds::all().len()), (9, 9));
    for crd in crds::all() {
        let document = load(crd.yaml);
        assert_eq!(document["metadata"]["name"], crd.name);
        assert_eq!(document["spec"]["names"]["kind"], crd.kind);
    }
}

/// The comparison itself notices every sort of change.
#[test]
fn a_difference_is_found() {
    let table = [
        ("type", r#"{"type":"string"}"#, r#"{"type":"integer"}"#),
        ("bound", r#"{"maximum":255}"#, r#"{"maximum":254}"#),
        ("default", r#"{"default":true}"#, "{}"),
        ("name", r#"{"myASN":{}}"#, r#"{"myAsn":{}}"#),
        ("enum", r#"{"enum":["a","b"]}"#, r#"{"enum":["a"]}"#),
        ("rule", r#"[{"rule":"a"}]"#, r#"[{"rule":"b"}]"#),
    ];
    for (name, a, b) in table {
        let parse = |text| serde_json::from_str::<Value>(text).expect("JSON");
        let mut out = String::new();
        differences("x", &parse(a), &parse(b), &mut out);
        assert!(!out.is_empty(), "{name}");
    }
}

/// Calls `visit` with the path and the schema of every property and of the root.
fn visit(path: &str, schema: &Value, visit_one: &mut impl FnMut(&str, &Value)) {
    visit_one(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        visit(&format!("{path}.{name}"), property, visit_one);
    }
    for (name, property) in schema["items"]["properties"]
        .as_object()
        .into_iter()
        .flatten()
    {
        visit(&format!("{path}[].{name}"), property, visit_one);
    }
}

#[test]
fn every_field_is_described() {
    let mut missing = Vec::new();
    for crd in crds::all() {
        let document = load(crd.yaml);
        for version in document["spec"]["versions"].as_array().expect("versions") {
            let root = format!("{}/{}", crd.kind, version["name"]);
            visit(
                &root,
                &version["schema"]["openAPIV3Schema"],
                &mut |path, schema| {
                    let description = schema["description"].as_str().unwrap_or_default();
                    // The API server takes nothing there but the type.
                    if path == format!("{root}.metadata") {
                        assert_eq!(schema, &serde_json::json!({ "type": "object" }), "{path}");
                    } else if description.len() < 8 || !description.ends_with('.') {
                        missing.push(path.to_owned());
                    }
                    for rule in schema["x-kubernetes-validations"]
                        .as_array()
                        .into_iter()
                        .flatten()
                    {
                        if rule["message"].as_str().is_none_or(str::is_empty) {
                            missing.push(format!("{path}: {}", rule["rule"]));
                        }
                    }
                },
            );
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
