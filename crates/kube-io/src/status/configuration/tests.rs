// SPDX-License-Identifier: Apache-2.0

use super::*;

fn written(verdict: &Verdict, held: &ConfigurationStateStatus) -> ConfigurationStateStatus {
    status("poolReconcilerValid", Some(verdict), held)
}

#[test]
fn the_time_moves_with_the_condition_alone() {
    let mut held = written(&Verdict::Valid, &ConfigurationStateStatus::default());
    let long_ago = Time(Timestamp::from_second(1_000_000).expect("a time"));
    held.conditions[0].last_transition_time = long_ago.clone();
    assert_eq!(written(&Verdict::Valid, &held), held);
    let invalid = written(&Verdict::Invalid(vec!["a".into(), "b".into()]), &held);
    assert_ne!(invalid.conditions[0].last_transition_time, long_ago);
    assert_eq!(invalid.error_summary.as_deref(), Some("a\nb"));
    assert_eq!(invalid.conditions[0].message, "configuration error: a\nb");
    assert_eq!(invalid.result.as_deref(), Some("Invalid"));
}

#[test]
fn what_stands_is_known_again_by_the_next_process() {
    let text = r#"{
        "apiVersion": "metallb.io/v1beta1", "kind": "ConfigurationState",
        "metadata": {
            "name": "controller", "namespace": "metallb-system", "resourceVersion": "7", "generation": 1,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "managedFields": [{
                "apiVersion": "metallb.io/v1beta1", "fieldsType": "FieldsV1",
                "fieldsV1": { "f:status": { "f:conditions": { "k:{\"type\":\"x\"}": { ".": {} } } } },
                "manager": "poolReconciler", "operation": "Apply", "subresource": "status",
                "time": "2026-01-02T03:04:05Z"
            }]
        },
        "status": {
            "conditions": [{
                "lastTransitionTime": "2026-01-02T03:04:05Z", "message": "",
                "reason": "Reconciled", "status": "True", "type": "poolReconcilerValid"
            }],
            "errorSummary": "", "result": "Valid"
        }
    }"#;
    let standing = decode(text);
    assert_eq!((standing.name(), standing.version()), ("controller", "7"));
    let held = standing.object.status.expect("a status");
    assert_eq!(written(&Verdict::Valid, &held), held);
}

#[test]
fn without_a_report_nothing_is_known() {
    let none = status("x", None, &ConfigurationStateStatus::default());
    assert_eq!(none.result.as_deref(), Some("Unknown"));
    assert!(none.conditions.is_empty());
}

#[test]
fn many_faults_are_cut() {
    let faults = vec!["ü".repeat(1000); 100];
    let invalid = written(
        &Verdict::Invalid(faults),
        &ConfigurationStateStatus::default(),
    );
    assert!(invalid.conditions[0].message.len() <= 32_768);
}
