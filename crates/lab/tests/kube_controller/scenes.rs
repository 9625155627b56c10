// SPDX-License-Identifier: Apache-2.0
//! What takes its time, all at once: these wait for Leases, servers and processes most of it.

use std::thread;

use crate::{kills, leaders, outages};

/// A name, and what happens.
type Scene = (&'static str, fn());

const SCENES: [Scene; 7] = [
    ("another takes over", leaders::another_takes_over),
    ("one keeps the state", leaders::one_keeps_the_state),
    (
        "two processes of one host are two",
        leaders::two_processes_of_one_host_are_two,
    ),
    (
        "a Lease that is deleted costs nothing",
        leaders::a_lease_that_is_deleted_costs_nothing,
    ),
    (
        "a Lease that is deleted makes no second writer",
        leaders::a_lease_that_is_deleted_makes_no_second_writer,
    ),
    ("the API server fails", outages::the_api_server_fails),
    ("killed again and again", kills::killed_again_and_again),
];

#[test]
fn at_length() {
    let begin =
        |(name, scene): Scene| (name, thread::Builder::new().name(name.into()).spawn(scene));
    let running = SCENES.map(begin);
    let ended = running.map(|(name, scene)| (name, scene.unwrap().join().is_ok()));
    let failed: Vec<&str> = ended
        .iter()
        .filter(|(_, well)| !well)
        .map(|(name, _)| *name)
        .collect();
    assert!(failed.is_empty(), "{failed:?} failed, as told above");
}
