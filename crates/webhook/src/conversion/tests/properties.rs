// SPDX-License-Identifier: Apache-2.0
//! Round trips lose nothing; no body makes the conversion fail otherwise than in words; and a folder's
//! conversion reaches the same peer.

use ferrolb_api::resource::{BGPPeer, BGPPeerV1Beta1};
use ferrolb_config::convert::peer_from_v1beta1;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::{NEW, OLD, body, convert, peer, to};
use crate::tests::{any_json, mutate};

type Field = (&'static str, BoxedStrategy<Json>);

fn words(list: &'static [&'static str]) -> BoxedStrategy<Json> {
    select(list).prop_map(Json::from).boxed()
}

fn selectors() -> BoxedStrategy<Json> {
    let values = vec("[a-z]{1,3}", 1..3);
    let expression = ("[a-z]{1,3}", select(vec!["In", "Exists"]), values).prop_map(
        |(key, operator, values)| json!({"key": key, "operator": operator, "values": values}),
    );
    let labels = proptest::collection::btree_map("[a-z]{1,3}", "[a-z]{0,3}", 1..3);
    let selector =
        (option::of(labels), option::of(vec(expression, 1..3))).prop_map(|(labels, list)| {
            let mut selector = Map::new();
            selector.extend(labels.map(|labels| ("matchLabels".to_owned(), json!(labels))));
            selector.extend(list.map(|list| ("matchExpressions".to_owned(), json!(list))));
            Json::Object(selector)
        });
    vec(selector, 1..3).prop_map(Json::from).boxed()
}

/// The fields of both versions, those that `v1beta1` requires among them.
fn common() -> Vec<Field> {
    let number = || any::<u32>().prop_map(Json::from).boxed();
    let flag = || any::<bool>().prop_map(Json::from).boxed();
    vec![
        ("myASN", number()),
        ("peerASN", prop_oneof![number(), Just(json!(0))].boxed()),
        (
            "peerAddress",
            words(&["192.0.2.1", "2001:db8::1", "", "nonsense"]),
        ),
        ("sourceAddress", words(&["192.0.2.2", ""])),
        ("peerPort", (1u16..16384).prop_map(Json::from).boxed()),
        ("holdTime", words(&["90s", "0s", "1m30s"])),
        ("keepaliveTime", words(&["30s", "0s"])),
        ("routerID", words(&["192.0.2.3", ""])),
        ("nodeSelectors", selectors()),
        ("password", words(&["secret", ""])),
        ("bfdProfile", words(&["fast"])),
        ("ebgpMultiHop", flag()),
    ]
}

/// What `v1beta2` has besides, fields of later releases among it.
fn own() -> Vec<Field> {
    let flag = || any::<bool>().prop_map(Json::from).boxed();
    vec![
        ("localASN", any::<u32>().prop_map(Json::from).boxed()),
        ("dynamicASN", words(&["internal", "external"])),
        ("interface", words(&["eth0", ""])),
        ("connectTime", words(&["10s"])),
        ("passwordSecret", Just(json!({"name": "s"})).boxed()),
        ("enableGracefulRestart", flag()),
        ("vrf", words(&["red", ""])),
        ("disableMP", flag()),
        ("dualStackAddressFamily", flag()),
        ("later", any_json().boxed()),
    ]
}

fn spec(fields: Vec<Field>, required: &'static [&'static str]) -> impl Strategy<Value = Json> {
    let field = |(name, value): Field| {
        let value = match required.contains(&name) {
            true => value.prop_map(Some).boxed(),
            false => option::of(value).boxed(),
        };
        value.prop_map(move |value| (name.to_owned(), value))
    };
    let fields: Vec<_> = fields.into_iter().map(|it| field(it).boxed()).collect();
    fields.prop_map(|fields| {
        let there = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Json::Object(there.collect())
    })
}

fn annotated(
    version: &'static str,
    spec: impl Strategy<Value = Json>,
) -> impl Strategy<Value = Json> {
    (spec, option::of("[a-z]{1,3}")).prop_map(move |(spec, annotation)| {
        let mut object = peer(version, spec);
        if let Some(key) = annotation {
            object["metadata"]["annotations"] = json!({ key: "x" });
        }
        object
    })
}

fn old_peer() -> impl Strategy<Value = Json> {
    annotated(OLD, spec(common(), &["myASN", "peerASN", "peerAddress"]))
}

fn new_peer() -> impl Strategy<Value = Json> {
    let mut fields = common();
    fields.extend(own());
    annotated(NEW, spec(fields, &["myASN"]))
}

/// An empty mapping of labels and none are the same, and so for expressions.
fn typed(object: &Json) -> BGPPeer {
    let mut peer = BGPPeer::deserialize(object).unwrap();
    for selector in &mut peer.spec.node_selectors {
        selector.match_labels.take_if(|labels| labels.is_empty());
        selector.match_expressions.take_if(|list| list.is_empty());
    }
    peer
}

proptest! {
    #[test]
    fn new_to_old_and_back(object in new_peer()) {
        let old = to(OLD, &object);
        for field in ["myASN", "peerASN", "peerAddress"] {
            prop_assert!(old["spec"].get(field).is_some());
        }
        prop_assert!(BGPPeerV1Beta1::deserialize(&old).is_ok());
        prop_assert_eq!(to(NEW, &old), object);
    }

    #[test]
    fn old_to_new_and_back(object in old_peer()) {
        let new = to(NEW, &object);
        prop_assert!(BGPPeer::deserialize(&new).is_ok());
        prop_assert_eq!(to(OLD, &new), object);
    }

    /// What was read as `v1beta1` can be read so again, whatever way it went.
    #[test]
    fn the_old_form_is_stable(object in new_peer()) {
        let old = to(OLD, &object);
        prop_assert_eq!(to(OLD, &to(NEW, &old)), old);
    }

    #[test]
    fn a_folder_reaches_the_same_peer(object in old_peer()) {
        let ours = typed(&to(NEW, &object));
        let theirs = peer_from_v1beta1(BGPPeerV1Beta1::deserialize(&object).unwrap());
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn a_spoiled_review_is_answered(object in new_peer(), at in 0usize..40, by in any_json(), again in any_json()) {
        for desired in [OLD, NEW] {
            let mut body = body(desired, &[to(OLD, &object), object.clone()]);
            mutate(&mut body, at, &by);
            mutate(&mut body, at + 7, &again);
            let _ = convert(body.to_string().as_bytes());
        }
    }

    /// Whatever the annotation says, what `v1beta1` says counts.
    #[test]
    fn an_annotation_overrides_nothing(mut object in old_peer(), text in prop_oneof![
        any_json().prop_map(|json| json.to_string()),
        (any_json(), any_json(), any_json()).prop_map(|(fields, absent, beside)|
            json!({"fields": {"myASN": fields, "vrf": absent, "holdTime": beside}, "absent": ["myASN", "holdTime"]}).to_string()),
    ]) {
        let plain = to(NEW, &object);
        object["metadata"]["annotations"] = json!({ super::KEY: text });
        let (new, _) = super::try_to(NEW, &object);
        for (field, value) in plain["spec"].as_object().unwrap() {
            prop_assert_eq!(&new["spec"][field], value);
        }
        prop_assert!(new["metadata"].get("annotations").is_none());
        prop_assert!(BGPPeer::deserialize(&new).is_ok());
    }

    #[test]
    fn any_json_is_answered(body in any_json()) {
        let _ = convert(body.to_string().as_bytes());
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(convert(&bytes).is_err());
    }
}
