// SPDX-License-Identifier: Apache-2.0
//! Status writes under every fault.

use std::net::IpAddr;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::{
    gate::{GateKeeper, State, gate},
    testing::{Answer, Asked, Record, cluster, refused, service},
};

struct Writing {
    writer: Writer,
    wrote: mpsc::Receiver<Wrote>,
    record: Record,
}

impl Writing {
    fn behind(
        gate: Gate,
        script: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (cluster, record) = cluster(script);
        let options = WriterOptions::default();
        let (writer, wrote) = Writer::start(&cluster, options, gate, &CancellationToken::new());
        Self {
            writer,
            wrote,
            record,
        }
    }

    fn open(script: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::behind(Gate::open(), script)
    }

    fn put(&self, name: &str, last: u8) {
        self.writer.service_status(decided(name, last));
    }

    async fn next(&mut self) -> Result<Box<str>, WriteFault> {
        let wait = tokio::time::timeout(Duration::from_secs(600), self.wrote.recv());
        wait.await.expect("in time").expect("alive").result
    }
}

fn decided(name: &str, last: u8) -> ServiceStatus {
    ServiceStatus {
        key: ServiceKey::new("shop", name),
        uid: "u".into(),
        resource_version: "7".into(),
        ingress: vec![IpAddr::from([192, 0, 2, last])],
        pool: Some("web".into()),
        keep: false,
        events: Vec::new(),
    }
}

fn written() -> Answer {
    Answer::Json(200, json!({ "metadata": { "resourceVersion": "8" } }))
}

fn term(seconds: u64) -> (GateKeeper, Gate) {
    let (keeper, gate) = gate();
    keeper.open(State::Until(Instant::now() + Duration::from_secs(seconds)));
    (keeper, gate)
}

#[tokio::test(start_paused = true)]
async fn trouble_that_passes_is_waited_out() {
    let mut writing = Writing::open(|_, number| match number {
        1 => refused(500, "etcd"),
        2 => refused(429, "slowly"),
        3 => Answer::Broken,
        4 => Answer::Silence,
        _ => written(),
    });
    writing.put("web", 1);
    assert_eq!(writing.next().await.as_deref(), Ok("8"));
    assert_eq!(writing.record.all().len(), 5);
    assert_eq!(writing.writer.cluster.load().urgent(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_keeps_failing_holds_no_event_back() {
    let writing = Writing::open(|_, _| refused(500, "etcd"));
    writing.put("web", 1);
    let load = writing.writer.cluster.load();
    assert_eq!(load.urgent(), 1);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!((load.urgent(), writing.writer.backlog()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_write_under_way_ends_before_the_gate_is_empty() {
    let (keeper, gate) = term(60);
    let (cluster, record) = cluster(|_, _| Answer::Silence);
    let stop = CancellationToken::new();
    let (writer, _wrote) = Writer::start(&cluster, WriterOptions::default(), gate, &stop);
    writer.service_status(decided("web", 1));
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(record.all().len(), 1);
    stop.cancel();
    keeper.close();
    assert!(
        !keeper.empty(Duration::from_secs(4)).await,
        "it may still arrive"
    );
    assert!(keeper.empty(Duration::from_secs(2)).await);
}

#[tokio::test(start_paused = true)]
async fn the_newest_decision_replaces_what_waits() {
    let mut writing = Writing::open(|_, number| match number {
        1 => Answer::Silence,
        _ => written(),
    });
    writing.put("web", 1);
    tokio::time::sleep(Duration::from_millis(10)).await;
    for last in 2..=9 {
        writing.put("web", last);
    }
    assert!(writing.next().await.is_ok());
    let sent: Vec<Value> = writing
        .record
        .all()
        .into_iter()
        .map(|asked| asked.body)
        .collect();
    let last = &sent[1]["status"]["loadBalancer"]["ingress"][0]["ip"];
    assert_eq!((sent.len(), last), (2, &json!("192.0.2.9")));
    assert_eq!(writing.writer.cluster.load().urgent(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_stuck_service_holds_no_other_back() {
    let mut writing = Writing::open(|asked, _| match asked.path.contains("stuck") {
        true => Answer::Silence,
        false => written(),
    });
    writing.put("stuck", 1);
    for n in 0..50 {
        writing.put(&format!("s{n}"), 1);
    }
    let begun = Instant::now();
    for _ in 0..50 {
        assert!(writing.next().await.is_ok());
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn what_is_final_is_told_and_not_tried_again() {
    for (code, fault) in [
        (409, WriteFault::Conflict),
        (404, WriteFault::Gone),
        (422, WriteFault::Other("no (422 R)".into())),
    ] {
        let mut writing = Writing::open(move |_, _| refused(code, "no"));
        writing.put("web", 1);
        assert_eq!(writing.next().await, Err(fault));
        assert_eq!(writing.record.all().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_counts_when_it_stays() {
    let mut writing = Writing::open(|_, _| refused(403, "no"));
    writing.put("web", 1);
    let begun = Instant::now();
    assert_eq!(
        writing.next().await,
        Err(WriteFault::Forbidden("no (403 R)".into()))
    );
    assert!(
        begun.elapsed() > Duration::from_secs(1),
        "a server that just started refuses everybody"
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_leaves_what_it_does_not_know_alone() {
    let mut writing = Writing::open(|asked, _| match asked.method.as_str() {
        "PATCH" => refused(403, "no patch"),
        "GET" => {
            let mut object = service("web", "7");
            object["spec"]["ofANewerVersion"] = json!({ "x": [1, null] });
            object["status"]["conditions"] = json!([{ "type": "New" }]);
            Answer::Json(200, object)
        }
        _ => written(),
    });
    writing.put("web", 1);
    assert_eq!(writing.next().await.as_deref(), Ok("8"));
    writing.put("web", 2);
    assert!(writing.next().await.is_ok());
    let all = writing.record.all();
    let methods: Vec<&str> = all.iter().map(|asked| asked.method.as_str()).collect();
    assert_eq!(methods, ["PATCH", "GET", "PUT", "GET", "PUT"]);
    let mut want = service("web", "7");
    want["spec"]["ofANewerVersion"] = json!({ "x": [1, null] });
    want["status"] = json!({ "conditions": [{ "type": "New" }], "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } });
    want["metadata"]["annotations"] = json!({ "metallb.io/ip-allocated-from-pool": "web" });
    assert_eq!(all[2].body, want);
}

#[tokio::test(start_paused = true)]
async fn no_write_starts_that_could_end_after_the_gates_deadline() {
    let (keeper, gate) = term(12);
    let mut writing = Writing::behind(gate, |_, _| written());
    tokio::time::advance(Duration::from_secs(8)).await;
    writing.put("late", 1);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(
        writing.record.all().is_empty(),
        "4 s are left, a write may take 5"
    );
    keeper.open(State::Until(Instant::now() + Duration::from_secs(12)));
    assert!(writing.next().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nothing_of_one_term_is_written_in_the_next() {
    let (keeper, gate) = term(12);
    let mut writing = Writing::behind(gate, |_, number| match number {
        1..=16 => refused(500, "busy"),
        _ => written(),
    });
    for n in 0..40 {
        writing.put(&format!("s{n}"), 1);
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let before = writing.record.all().len();
    keeper.close();
    keeper.open(State::Until(Instant::now() + Duration::from_secs(12)));
    let mut late = 0;
    for _ in 0..40 {
        late += usize::from(writing.next().await == Err(WriteFault::NotLeading));
    }
    assert!(late >= 16 && writing.record.all().len() == before, "{late}");
    writing.put("new", 1);
    assert!(writing.next().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn entries_that_stay_keep_everything_they_have() {
    let mut writing = Writing::open(|asked, _| match asked.method.as_str() {
        "GET" => {
            let mut object = service("web", "7");
            object["status"]["loadBalancer"]["ingress"] = json!([
                { "ip": "192.0.2.1", "ipMode": "Proxy", "ofANewerVersion": true }, { "hostname": "h" }, 7, { "ip": "192.0.2.01" },
            ]);
            Answer::Json(200, object)
        }
        _ => written(),
    });
    let mut status = decided("web", 1);
    status.keep = true;
    status.ingress.push([192, 0, 2, 2].into());
    writing.writer.service_status(status);
    assert!(writing.next().await.is_ok());
    let patch = &writing.record.all()[1].body;
    let want = json!([{ "ip": "192.0.2.1", "ipMode": "Proxy", "ofANewerVersion": true }, { "ip": "192.0.2.2" }]);
    assert_eq!(patch["status"]["loadBalancer"]["ingress"], want);
    assert_eq!(patch["metadata"]["resourceVersion"], "7");
}
