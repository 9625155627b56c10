// SPDX-License-Identifier: Apache-2.0
//! Strategies that the tests of all parts use.

use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value as Json};

/// Any JSON, with words that mean something among its keys.
pub(crate) fn any_json() -> impl Strategy<Value = Json> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        Just("metallb.io/v1beta1".to_owned()),
        ".{0,4}"
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        text.prop_map(Json::from),
    ];
    let key = prop_oneof![
        "[a-z]{1,4}",
        proptest::sample::select(
            [
                "apiVersion",
                "kind",
                "request",
                "uid",
                "object",
                "objects",
                "metadata",
                "spec",
                "operation",
                "annotations",
                "desiredAPIVersion",
                "group",
                "version",
            ]
            .map(str::to_owned)
            .to_vec()
        ),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Json::from),
            vec((key.clone(), inner), 0..6)
                .prop_map(|members| Json::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Replaces the value that comes `at`-th in the order of a walk.
pub(crate) fn mutate(json: &mut Json, at: usize, by: &Json) {
    fn walk(json: &mut Json, left: &mut usize, by: &Json) -> bool {
        if *left == 0 {
            *json = by.clone();
            return true;
        }
        *left -= 1;
        match json {
            Json::Array(items) => items.iter_mut().any(|item| walk(item, left, by)),
            Json::Object(members) => members.values_mut().any(|value| walk(value, left, by)),
            _ => false,
        }
    }
    let mut left = at;
    walk(json, &mut left, by);
}
