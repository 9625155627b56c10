// SPDX-License-Identifier: Apache-2.0
//! A controller with no more than the security context of its Deployment leaves it: nobody's user, no
//! capability, and a root folder that cannot be written.

use ferrolb_lab::{
    cluster::{ADMIN, Call},
    confine::Confines,
};
use serde_json::json;

use super::{
    scraping::page_text,
    stand::{Stand, token},
};

/// As in `deploy/base/controller.yaml`, which is compared below.
const POD: Confines = Confines {
    user: 65534,
    capabilities: "-all",
};
const MANIFEST: &str = include_str!("../../../../deploy/base/controller.yaml");

#[test]
fn a_controller_assigns_and_serves() {
    let Some(stand) = Stand::new("base", 1, &[]) else {
        return;
    };
    for words in [
        "runAsUser: 65534\n",
        "readOnlyRootFilesystem: true\n",
        "drop:\n            - ALL\n        volumeMounts:",
    ] {
        assert!(MANIFEST.contains(words), "{words}");
    }
    let host = stand.node("n1");
    let controller = stand.start_within(Some(&POD), "controller", host, &[]);
    stand.ready(&controller);
    assert!(POD.hold(&controller, 0).unwrap());
    stand.endpoint(host);
    stand.called(&controller);
    stand.create(
        "v1beta1",
        "IPAddressPool",
        "web",
        json!({ "addresses": ["203.0.113.0/28"] }),
    );
    stand.ask_for_an_address();
    let service = Call::get("/api/v1/namespaces/default/services/s0");
    stand.until("it assigns", || {
        stand.done(&service)["status"]["loadBalancer"]["ingress"][0]["ip"].is_string()
    });
    let admin = token(&stand.cluster.kubeconfig(ADMIN).unwrap());
    stand.until("its metrics tell of it", || {
        page_text(host, host, "metrics", &admin).contains("in_use_total{pool=\"web\"} 1")
    });
    let state = stand
        .cluster
        .dir()
        .join("state-controller-n1/last-good.json");
    stand.until("it remembers", || state.exists());
    let log = controller.log();
    for word in ["denied", "not permitted", "Read-only"] {
        assert!(!log.contains(word), "{log}");
    }
}
