// SPDX-License-Identifier: Apache-2.0
//! An object that is broken while roles run: they go on with its last good version, and the commands, which
//! do not know it, say so.

use ferrolb_lab::cluster::Call;
use serde_json::json;

use super::stand::{OBSERVER, Stand, path};

const PEER: &str = "BGPPeer metallb-system/router";

/// Breaks the peer `router` whose session stands, looks, and mends it.
pub fn versions_are_told(stand: &Stand) {
    let peers = path("v1beta2", "bgppeers");
    let router = format!("{peers}/router");
    let change = |fields| drop(stand.done(&Call::merge(&router, json!({ "spec": fields }))));
    change(json!({ "holdTime": "1s" }));
    let says = |arguments: &[&str], words: &str| {
        stand.until(words, || {
            let said = stand.ferrolb(OBSERVER, arguments);
            (said.stdout + &said.stderr).contains(words)
        });
    };
    for node in ["n1", "n2"] {
        let words = format!("live: {node}: the last good version of {PEER} is in force");
        says(&["explain", "s0"], &words);
        says(
            &["explain", "s0"],
            &format!("live: {node}: session router is Established"),
        );
    }
    says(&["status"], "the last good version of it is in force");
    says(&["plan"], "`ferrolb status` says who does");
    change(json!({ "holdTime": null }));
    stand.until("it counts as it stands", || {
        !stand
            .ferrolb(OBSERVER, &["explain", "s0"])
            .stdout
            .contains("last good")
    });
}
