// SPDX-License-Identifier: Apache-2.0
//! Whether somebody has configuration for FRR in the ConfigMap that MetalLB reads. Its text is not kept.

use std::collections::BTreeMap;

use ferrolb_config::extras::{KEY, NAME, says_something};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error, Told,
    client::REQUEST,
    reflect::{self, Event, Follow, Listed},
    request,
    source::Source,
};

/// The ConfigMap, as far as it matters.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Extras {
    metadata: Named,
    data: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    name: String,
    namespace: String,
    resource_version: String,
}

impl Extras {
    fn say_something(&self) -> bool {
        let text = self.data.as_ref().and_then(|data| data.get(KEY));
        text.is_some_and(|text| says_something(text))
    }
}

impl Listed for Extras {
    fn namespace(&self) -> &str {
        &self.metadata.namespace
    }

    fn name(&self) -> &str {
        &self.metadata.name
    }

    fn version(&self) -> &str {
        &self.metadata.resource_version
    }
}

/// Tells `out` of it, until `stop` or until nobody takes it any more. Nothing that matters waits for it:
/// who may not read it is not told of one.
pub(crate) fn spawn(cluster: &Cluster, out: mpsc::Sender<Vec<Told>>, stop: &CancellationToken) {
    let path = request::collection("v1", Some(cluster.namespace()), "configmaps");
    let selector = request::escape(&format!("metadata.name={NAME}"));
    let follow = Follow {
        source: Source::new(path, format!("fieldSelector={selector}")),
        decode: |text| serde_json::from_str::<Extras>(text).unwrap_or_default(),
        map: Box::new(told),
        what: "ConfigMap",
    };
    reflect::spawn(cluster, follow, out, stop);
}

fn told(event: Event<Extras>) -> Option<Told> {
    match event {
        Event::Set(extras) => Some(Told::Extras(extras.say_something())),
        Event::Gone(..) => Some(Told::Extras(false)),
        Event::Synced | Event::Trouble(_) => Some(Told::ExtrasKnown),
        Event::Well => None,
    }
}

/// Whether there is one that says something, once.
///
/// # Errors
/// That it may not be read, or nobody answers.
pub async fn look(cluster: &Cluster) -> Result<bool, Error> {
    let path = request::object("v1", Some(cluster.namespace()), "configmaps", NAME);
    match cluster.call::<Extras>(request::get(path)?, REQUEST).await {
        Ok(extras) => Ok(extras.say_something()),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}
