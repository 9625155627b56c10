// SPDX-License-Identifier: Apache-2.0
//! Leading while the API server fails, by a virtual clock.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::record::Record;
use super::rights::REFUSED_AFTER_A_GRANT;
use super::*;
use crate::testing::{Answer, Asked, cluster, refused};

/// A server with one Lease, and a switch for its faults.
#[derive(Clone, Default)]
struct Server {
    lease: Arc<Mutex<Option<Value>>>,
    fault: Arc<Mutex<Option<Fault>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Silent,
    Failing,
    Forbidden,
    /// Writes are done, their answers are lost.
    Deaf,
}

impl Server {
    fn fail(&self, fault: Option<Fault>) {
        *self.fault.lock().expect("whole") = fault;
    }

    fn delete(&self) {
        *self.lease.lock().expect("whole") = None;
    }

    fn answer(&self, asked: &Asked) -> Answer {
        let fault = *self.fault.lock().expect("whole");
        if asked.path.contains("selfsubjectaccessreviews") {
            let allowed = fault != Some(Fault::Forbidden);
            return Answer::Json(201, json!({ "status": { "allowed": allowed } }));
        }
        match fault {
            Some(Fault::Silent) => return Answer::Silence,
            Some(Fault::Failing) => return refused(500, "etcd"),
            Some(Fault::Forbidden) => return refused(403, "no leases"),
            Some(Fault::Deaf) | None => {}
        }
        let done = self.serve(asked);
        match fault {
            Some(Fault::Deaf) if asked.method != "GET" => Answer::Silence,
            _ => done,
        }
    }

    fn serve(&self, asked: &Asked) -> Answer {
        let mut lease = self.lease.lock().expect("whole");
        let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
        match (asked.method.as_str(), lease.as_mut()) {
            ("GET", Some(lease)) => Answer::Json(200, lease.clone()),
            ("GET", None) => refused(404, "none"),
            ("POST", Some(_)) => refused(409, "exists"),
            ("PUT", Some(held)) if version(held) != version(&asked.body) => {
                refused(409, "written since")
            }
            _ => {
                let number = lease
                    .as_ref()
                    .map_or(0, |lease| version(lease).as_str().map_or(0, str::len));
                let mut new = asked.body.clone();
                new["metadata"]["resourceVersion"] = "x".repeat(number + 1).into();
                *lease = Some(new.clone());
                Answer::Json(200, new)
            }
        }
    }

    fn holder(&self) -> String {
        let lease = self.lease.lock().expect("whole");
        lease
            .as_ref()
            .map(|lease| Record::of(lease).holder)
            .unwrap_or_default()
    }
}

struct Candidate {
    leadership: watch::Receiver<Leadership>,
    gate: Gate,
    task: JoinHandle<()>,
    stop: CancellationToken,
    record: crate::testing::Record,
}

impl Candidate {
    fn stand(server: &Server, identity: &str) -> Self {
        let server = server.clone();
        let (cluster, record) = cluster(move |asked, _| server.answer(asked));
        let stop = CancellationToken::new();
        let (leadership, gate, task) =
            Election::start(&cluster, LeaseOptions::new("lease", identity), &stop);
        Self {
            leadership,
            gate,
            task,
            stop,
            record,
        }
    }

    async fn becomes(&mut self, wanted: &Leadership) -> Duration {
        let begun = Instant::now();
        let wait = self.leadership.wait_for(|now| now == wanted);
        let waited = tokio::time::timeout(Duration::from_secs(300), wait).await;
        waited.expect("in time").expect("alive");
        begun.elapsed()
    }

    async fn may_write(&self) -> bool {
        let enter = self.gate.enter(self.gate.term(), Duration::from_secs(5));
        matches!(
            tokio::time::timeout(Duration::from_millis(1), enter).await,
            Ok(Some(_))
        )
    }
}

#[tokio::test(start_paused = true)]
async fn writes_stop_before_another_could_begin() {
    for fault in [Fault::Silent, Fault::Failing, Fault::Deaf] {
        let server = Server::default();
        let mut first = Candidate::stand(&server, "first");
        first.becomes(&Leadership::Leading).await;
        let mut second = Candidate::stand(&server, "second");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(first.may_write().await && !second.may_write().await);

        server.fail(Some(fault));
        let begun = Instant::now();
        while first.may_write().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let stopped = begun.elapsed();
        assert!(stopped <= Duration::from_secs(7), "{stopped:?}");
        first.becomes(&Leadership::Waiting { holder: None }).await;
        assert!(
            begun.elapsed() <= Duration::from_secs(12),
            "{:?}",
            begun.elapsed()
        );
        first.task.abort();
        server.fail(None);
        second.becomes(&Leadership::Leading).await;
        // A write that began at the last moment ends within five seconds; we looked every 50 ms or so.
        let over = stopped + Duration::from_secs(5) - Duration::from_millis(100);
        assert!(begun.elapsed() >= over, "{:?} {stopped:?}", begun.elapsed());
        assert!(
            begun.elapsed() <= Duration::from_secs(27),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_leader_is_followed_in_time() {
    let server = Server::default();
    let mut first = Candidate::stand(&server, "first");
    first.becomes(&Leadership::Leading).await;
    let mut second = Candidate::stand(&server, "second");
    for extra in [0, 700, 1999] {
        tokio::time::sleep(Duration::from_millis(30_000 + extra)).await;
    }
    first.task.abort();
    let took = second.becomes(&Leadership::Leading).await;
    assert!((10..=13).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_costs_no_leadership() {
    let server = Server::default();
    let mut first = Candidate::stand(&server, "first");
    first.becomes(&Leadership::Leading).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.fail(Some(Fault::Deaf));
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.fail(None);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(*first.leadership.borrow(), Leadership::Leading);
    assert_eq!(first.gate.term(), 1, "without a break");
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_released_after_the_last_write() {
    let server = Server::default();
    let mut first = Candidate::stand(&server, "first");
    first.becomes(&Leadership::Leading).await;
    let pass = first
        .gate
        .enter(first.gate.term(), Duration::from_secs(5))
        .await
        .expect("open");
    first.stop.cancel();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!first.may_write().await);
    assert_eq!(server.holder(), "first", "a write is under way");
    drop(pass);
    (&mut first.task).await.expect("no panic");
    assert_eq!(server.holder(), "");
}

#[tokio::test(start_paused = true)]
async fn without_a_grant_it_is_unneeded_until_there_is_one() {
    let server = Server::default();
    server.fail(Some(Fault::Forbidden));
    let mut alone = Candidate::stand(&server, "alone");
    let took = alone.becomes(&Leadership::Unneeded).await;
    assert!(took <= Duration::from_secs(3), "{took:?}");
    assert!(alone.may_write().await);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let asked = alone.record.all().len();
    assert!(asked < 60, "{asked}");
    server.fail(None);
    alone.becomes(&Leadership::Leading).await;
    assert_eq!(server.holder(), "alone");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_just_started_refuses_nobody_for_good() {
    let server = Server::default();
    server.fail(Some(Fault::Forbidden));
    let mut first = Candidate::stand(&server, "first");
    tokio::time::sleep(Duration::from_millis(900)).await;
    server.fail(None);
    let unneeded = tokio::time::timeout(
        Duration::from_secs(5),
        first
            .leadership
            .wait_for(|now| *now != Leadership::Waiting { holder: None }),
    )
    .await;
    assert_eq!(
        *unneeded.expect("in time").expect("alive"),
        Leadership::Leading
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_amid_an_outage_makes_nobody_a_second_writer() {
    let server = Server::default();
    let mut first = Candidate::stand(&server, "first");
    first.becomes(&Leadership::Leading).await;
    // Restarted, the server knows no rules for a while, then is away again, then is there.
    for (fault, seconds) in [
        (Some(Fault::Silent), 20),
        (Some(Fault::Forbidden), 20),
        (Some(Fault::Failing), 5),
        (None, 0),
    ] {
        server.fail(fault);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        assert_ne!(*first.leadership.borrow(), Leadership::Unneeded);
    }
    first.becomes(&Leadership::Leading).await;
    // Taken away for good, it is the only writer in the end.
    server.fail(Some(Fault::Forbidden));
    let took = first.becomes(&Leadership::Unneeded).await;
    assert!(took > REFUSED_AFTER_A_GRANT, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_deleted_makes_no_second_leader() {
    let server = Server::default();
    let mut first = Candidate::stand(&server, "first");
    let took = first.becomes(&Leadership::Leading).await;
    assert!(took < Duration::from_secs(1), "a first install: {took:?}");
    let second = Candidate::stand(&server, "second");
    // Deleted at any time between two renewals.
    for extra in (0..2000).step_by(300) {
        tokio::time::sleep(Duration::from_millis(20_000 + extra)).await;
        server.delete();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(4) {
            assert!(!second.may_write().await, "after {:?}", begun.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(first.may_write().await);
        assert_eq!(server.holder(), "first", "made anew");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_waited_out() {
    let server = Server::default();
    let mut first = Candidate::stand(&server, "first");
    first.becomes(&Leadership::Leading).await;
    let mut second = Candidate::stand(&server, "second");
    let mut third = Candidate::stand(&server, "third");
    tokio::time::sleep(Duration::from_secs(30)).await;
    first.task.abort();
    // Whatever goes on meanwhile.
    for fault in [Fault::Silent, Fault::Forbidden, Fault::Failing] {
        server.fail(Some(fault));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    server.fail(None);
    server.delete();
    let begun = Instant::now();
    let leads = tokio::select! {
        _ = second.becomes(&Leadership::Leading) => "second",
        _ = third.becomes(&Leadership::Leading) => "third",
    };
    let took = begun.elapsed();
    assert!((12..=15).contains(&took.as_secs()), "{took:?}");
    assert_eq!(server.holder(), leads);
}

#[tokio::test(start_paused = true)]
async fn one_that_wakes_up_without_a_lease_waits_like_others() {
    let server = Server::default();
    let mut first = Candidate::stand(&server, "first");
    first.becomes(&Leadership::Leading).await;
    server.fail(Some(Fault::Silent));
    // Another leads meanwhile, for all it knows.
    first.becomes(&Leadership::Waiting { holder: None }).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    server.delete();
    server.fail(None);
    let took = first.becomes(&Leadership::Leading).await;
    assert!(took >= Duration::from_secs(12), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_without_rights_for_a_while_stands_by() {
    let server = Server::default();
    let mut first = Candidate::stand(&server, "first");
    first.becomes(&Leadership::Leading).await;
    let mut second = Candidate::stand(&server, "second");
    tokio::time::sleep(Duration::from_secs(60)).await;
    // A RoleBinding is deleted and made again.
    server.fail(Some(Fault::Forbidden));
    let begun = Instant::now();
    while begun.elapsed() < REFUSED_AFTER_A_GRANT - Duration::from_secs(2) {
        assert!(!second.may_write().await, "after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let took = second.becomes(&Leadership::Unneeded).await;
    assert!(took <= Duration::from_secs(5), "{took:?}");
}
