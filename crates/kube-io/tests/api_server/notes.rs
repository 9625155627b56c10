// SPDX-License-Identifier: Apache-2.0
//! Events.

use std::sync::atomic::Ordering;

use ferrolb_kube_io::{Note, Recorder, Subject};
use ferrolb_lab::cluster::{Call, Cluster};
use ferrolb_types::ServiceKey;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{connect, done, namespace, roles, service, shared, until};

fn events(lab: &Cluster, namespace: &str) -> Vec<Value> {
    let list = done(
        lab,
        &Call::get(&format!("/api/v1/namespaces/{namespace}/events")),
    );
    list["items"].as_array().cloned().unwrap_or_default()
}

fn note(message: &str) -> Note {
    Note {
        warning: true,
        reason: "not enough clusterips".into(),
        message: message.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_one_again_is_counted_up() {
    let Some(lab) = shared() else { return };
    namespace(lab, "notes");
    let created = service(lab, "notes", "web");
    let uid = created["metadata"]["uid"].as_str().unwrap();
    let subject = Subject::service(&ServiceKey::new("notes", "web"), uid);
    let cluster = connect(lab, roles::CONTROLLER).await;
    let stop = CancellationToken::new();
    let recorder = Recorder::start(&cluster, "metallb-controller", "node-a", &stop);
    recorder.note(subject.clone(), note("first"));
    until("the Event is there", || events(lab, "notes").len() == 1).await;
    recorder.note(subject.clone(), note("first"));
    recorder.note(subject.clone(), note("second"));
    until("both are told", || {
        let all = events(lab, "notes");
        all.len() == 2 && all.iter().any(|event| event["count"] == 2)
    })
    .await;
    let all = events(lab, "notes");
    let event = all.iter().find(|event| event["count"] == 2).unwrap();
    assert_eq!(event["message"], "first");
    assert_eq!(
        (&event["reason"], &event["type"]),
        (&"not enough clusterips".into(), &"Warning".into())
    );
    assert_eq!(event["source"]["component"], "metallb-controller");
    assert_eq!(event["involvedObject"]["uid"], uid);

    // One that ran out is made anew.
    let name = event["metadata"]["name"].as_str().unwrap();
    done(
        lab,
        &Call::delete(&format!("/api/v1/namespaces/notes/events/{name}")),
    );
    recorder.note(subject, note("first"));
    until("it is there again", || {
        events(lab, "notes")
            .iter()
            .any(|event| event["message"] == "first")
    })
    .await;
    stop.cancel();
    assert_eq!(recorder.dropped().load(Ordering::Relaxed), 0);
}
