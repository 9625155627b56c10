// SPDX-License-Identifier: Apache-2.0
//! Statuses of Services, under rules that grant a patch and under rules that do not.

use std::net::IpAddr;

use ferrolb_kube_io::{Gate, ServiceStatus, WriteFault, Writer, WriterOptions, Wrote};
use ferrolb_lab::cluster::{self as lab, Call};
use ferrolb_types::ServiceKey;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{SOON, connect, done, namespace, roles, service, shared};

const POOL: &str = "metallb.io/ip-allocated-from-pool";

struct Writing {
    lab: &'static lab::Cluster,
    namespace: &'static str,
    writer: Writer,
    wrote: mpsc::Receiver<Wrote>,
    stop: CancellationToken,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Writing {
    async fn begin(user: &str, name: &'static str) -> Option<Self> {
        let lab = shared()?;
        namespace(lab, name);
        let cluster = connect(lab, user).await;
        let stop = CancellationToken::new();
        let (writer, wrote) =
            Writer::start(&cluster, WriterOptions::default(), Gate::open(), &stop);
        Some(Self {
            lab,
            namespace: name,
            writer,
            wrote,
            stop,
        })
    }

    fn path(&self, name: &str) -> String {
        format!("/api/v1/namespaces/{}/services/{name}", self.namespace)
    }

    fn get(&self, name: &str) -> Value {
        done(self.lab, &Call::get(&self.path(name)))
    }

    fn decided(&self, on: &Value, addresses: &[&str]) -> ServiceStatus {
        let text = |key: &str| on["metadata"][key].as_str().unwrap();
        let ingress: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        ServiceStatus {
            key: ServiceKey::new(self.namespace, text("name")),
            uid: text("uid").into(),
            resource_version: text("resourceVersion").into(),
            pool: (!ingress.is_empty()).then(|| "web".into()),
            keep: on["status"]["loadBalancer"]["ingress"].is_array(),
            ingress,
            events: Vec::new(),
        }
    }

    async fn write(&mut self, status: ServiceStatus) -> Wrote {
        self.writer.service_status(status);
        tokio::time::timeout(SOON, self.wrote.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// The whole life of a status, the same under either rules.
    async fn life(&mut self) {
        let created = service(self.lab, self.namespace, "web");
        let wrote = self
            .write(self.decided(&created, &["192.0.2.7", "2001:db8::7"]))
            .await;
        let held = self.get("web");
        assert_eq!(
            wrote.result.as_deref(),
            Ok(held["metadata"]["resourceVersion"].as_str().unwrap())
        );
        assert_eq!(
            *wrote.sent_version,
            *created["metadata"]["resourceVersion"].as_str().unwrap()
        );
        let vip = |ip: &str| json!({ "ip": ip, "ipMode": "VIP" });
        assert_eq!(ingress(&held), [vip("192.0.2.7"), vip("2001:db8::7")]);
        assert_eq!(held["metadata"]["annotations"][POOL], "web");

        // What others put into an entry stays with its address.
        let proxied = json!({ "ip": "192.0.2.7", "ipMode": "Proxy", "ports": [{ "port": 80, "protocol": "TCP" }] });
        let entries = json!([proxied, vip("2001:db8::7"), { "hostname": "old.example" }]);
        let edit = json!({
            "metadata": { "annotations": { "other": "stays" } },
            "status": { "loadBalancer": { "ingress": entries } },
        });
        let edited = done(
            self.lab,
            &Call::merge(&format!("{}/status", self.path("web")), edit),
        );
        let wrote = self
            .write(self.decided(&edited, &["192.0.2.8", "192.0.2.7"]))
            .await;
        assert!(wrote.result.is_ok(), "{wrote:?}");
        let held = self.get("web");
        assert_eq!(ingress(&held), [vip("192.0.2.8"), proxied]);
        assert_eq!(held["metadata"]["annotations"]["other"], "stays");

        // Nothing to change: nothing is written.
        let wrote = self
            .write(self.decided(&held, &["192.0.2.8", "192.0.2.7"]))
            .await;
        assert_eq!(wrote.result, Ok(wrote.sent_version));
        assert_eq!(
            self.get("web")["metadata"]["resourceVersion"],
            held["metadata"]["resourceVersion"]
        );

        let wrote = self.write(self.decided(&created, &["192.0.2.9"])).await;
        assert_eq!(wrote.result, Err(WriteFault::Conflict));
        let mut on_old = self.decided(&created, &["192.0.2.9"]);
        on_old.keep = true;
        assert_eq!(self.write(on_old).await.result, Err(WriteFault::Conflict));

        let wrote = self.write(self.decided(&held, &[])).await;
        assert!(wrote.result.is_ok(), "{wrote:?}");
        let held = self.get("web");
        assert_eq!(held["status"]["loadBalancer"], json!({}));
        assert_eq!(held["metadata"]["annotations"][POOL], Value::Null);
        assert_eq!(held["metadata"]["annotations"]["other"], "stays");

        done(self.lab, &Call::delete(&self.path("web")));
        let wrote = self.write(self.decided(&held, &["192.0.2.9"])).await;
        assert_eq!(wrote.result, Err(WriteFault::Gone));
    }

    /// Verbs on the Services of this test.
    fn verbs(&self) -> Vec<String> {
        let all = self.lab.requests().unwrap();
        let ours = all.into_iter().filter(|one| {
            one.agent.starts_with("ferrolb-test/")
                && one.namespace == self.namespace
                && one.resource == "services"
        });
        ours.map(|one| one.verb).collect()
    }
}

fn ingress(service: &Value) -> Vec<Value> {
    service["status"]["loadBalancer"]["ingress"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_by_patch() {
    let Some(mut writing) = Writing::begin(roles::CONTROLLER, "by-patch").await else {
        return;
    };
    writing.life().await;
    assert!(!writing.verbs().contains(&"update".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_by_update_where_no_patch_is_granted() {
    let Some(mut writing) = Writing::begin(roles::OLD, "by-update").await else {
        return;
    };
    writing.life().await;
    let patches = writing
        .verbs()
        .iter()
        .filter(|verb| *verb == "patch")
        .count();
    assert_eq!(patches, 1, "tried once, then never again");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_is_granted() {
    let Some(mut writing) = Writing::begin(roles::SPEAKER, "by-nobody").await else {
        return;
    };
    let created = service(writing.lab, "by-nobody", "web");
    let wrote = writing
        .write(writing.decided(&created, &["192.0.2.7"]))
        .await;
    assert!(matches!(wrote.result, Err(WriteFault::Forbidden(why)) if why.contains("forbidden")));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once() {
    let Some(mut writing) = Writing::begin(roles::CONTROLLER, "many").await else {
        return;
    };
    let names: Vec<String> = (0..300).map(|n| format!("s{n}")).collect();
    let created: Vec<Value> = names
        .iter()
        .map(|name| service(writing.lab, "many", name))
        .collect();
    for (n, on) in created.iter().enumerate() {
        writing
            .writer
            .service_status(writing.decided(on, &[&format!("192.0.{}.{}", n / 256, n % 256)]));
    }
    for _ in 0..created.len() {
        let wrote = tokio::time::timeout(SOON, writing.wrote.recv())
            .await
            .unwrap()
            .unwrap();
        assert!(wrote.result.is_ok(), "{wrote:?}");
    }
    assert_eq!(writing.writer.backlog(), 0);
    let verbs = writing.verbs();
    assert_eq!(
        verbs.iter().filter(|verb| *verb == "patch").count(),
        300,
        "one request each"
    );
    assert!(!verbs.contains(&"get".to_owned()));
}
