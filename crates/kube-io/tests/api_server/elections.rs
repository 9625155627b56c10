// SPDX-License-Identifier: Apache-2.0
//! Who leads.

use std::time::{Duration, Instant};

use ferrolb_kube_io::{Election, Gate, Leadership, LeaseOptions, lease};
use ferrolb_lab::cluster::Call;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{OURS, SOON, connect, done, roles, shared, until};

struct Candidate {
    leadership: watch::Receiver<Leadership>,
    _gate: Gate,
    task: JoinHandle<()>,
    stop: CancellationToken,
    identity: String,
}

impl Candidate {
    async fn stand(user: &str, lease: &str) -> Self {
        let lab = shared().expect("checked");
        let cluster = connect(lab, user).await;
        let identity = lease::identity("pod").unwrap();
        let mut options = LeaseOptions::new(lease, &identity);
        (options.duration, options.renew, options.retry) = (
            Duration::from_secs(3),
            Duration::from_secs(2),
            Duration::from_millis(500),
        );
        let stop = CancellationToken::new();
        let (leadership, gate, task) = Election::start(&cluster, options, &stop);
        Self {
            leadership,
            _gate: gate,
            task,
            stop,
            identity,
        }
    }

    async fn becomes(&mut self, what: impl Fn(&Leadership) -> bool) {
        let waited = tokio::time::timeout(SOON, self.leadership.wait_for(|now| what(now))).await;
        waited.expect("in time").expect("alive");
    }

    async fn leads(&mut self) {
        self.becomes(|now| *now == Leadership::Leading).await;
    }
}

fn path(lease: &str) -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{OURS}/leases/{lease}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_waits_and_follows_a_release_at_once() {
    let Some(lab) = shared() else { return };
    let mut first = Candidate::stand(roles::CONTROLLER, "handover").await;
    first.leads().await;
    let mut second = Candidate::stand(roles::CONTROLLER, "handover").await;
    let holder = Leadership::Waiting {
        holder: Some(first.identity.clone()),
    };
    second.becomes(|now| *now == holder).await;

    // A label somebody puts on the lease costs nobody anything.
    done(
        lab,
        &Call::merge(
            &path("handover"),
            json!({ "metadata": { "labels": { "a": "b" } } }),
        ),
    );
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(*first.leadership.borrow(), Leadership::Leading);
    assert_eq!(*second.leadership.borrow(), holder);

    let begun = Instant::now();
    first.stop.cancel();
    (&mut first.task).await.unwrap();
    second.leads().await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let lease = done(lab, &Call::get(&path("handover")));
    assert_eq!(lease["spec"]["holderIdentity"], second.identity.as_str());
    assert_eq!(lease["metadata"]["labels"]["a"], "b");
    second.stop.cancel();
    (&mut second.task).await.unwrap();
    let lease = done(lab, &Call::get(&path("handover")));
    assert_eq!(lease["spec"]["holderIdentity"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_died_is_waited_out() {
    let Some(lab) = shared() else { return };
    let dead = json!({
        "metadata": { "name": "waited-out" },
        "spec": { "holderIdentity": "dead", "leaseDurationSeconds": 3, "renewTime": "2020-01-01T00:00:00.000000Z" },
    });
    let leases = path("");
    done(lab, &Call::create(leases.trim_end_matches('/'), dead));
    let begun = Instant::now();
    let mut heir = Candidate::stand(roles::CONTROLLER, "waited-out").await;
    heir.becomes(|now| {
        *now == Leadership::Waiting {
            holder: Some("dead".into()),
        }
    })
    .await;
    heir.leads().await;
    let took = begun.elapsed();
    // However old the time in it says it is: only what was seen counts.
    assert!(
        took >= Duration::from_secs(3) && took < Duration::from_secs(5),
        "{took:?}"
    );
    let lease = done(lab, &Call::get(&path("waited-out")));
    assert_eq!(lease["spec"]["leaseTransitions"], 1);
    heir.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_lease_leads_no_longer() {
    let Some(lab) = shared() else { return };
    let mut first = Candidate::stand(roles::CONTROLLER, "taken").await;
    first.leads().await;
    done(
        lab,
        &Call::merge(
            &path("taken"),
            json!({ "spec": { "holderIdentity": "thief" } }),
        ),
    );
    first
        .becomes(|now| {
            *now == Leadership::Waiting {
                holder: Some("thief".into()),
            }
        })
        .await;
    // The thief does not renew.
    first.leads().await;
    done(lab, &Call::delete(&path("taken")));
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.leads().await;
    until("the lease is there again", || {
        let answer = super::try_to(lab, &Call::get(&path("taken")));
        answer.code == 200 && answer.body["spec"]["holderIdentity"] != Value::Null
    })
    .await;
    first.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_a_lease_there_is_one_writer() {
    if shared().is_none() {
        return;
    }
    let mut alone = Candidate::stand(roles::OLD, "alone").await;
    alone.becomes(|now| *now == Leadership::Unneeded).await;
    alone.stop.cancel();
    (&mut alone.task).await.unwrap();
}
