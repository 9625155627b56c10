// SPDX-License-Identifier: Apache-2.0
//! A speaker counts for the others once it can announce: until then one that can answers, without a gap.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};

use crate::{
    lab::{Lab, Rules},
    objects::{NAMESPACE, l2_ad, pools, served},
    seen,
    speaker::{self, Speaker, Start},
};

const WEB: [&str; 2] = ["192.0.2.201", "2001:db8:1::201"];
const NODES: [&str; 2] = ["n1", "n2"];

/// Ends the questions, also by a panic.
struct Done<'d>(&'d AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A client asks for the address again and again while something happens; somebody has to answer each time.
fn answered_throughout<T>(lab: &Lab, happens: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    let address = WEB[0].parse().unwrap();
    let ask = || {
        let mut answers = vec![seen::is_held_now(&lab.net, address)];
        while !done.load(Ordering::Relaxed) {
            answers.push(seen::is_held_now(&lab.net, address));
        }
        answers
    };
    thread::scope(|scope| {
        let asking = scope.spawn(ask);
        let ends = Done(&done);
        let happened = happens();
        drop(ends);
        let answers = asking.join().unwrap();
        let missed = answers.iter().filter(|is_held| !**is_held).count();
        assert_eq!(missed, 0, "of {} questions", answers.len());
        happened
    })
}

/// Lets speakers list these kinds besides those every one of them may.
fn permit(lab: &Lab, kinds: &[&str]) {
    let all = [
        &["ipaddresspools", "communities", "l2advertisements"],
        kinds,
    ]
    .concat();
    let change = json!([{"op": "replace", "path": "/rules/0/resources", "value": all}]);
    let change = change.to_string();
    let patch = [
        "patch",
        "role",
        "speaker",
        "-n",
        NAMESPACE,
        "--type=json",
        "-p",
        &change,
    ];
    lab.cluster.kubectl(&patch).unwrap();
}

fn living(status: &Value) -> Vec<&str> {
    let names = status["alive"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

#[test]
fn a_speaker_that_cannot_announce_yet_is_not_counted_on() {
    let Some(lab) = Lab::new(2, 0, &Rules::Ours) else {
        return;
    };
    lab.create_all(pools());
    lab.create(l2_ad("lan", json!({})));
    lab.create_all(served("web", &WEB, &["n1"]));
    let mut speakers = NODES.map(|node| lab.speak(node));
    for one in &speakers {
        one.await_alive_count(NODES.len());
    }
    let first = lab.await_some_holder(WEB[0]);
    lab.await_holder(WEB[0], Some(&first));
    if speakers[1].node() == first {
        speakers.reverse();
    }
    let [winner, other] = speakers;
    let winner = restarted(&lab, winner, &other);
    let winner = not_permitted(&lab, winner, &other);
    new_to_a_faulty_pool(&lab, winner, &other);
    let log = other.end();
    assert!(!log.contains("another station claims"), "{log}");
}

/// The elected node starts anew and takes its address back, in one step.
fn restarted(lab: &Lab, winner: Speaker, other: &Speaker) -> Speaker {
    let node = winner.node().to_owned();
    winner.end();
    lab.await_holder(WEB[0], Some(other.node()));
    answered_throughout(lab, || {
        let again = lab.speak(&node);
        lab.await_holder(WEB[0], Some(&node));
        again
    })
}

/// The elected node starts anew and may not list one of the kinds it needs.
fn not_permitted(lab: &Lab, winner: Speaker, other: &Speaker) -> Speaker {
    let node = winner.node().to_owned();
    winner.end();
    lab.await_holder(WEB[0], Some(other.node()));
    permit(lab, &["bgpadvertisements", "bgppeers"]);
    let pod = format!("speaker-{node}");
    let again = answered_throughout(lab, || {
        let again = lab.start(&node, &Start::of(&pod));
        again.await_status("it hears the other", |status| {
            living(status) == [other.node()]
        });
        let refused = || Ok(again.process.log().contains("forbidden"));
        let seen = again
            .process
            .wait_for("it is refused", crate::lab::PATIENCE, refused);
        seen.unwrap();
        let status = other.status().unwrap();
        assert_eq!(living(&status), [other.node()]);
        lab.await_holder(WEB[0], Some(other.node()));
        again
    });
    assert!(!again.is_ready());
    answered_throughout(lab, || {
        permit(lab, &["bgpadvertisements", "bgppeers", "bfdprofiles"]);
        let again = again.ready();
        lab.await_holder(WEB[0], Some(&node));
        again
    })
}

/// The elected node comes as a new Pod while the pool is faulty: it never saw a good version, and leaves the address
/// to the one that did.
fn new_to_a_faulty_pool(lab: &Lab, winner: Speaker, other: &Speaker) {
    let node = winner.node().to_owned();
    let [_, pool] = pools();
    let good = &pool["spec"]["addresses"];
    let mut faulty = good.as_array().cloned().unwrap();
    faulty.push(json!("192.0.2.99-192.0.2.90"));
    lab.change("IPAddressPool", "lan", json!({"addresses": faulty}));
    other.await_status("the pool is refused", |status| !faults(status).is_empty());
    winner.end();
    lab.await_holder(WEB[0], Some(other.node()));
    std::fs::remove_dir_all(lab.net.run().dir().join(format!("{node}-state"))).unwrap();
    let again = answered_throughout(lab, || {
        let again = lab.speak(&node);
        other.await_alive_count(NODES.len());
        again.await_status("it refuses the pool", |status| {
            speaker::service(status, "web")["layer2"] == "no (FLB-N005)"
        });
        lab.await_holder(WEB[0], Some(other.node()));
        again
    });
    answered_throughout(lab, || {
        lab.change("IPAddressPool", "lan", json!({"addresses": good}));
        lab.await_holder(WEB[0], Some(&node));
    });
    again.end();
}

fn faults(status: &Value) -> Vec<Value> {
    status["faults"].as_array().cloned().unwrap_or_default()
}
