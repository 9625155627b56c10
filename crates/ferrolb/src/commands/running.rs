// SPDX-License-Identifier: Apache-2.0
//! What the running processes of a folder or a cluster say of themselves.
//!
//! On a folder they answer on their sockets. In a cluster they are asked through the API server's
//! `pods/proxy`, with a token that is good for nothing else (see [`crate::serve`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use ferrolb_kube_io::{Cluster, Error, PodPort, PodView};
use futures::{StreamExt as _, stream, try_join};
use serde_json::Value;

use crate::{
    serve::{STATUS_AUDIENCE, STATUS_TOKEN},
    status::{Report, socket},
};

/// The ServiceAccount whose tokens the processes let pass.
const ACCOUNT: &str = "ferrolb-status";
/// The Pods of each role, as the manifests label them and as MetalLB's Helm chart does.
const SPEAKERS: [&str; 2] = [
    "app=metallb,component=speaker",
    "app.kubernetes.io/component=speaker",
];
const CONTROLLERS: [&str; 2] = [
    "app=metallb,component=controller",
    "app.kubernetes.io/component=controller",
];
/// The port of the metrics, where they tell of their state too: its name in the manifests, and its usual
/// number.
const PORT: (&str, u16) = ("metricshttps", 9120);
/// Shortest life of a token that an API server grants.
const SECONDS: u32 = 600;
/// What gives the rights that are needed.
pub(super) const RIGHTS: &str =
    "whoever looks needs the ClusterRole and the Role ferrolb-observer of the manifests";
/// What gives the account whose tokens the processes let pass.
const PEOPLE: &str = "apply deploy/base/rbac-people.yaml of the manifests";
/// Processes asked at a time.
const AT_ONCE: usize = 32;
/// How long one process may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process, and what it says, or why it says nothing.
pub(super) struct Running {
    /// The path of its socket, or its Pod and node.
    pub(super) place: String,
    pub(super) answer: Result<Value, String>,
}

impl Running {
    /// Its report, as far as it is one of this version.
    pub(super) fn report(&self) -> Result<Report, String> {
        let value = self.answer.clone()?;
        serde_json::from_value(value)
            .map_err(|error| format!("a report of another version: {error}"))
    }
}

/// The processes behind these sockets.
pub(super) fn on_sockets(sockets: &[PathBuf]) -> Asked {
    let ask = |path: &PathBuf| Running {
        place: path.display().to_string(),
        answer: socket::ask(path).map_err(|error| error.to_string()),
    };
    Asked {
        running: sockets.iter().map(ask).collect(),
        speakers: None,
    }
}

/// Everybody who was asked, and the nodes that have a speaker Pod, where that is known.
pub(super) struct Asked {
    pub(super) running: Vec<Running>,
    speakers: Option<BTreeSet<String>>,
}

impl Asked {
    /// Whether it is known that no speaker Pod is on this node.
    pub(super) fn lacks_speaker(&self, node: &str) -> bool {
        let known = self.speakers.as_ref();
        known.is_some_and(|known| !known.contains(node))
    }
}

/// The processes of a cluster, or why nobody can be asked.
pub(super) async fn in_pods(cluster: &Cluster) -> Asked {
    let listed = try_join!(pods(cluster, SPEAKERS), pods(cluster, CONTROLLERS));
    let (speakers, controllers) = match listed {
        Ok(pods) => pods,
        Err(error) => {
            return Asked {
                running: vec![nobody("the Pods cannot be listed", &error)],
                speakers: None,
            };
        }
    };
    let nodes = speakers.values().map(|pod| pod.node.clone()).collect();
    let pods: Vec<PodView> = controllers
        .into_iter()
        .chain(speakers)
        .map(|(_, pod)| pod)
        .collect();
    Asked {
        running: everybody(cluster, &pods).await,
        speakers: Some(nodes),
    }
}

/// The Pods that any of these selectors matches, by name: manifests put on one another label a Pod twice.
async fn pods(cluster: &Cluster, selectors: [&str; 2]) -> Result<BTreeMap<String, PodView>, Error> {
    let [ours, charts] = selectors;
    let (ours, charts) = try_join!(cluster.pods(ours), cluster.pods(charts))?;
    let pods = ours.into_iter().chain(charts);
    Ok(pods.map(|pod| (pod.name.clone(), pod)).collect())
}

/// What these Pods say, or why they cannot be asked.
async fn everybody(cluster: &Cluster, pods: &[PodView]) -> Vec<Running> {
    let token = match cluster.token(ACCOUNT, STATUS_AUDIENCE, SECONDS).await {
        Ok(token) => token,
        Err(error) if error.is_not_found() => {
            let why = format!("there is no ServiceAccount {ACCOUNT} ({PEOPLE})");
            return vec![nobody(&why, &error)];
        }
        Err(error) => {
            let why = format!("no token of the ServiceAccount {ACCOUNT} is given");
            return vec![nobody(&why, &error)];
        }
    };
    stream::iter(pods)
        .map(|pod| ask(cluster, pod, &token))
        .buffered(AT_ONCE)
        .collect()
        .await
}

async fn ask(cluster: &Cluster, pod: &PodView, token: &str) -> Running {
    let (name, usual) = PORT;
    let port = PodPort {
        tls: true,
        port: pod.ports.get(name).copied().unwrap_or(usual),
    };
    let header = (STATUS_TOKEN, token);
    let answer = cluster
        .ask_pod(&pod.name, port, "/status", header, PATIENCE)
        .await;
    Running {
        place: format!("pod {} on {}", pod.name, or_nowhere(&pod.node)),
        answer: answer
            .map_err(|error| error.to_string())
            .and_then(|bytes| read(&bytes)),
    }
}

fn read(bytes: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Null) => Err("it has no time to say anything".to_owned()),
        Ok(report) => Ok(report),
        Err(_) => Err("its answer is no report".to_owned()),
    }
}

fn or_nowhere(node: &str) -> &str {
    if node.is_empty() { "no node" } else { node }
}

/// Nobody could be asked. Who lacks a right is told which, and where it is given.
fn nobody(why: &str, error: &Error) -> Running {
    let remedy = if error.is_forbidden() || error.is_not_found() {
        format!("; {RIGHTS}")
    } else {
        String::new()
    };
    Running {
        place: "every process".to_owned(),
        answer: Err(format!("{why}: {error}{remedy}")),
    }
}
