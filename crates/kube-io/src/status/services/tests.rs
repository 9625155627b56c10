// SPDX-License-Identifier: Apache-2.0
//! Each step on its own, and the whole under faults.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use serde_json::{Value, json};

use super::{super::own::Own, state::Step, *};
use crate::{
    Error,
    testing::{Answer, Asked, End, cluster, page, refused},
};

const NODE: &str = "node-a";

fn options() -> ServiceStatusesOptions {
    ServiceStatusesOptions {
        node: NODE.into(),
        owner: Some(Owner {
            api_version: "v1".into(),
            kind: "Pod".into(),
            name: "speaker".into(),
            uid: "me".into(),
        }),
    }
}

fn web() -> Key {
    (Protocol::Bgp, ServiceKey::new("shop", "web"))
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn object(name: &str, owner: &str, peers: &[&str]) -> Own {
    Own {
        namespace: "metallb-system".into(),
        name: name.into(),
        version: "1".into(),
        owners: vec![owner.into()],
        node_label: NODE.into(),
        node: NODE.into(),
        service: ("shop".into(), "web".into()),
        has_status: true,
        list: names(peers),
    }
}

fn state(desired: Option<&[&str]>, standing: &[Own]) -> State {
    let mut state = State::new(Arc::new(options()));
    state.desire(&web(), desired.map(names));
    for own in standing {
        state.observe(Protocol::Bgp, Event::Set(own.clone()));
    }
    state.observe(Protocol::Bgp, Event::Synced);
    state.settled = HashSet::from(Protocol::BOTH);
    state
}

fn next(state: &State) -> Step {
    state.step(&web())
}

/// What it is, what is desired, what stands, and the step that follows.
type Case = (
    &'static str,
    Option<&'static [&'static str]>,
    Vec<Own>,
    Step,
);

#[test]
fn one_step_after_the_other() {
    let ours = Protocol::Bgp.name(NODE, &web().1);
    let bare = Own {
        has_status: false,
        list: Vec::new(),
        ..object(&ours, "me", &[])
    };
    let elsewhere = Own {
        node: "node-b".into(),
        ..object(&ours, "me", &["a"])
    };
    let table: [Case; 10] = [
        ("nothing at all", None, vec![], Step::Nothing),
        ("missing", Some(&["a"]), vec![], Step::Create),
        (
            "too much",
            None,
            vec![object("bgp-x", "me", &["a"])],
            Step::Delete("bgp-x".into()),
        ),
        (
            "as it should be",
            Some(&["a", "b"]),
            vec![object(&ours, "me", &["b", "a"])],
            Step::Nothing,
        ),
        (
            "MetalLB's name",
            Some(&["a"]),
            vec![object("bgp-k7x2p", "me", &["a"])],
            Step::Nothing,
        ),
        (
            "other peers",
            Some(&["a"]),
            vec![object(&ours, "me", &["a", "b"])],
            Step::Write(ours.clone()),
        ),
        (
            "no status yet",
            Some(&["a"]),
            vec![bare],
            Step::Write(ours.clone()),
        ),
        (
            "of an earlier Pod",
            Some(&["a"]),
            vec![object(&ours, "old", &["a"])],
            Step::Adopt(ours.clone()),
        ),
        (
            "fields that cannot change",
            Some(&["a"]),
            vec![elsewhere],
            Step::Delete(ours.clone()),
        ),
        (
            "a duplicate",
            Some(&["a"]),
            vec![object(&ours, "me", &["a"]), object("bgp-0", "me", &["a"])],
            Step::Delete("bgp-0".into()),
        ),
    ];
    for (what, desired, standing, want) in table {
        assert_eq!(next(&state(desired, &standing)), want, "{what}");
    }
}

#[test]
fn nothing_is_done_before_it_is_known_what_stands() {
    let mut state = State::new(Arc::new(options()));
    state.desire(&web(), Some(names(&["a"])));
    assert_eq!(next(&state), Step::Nothing);
    state.observe(Protocol::Layer2, Event::Synced);
    assert_eq!(next(&state), Step::Nothing);
    assert_eq!(state.observe(Protocol::Bgp, Event::Synced), [web()]);
    assert_eq!(next(&state), Step::Create);
}

#[test]
fn nothing_goes_before_it_is_known_what_is_desired() {
    let mut state = state(None, &[object("bgp-x", "old", &["a"])]);
    state.settled.remove(&Protocol::Bgp);
    assert_eq!(next(&state), Step::Nothing);
}

#[test]
fn an_object_that_changes_its_service_concerns_both() {
    let mut state = state(Some(&["a"]), &[object("bgp-x", "me", &["a"])]);
    let mut moved = object("bgp-x", "me", &["a"]);
    moved.service.1 = "other".into();
    let concerned = state.observe(Protocol::Bgp, Event::Set(moved));
    assert_eq!(concerned.len(), 2);
    assert_eq!(next(&state), Step::Create);
    assert!(
        state
            .observe(Protocol::Bgp, Event::Gone(String::new(), "unknown".into()))
            .is_empty()
    );
}

#[test]
fn a_service_that_moves_from_bgp_to_layer_2_is_swept_all_the_same() {
    let mut state = State::new(Arc::new(options()));
    let key = (Protocol::Layer2, web().1);
    state.desire(&web(), Some(names(&["a"])));
    state.desire(&key, Some(Vec::new()));
    state.desire(&web(), None);
    state.observe(Protocol::Layer2, Event::Synced);
    let ours = Protocol::Layer2.name(NODE, &key.1);
    state.observe(Protocol::Layer2, Event::Set(object(&ours, "me", &[])));
    assert_eq!(state.step(&key), Step::Sweep);
    state.desire(&key, None);
    assert!(state.begun.is_empty());
}

#[test]
fn nothing_is_written_in_a_kind_that_is_gone() {
    let mut state = state(Some(&["a"]), &[]);
    let gone = Error::not_installed("servicebgpstatuses.metallb.io", "v1beta1");
    assert!(
        state
            .observe(Protocol::Bgp, Event::Trouble(gone))
            .is_empty()
    );
    assert_eq!(next(&state), Step::Nothing);
    assert_eq!(state.observe(Protocol::Bgp, Event::Well), [web()]);
    assert_eq!(next(&state), Step::Create);
    assert!(state.observe(Protocol::Bgp, Event::Well).is_empty());
}

#[test]
fn the_same_again_is_no_work() {
    let mut state = State::new(Arc::new(options()));
    assert!(state.desire(&web(), Some(names(&["a"]))));
    assert!(!state.desire(&web(), Some(names(&["a"]))));
    assert!(state.desire(&web(), None));
    assert!(!state.desire(&web(), None));
}

/// A server that fails every other time and loses answers, but keeps what it is told.
#[tokio::test(start_paused = true)]
async fn it_converges_through_faults() {
    let objects: Arc<Mutex<BTreeMap<String, Value>>> = Arc::default();
    let served = Arc::clone(&objects);
    let serve = move |asked: &Asked, number: usize| {
        let mut objects = served.lock().expect("whole");
        let last = asked
            .path
            .trim_end_matches("/status")
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let name = asked.body["metadata"]["name"]
            .as_str()
            .unwrap_or(last)
            .to_owned();
        if asked.is_watch() {
            return Answer::Watch(Vec::new(), End::Silent);
        }
        match asked.method.as_str() {
            "GET" if asked.is_list() => return page("1", None, &[]),
            "GET" => {}
            "POST" if objects.contains_key(&name) => return refused(409, "exists"),
            "POST" => drop(objects.insert(name.clone(), asked.body.clone())),
            "PATCH" => {
                let Some(object) = objects.get_mut(&name) else {
                    return refused(404, "none");
                };
                object["status"] = asked.body["status"].clone();
            }
            _ => drop(objects.remove(&name)),
        }
        match number % 3 {
            0 => Answer::Broken,
            1 => Answer::Silence,
            _ => objects.get(&name).map_or_else(
                || Answer::Json(200, json!({})),
                |object| Answer::Json(200, object.clone()),
            ),
        }
    };
    let (cluster, _) = cluster(serve);
    let keeper = ServiceStatuses::start(&cluster, options(), &CancellationToken::new());
    keeper.bgp_settled();
    for n in 0..20 {
        keeper.bgp(
            ServiceKey::new("shop", format!("s{n}")),
            &[PeerName::from("a")],
        );
    }
    let full = || {
        let objects = objects.lock().expect("whole");
        objects.len() == 20
            && objects
                .values()
                .all(|object| object["status"]["peers"] == json!(["a"]))
    };
    let begun = tokio::time::Instant::now();
    while !full() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(
            begun.elapsed() < Duration::from_secs(3600),
            "{:#?}",
            objects.lock().expect("whole")
        );
    }
}
