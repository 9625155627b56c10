// SPDX-License-Identifier: Apache-2.0
//! Watches under every fault.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::testing::{Answer, Asked, End, Record, cluster, line, page, refused, service, status};

const SERVICES: Watched = Watched::Services;

/// Follows Services of a scripted server and gives the next so many things told, as short words.
struct Following {
    receiver: mpsc::Receiver<Vec<Told>>,
    record: Record,
    ready: Vec<String>,
}

impl Following {
    fn of(kind: Watched, script: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let (cluster, record) = cluster(script);
        let receiver = follow(&cluster, &[kind], &CancellationToken::new());
        Self {
            receiver,
            record,
            ready: Vec::new(),
        }
    }

    fn services(script: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::of(SERVICES, script)
    }

    async fn told(&mut self, count: usize) -> Vec<String> {
        while self.ready.len() < count {
            let wait = tokio::time::timeout(Duration::from_secs(600), self.receiver.recv());
            match wait.await {
                Ok(Some(batch)) => self.ready.extend(batch.iter().map(word)),
                Ok(None) => panic!("nobody tells any more: {:?}", self.ready),
                Err(_) => panic!("not told: {:?} after {:#?}", self.ready, self.record.all()),
            }
        }
        self.ready.drain(..count).collect()
    }

    async fn quiet(&mut self, time: Duration) {
        let told = tokio::time::timeout(time, self.receiver.recv()).await;
        assert!(told.is_err(), "{told:?}");
        assert!(self.ready.is_empty(), "{:?}", self.ready);
    }
}

fn word(told: &Told) -> String {
    match told {
        Told::Apply(object, meta) => {
            format!("{}@{}", object.reference().name, meta.resource_version)
        }
        Told::Delete(object) => format!("-{}", object.name),
        Told::Broken(object, ..) => format!("!{}", object.name),
        Told::Synced(_) => "synced".into(),
        Told::Trouble(_, why) => format!("trouble: {why}"),
        Told::Well(_) => "well".into(),
        Told::ExtrasKnown => "extras known".into(),
        Told::Extras(there) => format!("extras: {there}"),
    }
}

/// Lists `a` and `b` at version 10, then watches as `watch` says.
fn listed(asked: &Asked, watch: impl FnOnce() -> Answer) -> Answer {
    match asked.is_watch() {
        true => watch(),
        false => page("10", None, &[service("a", "1"), service("b", "2")]),
    }
}

fn silent() -> Answer {
    Answer::Watch(Vec::new(), End::Silent)
}

#[tokio::test(start_paused = true)]
async fn pages_then_changes_then_on_from_the_bookmark() {
    let mut following = Following::services(|asked, _| {
        if asked.path.contains("resourceVersion=30") {
            return silent();
        }
        if asked.is_watch() {
            let bookmark = json!({ "kind": "Service", "metadata": { "resourceVersion": "30" } });
            let lines = vec![
                line("ADDED", &service("d", "21")),
                line("MODIFIED", &service("a", "22")),
                line("DELETED", &service("b", "23")),
                line("BOOKMARK", &bookmark),
            ];
            return Answer::Watch(lines, End::Orderly);
        }
        match asked.path.contains("continue=next%2F1") {
            false => page(
                "10",
                Some("next/1"),
                &[service("a", "1"), service("b", "2")],
            ),
            true => page("10", None, &[service("c", "3")]),
        }
    });
    let told = following.told(7).await;
    assert_eq!(told, ["a@1", "b@2", "c@3", "synced", "d@21", "a@22", "-b"]);
    following.quiet(Duration::from_secs(10)).await;
    let watches: Vec<Asked> = following
        .record
        .all()
        .into_iter()
        .filter(Asked::is_watch)
        .collect();
    assert!(
        watches[0].path.contains("resourceVersion=10")
            && watches[0].path.contains("allowWatchBookmarks=true")
    );
    assert!(
        watches[1].path.contains("resourceVersion=30"),
        "{watches:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn gone_in_the_stream_or_at_its_start_tells_differences_alone() {
    for at_start in [false, true] {
        let mut following =
            Following::services(move |asked, number| match (asked.is_watch(), number) {
                (true, 2) if at_start => refused(410, "too old"),
                (true, 2) => {
                    Answer::Watch(vec![line("ERROR", &status(410, "too old"))], End::Silent)
                }
                (true, _) => silent(),
                (false, 1) => page(
                    "10",
                    None,
                    &[service("a", "1"), service("b", "2"), service("c", "3")],
                ),
                (false, _) => page(
                    "20",
                    None,
                    &[service("a", "1"), service("b", "12"), service("d", "13")],
                ),
            });
        let told = following.told(7).await;
        assert_eq!(told, ["a@1", "b@2", "c@3", "synced", "b@12", "d@13", "-c"]);
        following.quiet(Duration::from_secs(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_outlives_its_version_begins_anew() {
    let mut following = Following::services(|asked, number| match (asked.is_watch(), number) {
        (true, _) => silent(),
        (false, 1) => page("10", Some("x"), &[service("a", "1"), service("b", "2")]),
        (false, 2) => refused(410, "the continue parameter is too old"),
        (false, _) => page("20", None, &[service("b", "2"), service("c", "3")]),
    });
    assert_eq!(
        following.told(5).await,
        ["a@1", "b@2", "c@3", "-a", "synced"]
    );
}

#[tokio::test(start_paused = true)]
async fn trouble_is_told_once_and_so_is_its_end() {
    let mut following = Following::services(|asked, number| match number {
        1..=4 => refused(500, "etcd is away"),
        5 => Answer::Broken,
        6 => Answer::Text("<html>".into()),
        _ => listed(asked, silent),
    });
    let told = following.told(7).await;
    assert_eq!(told[0], "trouble: etcd is away (500 R)");
    assert!(
        told[1].starts_with("trouble: the API server cannot be reached"),
        "{told:?}"
    );
    assert!(
        told[2].starts_with("trouble: the answer cannot be read"),
        "{told:?}"
    );
    assert_eq!(told[3..], ["a@1", "b@2", "synced", "well"]);
}

#[tokio::test(start_paused = true)]
async fn a_cut_stream_goes_on_where_it_was() {
    let mut following = Following::services(|asked, number| {
        listed(asked, || match number {
            2 => {
                let half = line("ADDED", &service("half", "22"));
                let lines = vec![line("ADDED", &service("c", "21")), half[..40].to_owned()];
                Answer::Watch(lines, End::Cut)
            }
            _ if asked.path.contains("resourceVersion=21") => {
                Answer::Watch(vec![line("ADDED", &service("half", "22"))], End::Silent)
            }
            _ => refused(410, "wrong version"),
        })
    });
    let told = following.told(7).await;
    assert_eq!(told[..4], ["a@1", "b@2", "synced", "c@21"]);
    assert!(told[4].starts_with("trouble"), "{told:?}");
    assert_eq!(told[5..], ["well", "half@22"]);
}

#[tokio::test(start_paused = true)]
async fn lines_come_in_any_pieces() {
    let mut following = Following::services(|asked, _| {
        listed(asked, || {
            let whole = format!(
                "{}\n{}",
                line("ADDED", &service("c", "21")),
                line("NEWER", &json!({}))
            );
            let more = line("ADDED", &service("d", "22"));
            let pieces = format!("{whole}{more}").into_bytes();
            let pieces = pieces
                .chunks(7)
                .map(|piece| String::from_utf8_lossy(piece).into_owned());
            Answer::Watch(pieces.collect(), End::Silent)
        })
    });
    assert_eq!(
        following.told(5).await,
        ["a@1", "b@2", "synced", "c@21", "d@22"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_watch_is_given_up() {
    let mut following = Following::services(|asked, number| {
        listed(asked, || match number {
            2 => silent(),
            _ => Answer::Watch(vec![line("ADDED", &service("c", "21"))], End::Silent),
        })
    });
    let begun = Instant::now();
    assert_eq!(following.told(4).await[3], "c@21");
    assert!(
        begun.elapsed() < Duration::from_secs(400),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_every_watch_is_not_hammered() {
    let mut following =
        Following::services(|asked, _| listed(asked, || Answer::Watch(Vec::new(), End::Orderly)));
    following.told(3).await;
    following.quiet(Duration::from_secs(60)).await;
    let asked = following.record.all().len();
    assert!(asked < 60, "{asked} requests in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_server_never_takes_is_given_up() {
    // The store was put back to an older state: the version we hold lies in its future.
    let mut following = Following::services(|asked, number| match asked.is_watch() {
        true if asked.path.contains("resourceVersion=900") => {
            refused(504, "Too large resource version")
        }
        true => silent(),
        false if number == 1 => page("900", None, &[service("a", "800")]),
        false => page("10", None, &[service("a", "5")]),
    });
    let told = following.told(5).await;
    assert_eq!(told[..2], ["a@800", "synced"]);
    assert!(told[2].starts_with("trouble: Too large"), "{told:?}");
    assert_eq!(told[3..], ["a@5", "well"]);
}

/// The store was put back to an older state, and the watch from the version we hold is taken all the same.
#[tokio::test(start_paused = true)]
async fn a_watch_from_the_future_of_the_store_is_given_up() {
    let mut following = Following::services(|asked, number| match asked.is_watch() {
        true => silent(),
        false if number == 1 => page("900", None, &[service("a", "800")]),
        false => page("10", None, &[service("a", "5")]),
    });
    assert_eq!(following.told(2).await, ["a@800", "synced"]);
    let begun = Instant::now();
    assert_eq!(following.told(1).await, ["a@5"]);
    assert!(begun.elapsed() < Duration::from_secs(90));
    following.quiet(Duration::from_secs(200)).await;
}

#[tokio::test(start_paused = true)]
async fn silence_costs_a_small_question_and_no_list() {
    let mut following = Following::services(|asked, _| listed(asked, silent));
    following.told(3).await;
    following.quiet(Duration::from_secs(3_600)).await;
    let whole = |asked: &Asked| asked.is_list() && !asked.path.contains("limit=1&");
    let small = |asked: &Asked| asked.path.ends_with("limit=1");
    let record = &following.record;
    assert_eq!(record.count(|asked| whole(asked) && !small(asked)), 1);
    assert!(
        (8..=16).contains(&record.count(small)),
        "{:?}",
        record.all()
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_now_and_then_is_begun_again_at_once() {
    let mut following = Following::services(|asked, _| {
        listed(asked, || {
            let wait = futures::stream::once(tokio::time::sleep(Duration::from_secs(40)));
            let broken = wait.map(|()| line("ERROR", &status(500, "broken")));
            Answer::Stream(Box::pin(broken))
        })
    });
    following.told(3 + 2 * 20).await;
    let record = &following.record;
    assert_eq!(record.count(Asked::is_list), 1, "{:?}", record.all());
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_watched_is_listed_every_minute() {
    let mut following = Following::services(|asked, number| match asked.is_watch() {
        true => refused(403, "no watch"),
        false if number < 20 => page("10", None, &[service("a", "1")]),
        false => page("20", None, &[service("b", "11")]),
    });
    assert_eq!(following.told(2).await, ["a@1", "synced"]);
    assert_eq!(following.told(2).await, ["b@11", "-a"]);
    let before = following.record.count(Asked::is_list);
    following.quiet(Duration::from_secs(600)).await;
    let lists = following.record.count(Asked::is_list) - before;
    assert!((10..=20).contains(&lists), "{lists}");
}

/// An API server that has just started refuses everybody until it has read the rules.
#[tokio::test(start_paused = true)]
async fn refusals_that_pass_leave_nobody_blind() {
    let mut following = Following::services(|asked, number| match asked.is_watch() {
        true if number < 12 => refused(403, "no watch yet"),
        true => Answer::Watch(vec![line("ADDED", &service("c", "31"))], End::Silent),
        false if number < 3 => page("10", None, &[service("a", "1")]),
        false => page("20", None, &[service("a", "1"), service("b", "11")]),
    });
    let begun = Instant::now();
    assert_eq!(following.told(3).await, ["a@1", "synced", "b@11"]);
    assert!(begun.elapsed() < Duration::from_secs(2), "a list meanwhile");
    assert_eq!(following.told(1).await, ["c@31"]);
    assert!(begun.elapsed() < Duration::from_secs(40), "and a watch");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_asked_for_slowly() {
    let mut following = Following::services(|_, _| refused(403, "services is forbidden"));
    assert_eq!(
        following.told(1).await,
        ["trouble: services is forbidden (403 R)"]
    );
    following.quiet(Duration::from_secs(3600)).await;
    let asked = following.record.all().len();
    assert!((60..140).contains(&asked), "{asked} requests in an hour");
}

#[tokio::test(start_paused = true)]
async fn one_broken_object_harms_no_other() {
    let pool = |name: &str, version: &str, addresses: serde_json::Value| {
        json!({
            "metadata": { "name": name, "namespace": "metallb-system", "resourceVersion": version },
            "spec": { "addresses": addresses, "ofANewerVersion": { "x": [1] } },
        })
    };
    let mut following = Following::of(Watched::IPAddressPools, move |asked, number| {
        match asked.is_watch() {
            true if number == 2 => {
                let lines = vec![
                    line("MODIFIED", &pool("b", "21", json!(["192.0.2.0/24"]))),
                    line("MODIFIED", &pool("a", "22", json!(7))),
                    line("DELETED", &pool("a", "23", json!(7))),
                ];
                Answer::Watch(lines, End::Silent)
            }
            true => silent(),
            false => {
                let items = [
                    pool("a", "1", json!([])),
                    pool("b", "2", json!("text")),
                    pool("c", "3", json!([])),
                ];
                page("10", None, &items)
            }
        }
    });
    let told = following.told(7).await;
    assert_eq!(told, ["a@1", "!b", "c@3", "synced", "b@21", "!a", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn no_refusal_shows_a_password() {
    let (cluster, _) = cluster(|_, _| {
        let peer = json!({ "metadata": { "name": "a" }, "spec": { "myASN": 1, "password": "hunter2", "holdTime": 7, "peerPort": "hunter2" } });
        page("10", None, &[peer])
    });
    let told = list(&cluster, Watched::BGPPeers).await.expect("listed");
    assert!(matches!(told[..], [Told::Broken(..)]), "{told:?}");
    assert!(!format!("{told:?}").contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn metadata_is_asked_for_alone_in_few_pages() {
    let node = |name: &str| json!({ "kind": "PartialObjectMetadata", "metadata": { "name": name, "labels": { "rack": name }}});
    let (cluster, record) = cluster(move |asked, _| match asked.path.contains("continue=") {
        true => page("10", None, &[node("b")]),
        false => page("10", Some("more"), &[node("a")]),
    });
    let told = list_metadata(&cluster, Watched::Nodes)
        .await
        .expect("listed");
    let labels = told.iter().map(|told| match told {
        Told::Apply(Object::Node(node), _) => (
            node.name.to_string(),
            node.labels.get("rack").map(ToString::to_string),
        ),
        other => panic!("{other:?}"),
    });
    let want = ["a", "b"].map(|name| (name.to_owned(), Some(name.to_owned())));
    assert_eq!(labels.collect::<Vec<_>>(), want);
    for asked in record.all() {
        assert!(
            asked.path.starts_with("/api/v1/nodes?limit=1000"),
            "{asked:?}"
        );
        assert!(
            asked
                .accept
                .starts_with("application/json;as=PartialObjectMetadataList;"),
            "{asked:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_taking_stops_the_flow() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let mut following = Following::services(move |asked, _| {
        let made = Arc::clone(&made);
        listed(asked, || {
            let lines = futures::stream::iter(0..1_000_000_u32).map(move |n| {
                made.fetch_add(1, Ordering::Relaxed);
                line("MODIFIED", &service("c", &(100 + n).to_string()))
            });
            Answer::Stream(Box::pin(lines))
        })
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    let held = count.load(Ordering::Relaxed);
    assert!(held < 20 * 256, "{held} lines read that nobody took");
    following.told(10_000).await;
    assert!(count.load(Ordering::Relaxed) >= 9_000, "it flows again");
}

/// One page is on its way while another is taken in, and no more than that.
#[tokio::test(start_paused = true)]
async fn nobody_taking_stops_the_list_one_page_ahead() {
    let mut following = Following::services(|asked, count| {
        if asked.is_watch() {
            return silent();
        }
        let names = (0..3_000).map(|n| service(&format!("p{count}-{n}"), "1"));
        page("1", Some("more"), &names.collect::<Vec<_>>())
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(following.record.count(Asked::is_list), 2);
    following.told(3_000).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(following.record.count(Asked::is_list), 3);
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_is_a_list() {
    let mut following = Following::services(|asked, _| match asked.is_watch() {
        true => silent(),
        false => Answer::Text(r#"{"metadata":{"resourceVersion":"1"},"items":null}"#.into()),
    });
    assert_eq!(following.told(1).await, ["synced"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_its_taker() {
    let following = Following::services(|asked, _| listed(asked, silent));
    let Following {
        receiver, record, ..
    } = following;
    drop(receiver);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let asked = record.all().len();
    assert!(asked <= 2, "{asked} requests for nobody");
}
