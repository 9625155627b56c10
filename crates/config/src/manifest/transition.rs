// SPDX-License-Identifier: Apache-2.0
//! Rules on the change of an object (`oldSelf` in the CRDs): an API server refuses such a change.

use ferrolb_types::{Diagnostic, FieldPath, codes};
use serde_json::Value as Json;

use super::{
    catalogue::{KINDS, Kind},
    rules::Rule,
    schema::{Schema, Shape, StatedRule},
};
use crate::object::Object;

/// What of a change from `old` to `new` the schema of their kind forbids. Objects of different kinds or
/// versions have nothing to compare.
#[must_use]
pub fn transition_faults(old: &Object, new: &Object) -> Vec<Diagnostic> {
    let Some((kind, (before, after))) = kind(new).zip(json(old).zip(json(new))) else {
        return Vec::new();
    };
    if std::mem::discriminant(old) != std::mem::discriminant(new) {
        return Vec::new();
    }
    let mut broken = Vec::new();
    compare(
        kind.schema(),
        &before,
        &after,
        &FieldPath::root(),
        &mut broken,
    );
    let object = new.reference();
    let diagnostic = |(path, stated): (FieldPath, &StatedRule)| {
        let remedy = stated.rule.remedy();
        Diagnostic::error(
            codes::schema::V011,
            object.clone(),
            &*stated.message,
            remedy,
        )
        .at(path)
    };
    broken.into_iter().map(diagnostic).collect()
}

/// The kinds with such rules, and their versions.
fn kind(object: &Object) -> Option<&'static Kind> {
    let version = match object {
        Object::BGPPeer(_) => "metallb.io/v1beta2",
        _ => return None,
    };
    KINDS
        .iter()
        .find(|kind| kind.name == "BGPPeer" && kind.api_version == version)
}

fn json(object: &Object) -> Option<Json> {
    match object {
        Object::BGPPeer(peer) => serde_json::to_value(peer).ok(),
        _ => None,
    }
}

fn compare<'s>(
    schema: &'s Schema,
    before: &Json,
    after: &Json,
    path: &FieldPath,
    broken: &mut Vec<(FieldPath, &'s StatedRule)>,
) {
    let immutable = schema
        .rules
        .iter()
        .filter(|stated| stated.rule == Rule::Immutable);
    if before != after {
        broken.extend(immutable.map(|stated| (path.clone(), stated)));
    }
    let Shape::Object(members) = &schema.shape else {
        return;
    };
    for (name, schema) in &members.properties {
        // A value that comes or goes is not a transition of that value.
        if let Some((before, after)) = before.get(&**name).zip(after.get(&**name)) {
            compare(schema, before, after, &path.key(name.to_string()), broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrolb_api::resource::BGPPeer;

    use super::*;

    fn peer(graceful: Option<bool>, asn: u32) -> Object {
        let mut peer = BGPPeer::default();
        peer.spec.my_asn = asn;
        peer.spec.enable_graceful_restart = graceful;
        Object::BGPPeer(Box::new(peer))
    }

    #[test]
    fn graceful_restart_stays_once_set() {
        let table = [
            (Some(true), Some(true), 0),
            (Some(true), Some(false), 1),
            (Some(false), Some(true), 1),
            (None, Some(true), 0),
            (Some(true), None, 0),
        ];
        for (old, new, count) in table {
            let faults = transition_faults(&peer(old, 1), &peer(new, 2));
            assert_eq!(faults.len(), count, "{old:?} to {new:?}");
            for fault in faults {
                assert_eq!(fault.field.to_string(), "spec.enableGracefulRestart");
                assert_eq!(fault.code, codes::schema::V011);
            }
        }
    }

    /// No other kind that is read has a rule on changes; this test fails when a CRD gains one.
    #[test]
    fn peers_alone_have_such_rules() {
        fn has_rule(schema: &Schema) -> bool {
            let own = schema
                .rules
                .iter()
                .any(|stated| stated.rule == Rule::Immutable);
            own || match &schema.shape {
                Shape::Object(members) => members.properties.values().any(has_rule),
                Shape::Array { items, .. } => has_rule(items),
                _ => false,
            }
        }
        let with_rules: Vec<_> = KINDS
            .iter()
            .filter(|kind| has_rule(kind.schema()))
            .collect();
        assert_eq!(with_rules.len(), 1);
        assert_eq!(with_rules[0].api_version, "metallb.io/v1beta2");
    }
}
