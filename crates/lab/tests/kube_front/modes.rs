// SPDX-License-Identifier: Apache-2.0
//! The two halves of a controller apart, and a certificate that is somebody else's business.

use std::{fs, thread, time::Duration};

use ferrolb_lab::{Process, cluster::Call, topology::Host};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::{
    OURS,
    stand::{Stand, certificate_secret, code, curl, health, path},
    tls::{self, Pair},
};

const SERVICE: &str = "/api/v1/namespaces/default/services/s0";
const CONFIGURATION: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration";
const DEFINITION: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io";

#[test]
fn of_the_webhooks() {
    let Some(stand) = Stand::new("base", 2, &[]) else {
        return;
    };
    let (hooks, assigns) = (stand.node("n1"), stand.node("n2"));
    let only = stand.controller(hooks, &["--webhook-mode=onlywebhook"]);
    let addresses = json!({ "addresses": ["203.0.113.0/28"] });
    stand.create("v1beta1", "IPAddressPool", "web", addresses);
    stand.ask_for_an_address();
    it_assigns_nothing(&stand);

    let without = stand.start("controller", assigns, &["--webhook-mode=disabled"]);
    stand.ready(&without);
    stand.until("the other half assigns", || address(&stand).is_string());
    let url = format!("https://{}:9443/convert", assigns.v4());
    assert_eq!(code(assigns.namespace(), &["-k", &url]), 0, "no listener");
    assert!(stand.is_called());
    it_ends_last(&stand, hooks, &only);
    drop(without);
    the_certificate_is_somebody_elses(&stand, hooks);
}

/// Told to end, a controller is not ready any more and answers webhooks until the API server may know.
fn it_ends_last(stand: &Stand, host: &Host, only: &Process) {
    only.signal("TERM").unwrap();
    stand.until("it is not ready", || {
        health(host.namespace(), "/readyz") == 503
    });
    assert!(stand.is_called(), "the webhooks are answered meanwhile");
    let ended = only.terminate(Duration::from_secs(10)).unwrap();
    assert!(ended.success(), "{ended}");
    assert!(!stand.is_called());
}

fn address(stand: &Stand) -> Value {
    let service = stand.done(&Call::get(SERVICE));
    service["status"]["loadBalancer"]["ingress"][0]["ip"].clone()
}

fn it_assigns_nothing(stand: &Stand) {
    let state = format!("{}/controller", path("v1beta1", "configurationstates"));
    stand.until("the ConfigurationState is there", || {
        stand.try_to(&Call::get(&state)).code == 200
    });
    // Long enough for a role that would assign.
    thread::sleep(Duration::from_secs(2));
    assert!(address(stand).is_null());
    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{OURS}/leases");
    let leases = stand.done(&Call::get(&leases));
    assert_eq!(leases["items"], json!([]), "it stands for no election");
    let state = stand.done(&Call::get(&state));
    let result = state["status"]["result"].as_str().unwrap_or("Unknown");
    assert_eq!(result, "Unknown");
}

/// `--disable-cert-rotation`: the files are served as they are, and again when they are replaced; the
/// Secret and the `caBundle` are left alone.
fn the_certificate_is_somebody_elses(stand: &Stand, host: &Host) {
    let before = stand.done(&Call::get(&certificate_secret()));
    let dir = stand.cluster.dir().join("webhook-cert");
    let (first, second) = (Pair::new(tls::NAME, 2090), Pair::new(tls::NAME, 2091));
    let folder = format!("--cert-dir={}", dir.display());
    let controller = stand.start("controller", host, &["--disable-cert-rotation", &folder]);
    let waits = "waiting for the webhooks' certificate\n";
    stand.until("it waits for the certificate alone", || {
        curl(host.namespace(), &["http://127.0.0.1:17472/readyz"]).stdout == waits
    });
    first.mount(&dir, "1");
    stand.ready(&controller);
    trust(stand, &first);
    stand.called(&controller);
    second.mount(&dir, "2");
    let authority = stand.cluster.dir().join("second.pem");
    fs::write(&authority, &second.authority).unwrap();
    stand.until("the new certificate is served", || {
        tls::is_trusted(host.namespace(), host, tls::NAME, 9443, &authority)
    });
    trust(stand, &second);
    stand.called(&controller);
    let after = stand.done(&Call::get(&certificate_secret()));
    assert_eq!(
        after["metadata"]["resourceVersion"],
        before["metadata"]["resourceVersion"]
    );
}

/// Puts the authority where cert-manager would.
fn trust(stand: &Stand, pair: &Pair) {
    let bundle = json!(ByteString(pair.authority.clone().into_bytes()));
    let mut webhooks = stand.done(&Call::get(CONFIGURATION))["webhooks"].clone();
    for webhook in webhooks.as_array_mut().unwrap() {
        webhook["clientConfig"]["caBundle"] = bundle.clone();
    }
    stand.done(&Call::merge(CONFIGURATION, json!({ "webhooks": webhooks })));
    let config = json!({ "clientConfig": { "caBundle": bundle } });
    let conversion = json!({ "spec": { "conversion": { "webhook": config } } });
    stand.done(&Call::merge(DEFINITION, conversion));
}
