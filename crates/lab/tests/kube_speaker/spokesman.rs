// SPDX-License-Identifier: Apache-2.0
//! A fault of the configuration is one Event, however many speakers see it; where the one that tells is
//! gone, another does.

use ferrolb_lab::wait;
use serde_json::json;

use crate::{
    lab::{Lab, PATIENCE, Rules},
    objects::{NAMESPACE, bgp_ad},
};

#[test]
fn one_speaker_tells_of_a_fault() {
    let Some(lab) = Lab::new(2, 0, &Rules::Ours) else {
        return;
    };
    let speakers = [lab.speak("n1"), lab.speak("n2")];
    speakers
        .iter()
        .for_each(|speaker| speaker.await_alive_count(2));
    fault(&lab, "one");
    await_states(&lab, &["speaker-n1", "speaker-n2"], "one");
    await_tellers(&lab, "one", &["n1"]);
    lab.settled();
    assert_eq!(
        tellers(&lab, "one"),
        ["n1"],
        "both speakers see it, one tells"
    );

    let [first, second] = speakers;
    first.end();
    second.await_alive_count(1);
    // The first may have gone before it told: nobody can know.
    await_tellers(&lab, "one", &["n1", "n2"]);
    fault(&lab, "two");
    await_tellers(&lab, "two", &["n2"]);
    second.end();
}

/// An advertisement that is refused.
fn fault(lab: &Lab, name: &str) {
    lab.create(bgp_ad(name, json!({ "communities": ["nonsense"] })));
}

fn await_states(lab: &Lab, names: &[&str], word: &str) {
    let told = |list: &[serde_json::Value]| {
        let tells = |name: &&str| {
            list.iter().any(|state| {
                let summary = state["status"]["errorSummary"].to_string();
                state["metadata"]["name"] == **name && summary.contains(word)
            })
        };
        names.iter().all(tells)
    };
    lab.await_list("each speaker knows", "ConfigurationState", told);
}

/// The hosts of the Events on an advertisement, one for each Event.
fn tellers(lab: &Lab, name: &str) -> Vec<String> {
    let events = lab.list("Event", NAMESPACE).into_iter();
    let ours = events.filter(|event| {
        event["involvedObject"]["name"] == name && event["reason"] == "ConfigurationError"
    });
    let mut hosts: Vec<String> = ours
        .map(|event| event["source"]["host"].as_str().unwrap().to_owned())
        .collect();
    hosts.sort();
    hosts
}

fn await_tellers(lab: &Lab, name: &str, expected: &[&str]) {
    let told = || Ok(tellers(lab, name) == expected);
    wait::until(&format!("{expected:?} told of {name}"), PATIENCE, told)
        .unwrap_or_else(|error| panic!("{error:#}: {:?}", tellers(lab, name)));
}
