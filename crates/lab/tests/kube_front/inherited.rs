// SPDX-License-Identifier: Apache-2.0
//! Started as MetalLB's manifests start it, by MetalLB's name and under MetalLB's rules alone.

use ferrolb_lab::cluster::{ADMIN, Call, METALLB_RBAC};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::{
    OURS, extras,
    scraping::page_text,
    stand::{Stand, certificate_secret, token},
};

#[test]
fn from_metallb() {
    let Some(mut stand) = Stand::new("base", 1, &[]) else {
        return;
    };
    stand.by_name = true;
    let stand = stand;
    let host = stand.node("n1");
    its_rules_alone(&stand);
    // Nobody made the Secret, and nobody needs to.
    stand.done(&Call::delete(&certificate_secret()));
    let memberlist = ["--ml-secret-name=memberlist", "--deployment=controller"];
    let flags = [&["-port=9120", "-log-level=info"][..], &memberlist].concat();
    let controller = stand.controller(host, &flags);
    it_assigns(&stand);
    it_made_the_memberlist_secret(&stand);

    extras::are_told(&stand, &controller, ADMIN);

    let before = stand.certificates();
    stand.done(&Call::delete(&certificate_secret()));
    stand.until("the certificate is made anew", || {
        let now = stand.certificates();
        now["tls.crt"].is_string() && now != before
    });
    stand.called(&controller);

    let admin = token(&stand.cluster.kubeconfig(ADMIN).unwrap());
    let used = "metallb_allocator_addresses_in_use_total{pool=\"web\"} 1";
    stand.until("the metrics tell of the address", || {
        page_text(host, host, "metrics", &admin).contains(used)
    });
    let log = controller.log();
    let line: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    for key in ["ts", "level", "msg", "caller"] {
        assert!(line[key].is_string(), "{key}: {line}");
    }
}

/// Takes our own rules away.
fn its_rules_alone(stand: &Stand) {
    let cluster = &stand.cluster;
    cluster.apply(METALLB_RBAC).unwrap();
    let ours = [
        "clusterrolebinding/metallb-system:webhooks",
        "rolebinding/webhooks",
    ];
    let delete = [&["delete", "-n", OURS][..], &ours].concat();
    cluster.kubectl(&delete).unwrap();
    let controller = cluster.as_service_account(OURS, "controller").unwrap();
    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{OURS}/leases");
    stand.until("our rules hold no more", || {
        controller.call(&Call::get(&leases)).unwrap().code == 403
    });
}

fn it_assigns(stand: &Stand) {
    let addresses = json!({ "addresses": ["203.0.113.0/28"] });
    stand.create("v1beta1", "IPAddressPool", "web", addresses);
    stand.ask_for_an_address();
    stand.until("the Service has an address", || {
        let service = stand.done(&Call::get("/api/v1/namespaces/default/services/s0"));
        service["status"]["loadBalancer"]["ingress"][0]["ip"] == "203.0.113.0"
    });
}

fn it_made_the_memberlist_secret(stand: &Stand) {
    let secret = format!("/api/v1/namespaces/{OURS}/secrets/memberlist");
    let secret = stand.done(&Call::get(&secret));
    assert_eq!(
        secret["metadata"]["ownerReferences"][0]["kind"],
        "Deployment"
    );
    let key: ByteString = serde_json::from_value(secret["data"]["secretkey"].clone()).unwrap();
    assert_eq!(key.0.len(), 22, "16 bytes in base64 without padding");
}
