// SPDX-License-Identifier: Apache-2.0
//! Pods of ours: who owns what we write, and a question to each through the API server's proxy.

use std::{collections::BTreeMap, time::Duration};

use http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Cluster, Error, client::REQUEST, request};

/// An object that owns what we write, so that the garbage collector removes it with its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// API version of the owner.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// A Pod as far as it can be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodView {
    /// Its name.
    pub name: String,
    /// The node it runs on; empty while it is not scheduled.
    pub node: String,
    /// Its address; empty while it has none.
    pub address: String,
    /// Whether its condition `Ready` is `True`.
    pub ready: bool,
    /// Its ports that have names.
    pub ports: BTreeMap<String, u16>,
}

/// Where in a Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodPort {
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Its number.
    pub port: u16,
}

#[derive(Deserialize)]
struct Pods {
    #[serde(default)]
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Named,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    name: String,
    uid: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: String,
    containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    ports: Vec<Port>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    #[serde(default)]
    name: String,
    container_port: u16,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[serde(rename = "podIP")]
    pod_ip: String,
    phase: String,
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
}

#[derive(Deserialize)]
struct Anything {
    metadata: Named,
}

impl Cluster {
    /// Our own Pod as an owner.
    ///
    /// # Errors
    /// That it does not exist, may not be read, or nobody answers.
    pub async fn pod_owner(&self, name: &str) -> Result<Owner, Error> {
        self.owner("v1", "Pod", "pods", name).await
    }

    /// Our Deployment as an owner.
    ///
    /// # Errors
    /// That it does not exist, may not be read, or nobody answers.
    pub async fn deployment_owner(&self, name: &str) -> Result<Owner, Error> {
        self.owner("apps/v1", "Deployment", "deployments", name)
            .await
    }

    async fn owner(
        &self,
        api_version: &str,
        kind: &str,
        plural: &str,
        name: &str,
    ) -> Result<Owner, Error> {
        let path = request::object(api_version, Some(self.namespace()), plural, name);
        let found: Anything = self.call(request::get(path)?, REQUEST).await?;
        Ok(Owner {
            api_version: api_version.into(),
            kind: kind.into(),
            name: found.metadata.name,
            uid: found.metadata.uid,
        })
    }

    /// The Pods of our namespace that `selector` matches, without those that have come to their end.
    ///
    /// # Errors
    /// That they may not be listed, or nobody answers.
    pub async fn pods(&self, selector: &str) -> Result<Vec<PodView>, Error> {
        let path = request::collection("v1", Some(self.namespace()), "pods");
        let path = format!("{path}?labelSelector={}", request::escape(selector));
        let pods: Pods = self.call(request::get(path)?, REQUEST).await?;
        let ended = |pod: &Pod| matches!(&*pod.status.phase, "Succeeded" | "Failed");
        let live = pods.items.into_iter().filter(|pod| !ended(pod));
        Ok(live.map(view).collect())
    }

    /// A token of a ServiceAccount of our namespace, for `audience` alone and for so many seconds.
    ///
    /// # Errors
    /// That the account does not exist, no token may be asked for, or nobody answers.
    pub async fn token(
        &self,
        account: &str,
        audience: &str,
        seconds: u32,
    ) -> Result<String, Error> {
        let namespace = Some(self.namespace());
        let path = request::object("v1", namespace, "serviceaccounts", account);
        let order = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": { "audiences": [audience], "expirationSeconds": seconds },
        });
        let made: Value = self
            .call(request::post(format!("{path}/token"), &order)?, REQUEST)
            .await?;
        let token = made.pointer("/status/token").and_then(Value::as_str);
        let token = token.ok_or_else(|| Error::Answer("a TokenRequest without a token".into()))?;
        Ok(token.to_owned())
    }

    /// What a Pod of our namespace answers to a GET of `path` (with its `/`), through the API server,
    /// which passes `header` on.
    ///
    /// # Errors
    /// That the proxy may not be used, the Pod does not answer within `limit`, or answers with an error.
    pub async fn ask_pod(
        &self,
        pod: &str,
        port: PodPort,
        path: &str,
        header: (&'static str, &str),
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        let scheme = if port.tls { "https" } else { "http" };
        let target = format!("{scheme}:{pod}:{}", port.port);
        let pods = request::collection("v1", Some(self.namespace()), "pods");
        let target = format!("{pods}/{}/proxy{path}", request::escape(&target));
        let mut request = request::get(target)?;
        let value = HeaderValue::from_str(header.1)
            .map_err(|_| Error::Answer("a token that is no header".into()))?;
        request.headers_mut().insert(header.0, value);
        Ok(self.text(request, limit).await?.into_bytes())
    }
}

fn view(pod: Pod) -> PodView {
    let ready = |c: &Condition| c.type_ == "Ready" && c.status == "True";
    let ports = pod.spec.containers.into_iter().flat_map(|one| one.ports);
    let named = ports.filter(|port| !port.name.is_empty());
    PodView {
        ports: named.map(|port| (port.name, port.container_port)).collect(),
        name: pod.metadata.name,
        node: pod.spec.node_name,
        address: pod.status.pod_ip,
        ready: pod.status.conditions.iter().any(ready),
    }
}
