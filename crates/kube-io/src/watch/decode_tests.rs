// SPDX-License-Identifier: Apache-2.0
//! The slim forms give the same views as the whole objects, and skip the rest.

use ferrolb_config::object::Object;
use serde_json::{Value, json};

use super::*;

fn seen(kind: Watched, object: &Value) -> Seen {
    decoder(kind)(&object.to_string())
}

fn good(kind: Watched, object: &Value) -> (Object, Meta) {
    let seen = seen(kind, object);
    seen.object.expect("it can be decoded")
}

#[test]
fn a_service_is_reduced_as_the_whole_would_be() {
    let object = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generation": 3,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": { "app": "web" },
            "annotations": {
                "metallb.io/loadBalancerIPs": "192.0.2.7", "metallb.universe.tf/address-pool": "old",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
            },
            "managedFields": [{ "manager": 7, "no": ["type", "fits"] }],
        },
        "spec": {
            "type": "LoadBalancer", "clusterIPs": ["10.0.0.1", "fd00::1"], "ipFamilyPolicy": "PreferDualStack",
            "ports": [{ "port": 80 }, { "port": 53, "protocol": "UDP" }], "selector": { "a": "b" },
            "externalTrafficPolicy": "Local", "ofANewerVersion": { "x": 1 },
        },
        "status": { "loadBalancer": { "ingress": [{ "ip": "192.0.2.7", "ipMode": "VIP" }, { "hostname": "h" }] } },
    });
    let mut whole = object.clone();
    whole["metadata"]["managedFields"] = Value::Null;
    let whole: Service = serde_json::from_value(whole).expect("a Service");
    let want = ServiceView::try_from(&whole).expect("named");
    let (told, meta) = good(Watched::Services, &object);
    assert_eq!(told, Object::Service(want.into()));
    let want = Meta {
        uid: "u".into(),
        resource_version: "7".into(),
        generation: Some(3),
    };
    assert_eq!(meta, want);
}

#[test]
fn nodes_slices_and_namespaces() {
    let node = json!({
        "metadata": { "name": "n", "labels": { "zone": "a" }, "annotations": null },
        "status": {
            "addresses": [{ "type": "InternalIP", "address": "10.0.0.1" }],
            "conditions": [{ "type": "NetworkUnavailable", "status": "True" }],
            "images": [{ "names": 7 }],
        },
    });
    let (Object::Node(view), _) = good(Watched::Nodes, &node) else {
        panic!()
    };
    assert!(
        view.network_unavailable
            && view.labels.get("zone") == Some("a")
            && view.internal_ips.len() == 1
    );

    let slice = json!({
        "metadata": { "name": "web-1", "namespace": "shop", "labels": { "kubernetes.io/service-name": "web" } },
        "addressType": "IPv4",
        "endpoints": [
            { "addresses": ["10.1.0.1"], "nodeName": "n", "conditions": { "ready": true } },
            { "addresses": ["10.1.0.2"], "nodeName": "m", "conditions": { "ready": false } },
        ],
    });
    let (Object::EndpointSlice(view), _) = good(Watched::EndpointSlices, &slice) else {
        panic!()
    };
    assert_eq!(
        (view.usable.len(), view.service.map(|key| key.to_string())),
        (1, Some("shop/web".into()))
    );

    let namespace = json!({ "metadata": { "name": "shop", "labels": { "a": "b" } } });
    let (Object::Namespace(view), _) = good(Watched::Namespaces, &namespace) else {
        panic!()
    };
    assert_eq!(
        (view.name.as_str(), view.labels.get("a").unwrap()),
        ("shop", "b")
    );
}

#[test]
fn of_a_secret_the_password_alone() {
    let secret = json!({
        "metadata": { "name": "s", "namespace": "n" }, "type": "kubernetes.io/basic-auth",
        "data": { "username": "not base64!", "password": "aHVudGVyMg==" },
    });
    let (told, _) = good(Watched::Secrets, &secret);
    let Object::Secret(view) = &told else {
        panic!()
    };
    assert_eq!(
        view.password.as_ref().map(|password| password.expose()),
        Some(&b"hunter2"[..])
    );
    assert!(!format!("{told:?}").contains("hunter2"));
    let bad =
        json!({ "metadata": { "name": "s" }, "data": { "password": "hunter2 is no base64" } });
    assert!(seen(Watched::Secrets, &bad).object.is_err());
}

#[test]
fn what_is_no_object_is_told_by_what_can_be_read() {
    for (object, name) in [
        (
            json!({ "metadata": { "name": "x", "namespace": "n", "resourceVersion": "7" }, "spec": 7 }),
            "x",
        ),
        (json!({ "metadata": {} }), ""),
        (json!([]), ""),
        (json!("text"), ""),
        (json!(null), ""),
    ] {
        for kind in Watched::ALL {
            let seen = seen(kind, &object);
            // Kinds without a spec, or with nothing needed in it, may well take it.
            if seen.object.is_err() {
                assert_eq!(seen.name, name, "{kind} {object}");
            }
        }
    }
}

#[test]
fn the_field_that_cannot_be_read_is_named_and_no_password_told() {
    let meta = json!({ "name": "x", "namespace": "n" });
    let rows = [
        (
            Watched::Services,
            json!({ "ports": [{ "port": "http" }] }),
            "spec.ports[0].port",
        ),
        (
            Watched::IPAddressPools,
            json!({ "addresses": [4711] }),
            "spec.addresses[0]",
        ),
        (
            Watched::BGPPeers,
            json!({ "password": 4711 }),
            "spec.password",
        ),
    ];
    for (kind, spec, field) in rows {
        let seen = seen(kind, &json!({ "metadata": meta, "spec": spec }));
        let why = seen.object.expect_err("it can be decoded");
        let told = broken(kind, ObjectRef::new(kind.kind(), "n", "x"), &why);
        assert_eq!(told.field.to_string(), field);
        let is_told = told.to_string().contains("4711");
        assert_eq!(is_told, kind == Watched::IPAddressPools, "{told}");
    }
}
