// SPDX-License-Identifier: Apache-2.0
//! The API server away, its history forgotten, its store gone: a cluster of its own.

use std::{collections::BTreeMap, time::Duration};

use ferrolb_config::object::Object;
use ferrolb_kube_io::{Gate, ServiceStatus, Told, Watched, Writer, WriterOptions, watch};
use ferrolb_lab::cluster::{Call, able};
use ferrolb_types::ServiceKey;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{SOON, connect, done, namespace, roles, service, start, told_until};

fn path(name: &str) -> String {
    format!("/api/v1/namespaces/outages/services/{name}")
}

/// What a follower knows of the Services in `outages`: their versions.
#[derive(Default)]
struct Known {
    services: BTreeMap<String, String>,
    told: usize,
}

impl Known {
    fn take(&mut self, told: &Told) {
        match told {
            Told::Apply(Object::Service(view), meta) if view.key.namespace() == "outages" => {
                self.told += 1;
                self.services.insert(
                    view.key.name().to_owned(),
                    meta.resource_version.to_string(),
                );
            }
            Told::Delete(object) if object.namespace == "outages" => {
                self.told += 1;
                self.services.remove(&object.name);
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_differences_are_told_after_an_outage() {
    if !able(&[]).unwrap() {
        return;
    }
    let lab = start();
    namespace(&lab, "outages");
    for n in 0..50 {
        service(&lab, "outages", &format!("s{n}"));
    }
    let cluster = connect(&lab, roles::CONTROLLER).await;
    let stop = CancellationToken::new();
    let mut told = watch::follow(&cluster, &[Watched::Services], &stop);
    let mut known = Known::default();
    let synced = Told::Synced(Watched::Services);
    told_until(&mut told, |one| {
        known.take(one);
        *one == synced
    })
    .await;
    assert_eq!((known.services.len(), known.told), (50, 50));
    let (writer, mut wrote) =
        Writer::start(&cluster, WriterOptions::default(), Gate::open(), &stop);

    // Away, and back with every version we hold too old: 410 Gone on the watch.
    known.told = 0;
    lab.stop_api().unwrap();
    let status = ServiceStatus {
        key: ServiceKey::new("outages", "s7"),
        uid: "".into(),
        resource_version: known.services["s7"].as_str().into(),
        ingress: vec![[192, 0, 2, 7].into()],
        pool: Some("web".into()),
        keep: false,
        events: Vec::new(),
    };
    writer.service_status(status);
    told_until(&mut told, |one| matches!(one, Told::Trouble(..))).await;
    lab.compact().unwrap();
    lab.start_api().unwrap();
    // Written while nobody could watch, or just after: told all the same, once each.
    done(&lab, &Call::delete(&path("s1")));
    done(&lab, &Call::delete(&path("s2")));
    service(&lab, "outages", "s2");
    done(
        &lab,
        &Call::merge(
            &path("s3"),
            json!({ "metadata": { "labels": { "a": "b" } } }),
        ),
    );
    service(&lab, "outages", "new");
    let written = tokio::time::timeout(SOON, wrote.recv())
        .await
        .expect("in time")
        .expect("alive");
    assert!(
        written.result.is_ok(),
        "tried until it went through: {written:?}"
    );
    let truth = || -> BTreeMap<String, String> {
        let list = done(&lab, &Call::get(path("").trim_end_matches('/')));
        let items = list["items"].as_array().unwrap().clone();
        let text = |item: &serde_json::Value, key: &str| {
            item["metadata"][key].as_str().unwrap().to_owned()
        };
        items
            .iter()
            .map(|item| (text(item, "name"), text(item, "resourceVersion")))
            .collect()
    };
    let truth = truth();
    told_until(&mut told, |one| {
        known.take(one);
        known.services == truth
    })
    .await;
    let quiet = tokio::time::timeout(Duration::from_secs(2), told.recv()).await;
    if let Ok(Some(more)) = quiet {
        more.iter().for_each(|one| known.take(one));
    }
    assert_eq!(known.services, truth);
    // Four Services changed in five steps, one was written to.
    assert!((4..=7).contains(&known.told), "{}", known.told);

    // The store restarted: nothing changed, nothing is told.
    known.told = 0;
    lab.restart_etcd().unwrap();
    service(&lab, "outages", "last");
    told_until(&mut told, |one| {
        known.take(one);
        known.services.contains_key("last")
    })
    .await;
    assert_eq!(known.told, 1);
    stop.cancel();
}
