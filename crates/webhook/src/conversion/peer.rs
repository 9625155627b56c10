// SPDX-License-Identifier: Apache-2.0
//! One BGPPeer from one version into the other, as JSON, so that nothing gets lost on the way that this
//! program does not know.
//!
//! What both versions have stays as it is written: timers that are absent stay absent. What `v1beta1`
//! cannot carry travels in an annotation (see `kept`).

use ferrolb_types::{Diagnostic, ObjectRef};
use serde_json::{Map, Value as Json};

use super::{
    kept::{self, Kept},
    spec_mut,
};

/// What `v1beta1` has, and `v1beta2` too, in the same form.
const COMMON: [&str; 12] = [
    "myASN",
    "peerASN",
    "peerAddress",
    "sourceAddress",
    "peerPort",
    "holdTime",
    "keepaliveTime",
    "routerID",
    "nodeSelectors",
    "password",
    "bfdProfile",
    "ebgpMultiHop",
];

/// Whether `v1beta1` has the field.
pub(super) fn is_common(field: &str) -> bool {
    COMMON.contains(&field)
}

/// Fields that `v1beta1` requires and `v1beta2` does not, with what says "none" there.
pub(super) fn filler(field: &str) -> Option<Json> {
    match field {
        "peerAddress" => Some("".into()),
        "peerASN" => Some(0.into()),
        _ => None,
    }
}

/// Turns an object of `v1beta2` into one of `v1beta1`.
pub(super) fn to_v1beta1(
    object: &mut Map<String, Json>,
    reference: &ObjectRef,
) -> Result<Vec<Diagnostic>, &'static str> {
    // An annotation in a stored object is a leftover of somebody's editing and says nothing.
    kept::take(object)?;
    let Some(spec) = spec_mut(object) else {
        return Ok(Vec::new());
    };
    let kept = Kept::of(spec);
    spec.retain(|field, _| is_common(field));
    for field in ["peerASN", "peerAddress"] {
        if let (None, Some(filler)) = (spec.get(field), filler(field)) {
            spec.insert(field.to_owned(), filler);
        }
    }
    kept.put(object, reference)
}

/// Turns an object of `v1beta1` into one of `v1beta2`.
pub(super) fn to_v1beta2(
    object: &mut Map<String, Json>,
    reference: &ObjectRef,
) -> Result<Vec<Diagnostic>, &'static str> {
    let annotation = kept::take(object)?;
    let Some(spec) = spec_mut(object) else {
        return Ok(Vec::new());
    };
    if spec.get("peerPort") == Some(&0.into()) {
        // 0 means the default there, and is out of bounds here.
        spec.remove("peerPort");
    }
    let Some(annotation) = annotation else {
        return Ok(Vec::new());
    };
    Ok(match Kept::read(&annotation) {
        Ok(kept) => kept.restore(spec, reference),
        Err(cause) => vec![kept::note(reference, cause)],
    })
}
