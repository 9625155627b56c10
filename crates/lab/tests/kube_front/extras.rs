// SPDX-License-Identifier: Apache-2.0
//! MetalLB's ConfigMap with configuration for FRR: it is told of wherever people look, what is in it never
//! is, and it keeps nothing else from working.

use ferrolb_lab::{Process, cluster::Call};
use serde_json::{Value, json};

use super::{
    OURS,
    stand::{Stand, path},
};

const CODE: &str = "FLB-X013 ConfigMap metallb-system/bgpextras";
const PASSWORD: &str = "hunter2";

/// Puts one there while a controller runs, sees `user` told of it, and takes it away.
pub fn are_told(stand: &Stand, controller: &Process, user: &str) {
    let maps = format!("/api/v1/namespaces/{OURS}/configmaps");
    let text = format!("router bgp 64500\n neighbor 192.0.2.1 password {PASSWORD}\n");
    let map = json!({ "metadata": { "name": "bgpextras" }, "data": { "extras": text } });
    stand.done(&Call::create(&maps, map));
    stand.until("the ConfigurationState tells", || {
        condition(stand)["message"].to_string().contains(CODE)
    });
    let state = condition(stand);
    assert_eq!(
        (&state["status"], &state["reason"]),
        (&json!("True"), &json!("Reconciled"))
    );
    assert!(controller.log().contains(CODE));
    for command in ["status", "check"] {
        let said = stand.ferrolb(user, &[command]);
        let said = said.stdout + &said.stderr;
        assert!(
            said.contains("FLB-X013") && !said.contains(PASSWORD),
            "{said}"
        );
    }
    assert!(!controller.log().contains(PASSWORD));
    stand.done(&Call::delete(&format!("{maps}/bgpextras")));
    stand.until("nothing is told any more", || {
        condition(stand)["message"] == ""
    });
    let said = stand.ferrolb(user, &["check"]);
    assert!(!said.stdout.contains("FLB-X013"), "{said:?}");
}

/// What the controller's ConfigurationState says of a configuration that is in use.
fn condition(stand: &Stand) -> Value {
    let state = format!("{}/controller", path("v1beta1", "configurationstates"));
    let mut state = stand.try_to(&Call::get(&state)).body;
    state["status"]["conditions"][0].take()
}
