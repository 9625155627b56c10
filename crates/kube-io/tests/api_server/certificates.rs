// SPDX-License-Identifier: Apache-2.0
//! Where the webhooks' certificates stand.

use std::time::Duration;

use ferrolb_kube_io::webhooks::{
    CertificateChange, CertificateNames, Injected, create_certificates, follow_certificates,
    inject_conversion, inject_webhooks, read_certificates, write_certificates,
};
use ferrolb_lab::cluster::Call;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{OURS, SOON, connect, done, roles, shared};

const CONFIGURATIONS: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const DEFINITION: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";
/// A PEM the API server takes: it reads it.
const CA: &str = include_str!("ca.pem");

fn webhook(name: &str) -> Value {
    json!({
        "name": name, "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Ignore",
        "clientConfig": { "service": { "name": "s", "namespace": OURS, "path": "/x" } },
        // Nothing this API server ever sees.
        "rules": [{ "apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["none"] }],
    })
}

async fn change(
    receiver: &mut mpsc::Receiver<Vec<CertificateChange>>,
    wanted: impl Fn(&CertificateChange) -> bool,
) {
    let seen = async {
        while let Some(batch) = receiver.recv().await {
            if batch.iter().any(&wanted) {
                return;
            }
        }
        panic!("nobody tells any more");
    };
    tokio::time::timeout(SOON, seen)
        .await
        .expect("told in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_read_written_and_followed() {
    let Some(lab) = shared() else { return };
    let cluster = connect(lab, roles::CONTROLLER).await;
    assert_eq!(
        read_certificates(&cluster, "webhook-cert").await.unwrap(),
        None
    );
    let stop = CancellationToken::new();
    let names = CertificateNames {
        secret: "webhook-cert".into(),
        configuration: "webhook-followed".into(),
        crd: "widgets.example.com".into(),
    };
    let mut changes = follow_certificates(&cluster, &names, &stop);
    change(&mut changes, |told| *told == CertificateChange::Looked).await;
    let path = format!("/api/v1/namespaces/{OURS}/secrets");
    done(
        lab,
        &Call::create(
            &path,
            json!({ "metadata": { "name": "webhook-cert", "labels": { "a": "b" } } }),
        ),
    );
    change(
        &mut changes,
        |told| matches!(told, CertificateChange::Secret(Some(secret)) if secret.data.is_empty()),
    )
    .await;

    let mut secret = read_certificates(&cluster, "webhook-cert")
        .await
        .unwrap()
        .unwrap();
    let empty = secret.clone();
    secret
        .data
        .insert("tls.crt".into(), b"not really\x00one".to_vec());
    let written = write_certificates(&cluster, "webhook-cert", &secret)
        .await
        .unwrap();
    assert_eq!(written.data, secret.data);
    assert_ne!(written.resource_version, secret.resource_version);
    change(&mut changes, |told| {
        *told == CertificateChange::Secret(Some(written.clone()))
    })
    .await;
    let late = write_certificates(&cluster, "webhook-cert", &empty).await;
    assert!(late.unwrap_err().is_conflict());
    let stands = done(lab, &Call::get(&format!("{path}/webhook-cert")));
    assert_eq!(stands["metadata"]["labels"]["a"], "b");

    let configuration = json!({ "metadata": { "name": "webhook-followed" }, "webhooks": [webhook("a.example.com")] });
    done(lab, &Call::create(CONFIGURATIONS, configuration));
    change(&mut changes, |told| {
        *told == CertificateChange::Configuration
    })
    .await;
    done(lab, &Call::delete(&format!("{path}/webhook-cert")));
    change(&mut changes, |told| {
        *told == CertificateChange::Secret(None)
    })
    .await;
    let create = async || create_certificates(&cluster, "webhook-cert", &secret.data).await;
    let created = create().await.unwrap();
    assert_eq!(created.data, secret.data);
    change(&mut changes, |told| {
        *told == CertificateChange::Secret(Some(created.clone()))
    })
    .await;
    assert!(create().await.unwrap_err().is_conflict());
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ca_goes_into_every_webhook() {
    let Some(lab) = shared() else { return };
    let cluster = connect(lab, roles::CONTROLLER).await;
    let name = "webhook-injected";
    let inject = || inject_webhooks(&cluster, name, CA.as_bytes());
    assert_eq!(inject().await.unwrap(), Injected::Missing);
    let webhooks = [webhook("a.example.com"), webhook("b.example.com")];
    done(
        lab,
        &Call::create(
            CONFIGURATIONS,
            json!({ "metadata": { "name": name }, "webhooks": webhooks }),
        ),
    );
    assert_eq!(inject().await.unwrap(), Injected::Written);
    assert_eq!(inject().await.unwrap(), Injected::Unchanged);
    let stands = done(lab, &Call::get(&format!("{CONFIGURATIONS}/{name}")));
    let bundles: Vec<&Value> = stands["webhooks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["clientConfig"]["caBundle"])
        .collect();
    assert!(bundles.len() == 2 && bundles[0] == bundles[1] && bundles[0].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ca_goes_into_the_conversion() {
    let Some(lab) = shared() else { return };
    let cluster = connect(lab, roles::CONTROLLER).await;
    let inject = || inject_conversion(&cluster, "widgets.example.com", CA.as_bytes());
    assert_eq!(inject().await.unwrap(), Injected::Missing);
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage,
            "schema": { "openAPIV3Schema": { "type": "object" } },
        })
    };
    let definition = json!({
        "metadata": { "name": "widgets.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": { "plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList" },
            "versions": [version("v1", false), version("v2", true)],
        },
    });
    done(
        lab,
        &Call::create(
            DEFINITION.trim_end_matches("/widgets.example.com"),
            definition,
        ),
    );
    assert_eq!(
        inject().await.unwrap(),
        Injected::Missing,
        "no conversion webhook"
    );
    let conversion = json!({ "spec": { "conversion": { "strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"],
        "clientConfig": { "service": { "name": "s", "namespace": OURS, "path": "/convert" } },
    }}}});
    done(lab, &Call::merge(DEFINITION, conversion));
    assert_eq!(inject().await.unwrap(), Injected::Written);
    // The API server works on the definition meanwhile.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(inject().await.unwrap(), Injected::Unchanged);
    done(lab, &Call::delete(DEFINITION));
}
