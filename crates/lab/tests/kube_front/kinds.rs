// SPDX-License-Identifier: Apache-2.0
//! Kinds that are not installed: every place says which one and how to get it, the roles do what they can
//! without it, and go on by themselves once it is there.

use ferrolb_lab::{
    Namespace,
    cluster::{Call, deploy},
};
use serde_json::{Value, json};

use super::{
    OURS, extras,
    stand::{OBSERVER, Stand, curl, path},
};

const OVERLAY: &str = "overlays/without-webhooks";
const CODE: &str = "FLB-T007 CustomResourceDefinition bgppeers.metallb.io: it is not installed";

#[test]
fn that_are_not_installed() {
    let Some(stand) = Stand::new(OVERLAY, 1, &[]) else {
        return;
    };
    stand.let_look(OBSERVER);
    stand.make_nodes();
    for plural in ["bgppeers", "servicebgpstatuses"] {
        uninstall(&stand, plural);
    }
    let pool = json!({ "addresses": ["not-an-address"] });
    stand.create("v1beta1", "IPAddressPool", "broken", pool);
    let controller = stand.start("controller", &stand.net.client, &[]);
    stand.ready(&controller);
    let node = stand.node("n1");
    let speaker = stand.start("speaker", node, &[]);
    let waits = "waiting for the first list of BGPPeer\n";
    stand.until("it waits for the kind alone", || {
        readyz(node.namespace()) == waits
    });
    let state = || state(&stand);
    stand.until("its ConfigurationState tells", || {
        let state = state();
        let said = state["errorSummary"].as_str().unwrap_or_default();
        state["result"] == "Unknown" && said.contains(CODE)
    });
    assert!(speaker.log().contains(CODE), "{}", speaker.log());
    stand.until("its log tells of a kind that nobody waits for", || {
        let definition = "FLB-T007 CustomResourceDefinition servicebgpstatuses.metallb.io";
        speaker.log().contains(definition)
    });
    people_are_told(&stand);

    let pools = path("v1beta1", "ipaddresspools");
    stand.done(&Call::delete(&format!("{pools}/broken")));
    stand.cluster.install(&deploy(OVERLAY)).unwrap();
    stand.ready(&speaker);
    stand.until("everything is well", || state()["result"] == "Valid");
    let said = stand.ferrolb(OBSERVER, &["check"]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    extras::are_told(&stand, &controller, OBSERVER);

    uninstall(&stand, "bgppeers");
    stand.until("it tells of one that goes", || {
        state()["errorSummary"].to_string().contains(CODE)
    });
    assert_eq!(readyz(node.namespace()), "ok\n", "it goes on");
}

/// `status` and `check` tell, with whatever else is wrong; what roles would do without the kind is nothing
/// to be planned or explained.
fn people_are_told(stand: &Stand) {
    for (command, status, others) in [
        (&["status"][..], 0, "speaker n1"),
        (&["check"], 1, "FLB-P004"),
        (&["plan"], 2, ""),
        (&["explain", "svc/web"], 2, ""),
    ] {
        let said = stand.ferrolb(OBSERVER, command);
        let text = said.stdout.clone() + &said.stderr;
        assert_eq!(said.status.code(), Some(status), "{command:?}: {said:?}");
        for words in ["FLB-T007", "bgppeers.metallb.io", "kubectl apply", others] {
            assert!(text.contains(words), "{command:?}: {words}: {text}");
        }
        assert!(!text.contains("404"), "{command:?}: {text}");
    }
}

fn uninstall(stand: &Stand, plural: &str) {
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let definition = format!("{definitions}/{plural}.metallb.io");
    stand.done(&Call::delete(&definition));
    stand.until("the definition is gone", || {
        stand.try_to(&Call::get(&definition)).code == 404
    });
}

fn readyz(host: &Namespace) -> String {
    curl(host, &["http://127.0.0.1:17472/readyz"]).stdout
}

/// The status of the speaker's ConfigurationState.
fn state(stand: &Stand) -> Value {
    let states = format!("/apis/metallb.io/v1beta1/namespaces/{OURS}/configurationstates");
    let mut state = stand.try_to(&Call::get(&format!("{states}/speaker-n1")));
    state.body["status"].take()
}
