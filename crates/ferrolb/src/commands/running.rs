// SPDX-License-Identifier: Apache-2.0
//! What the running processes of a folder or a cluster say of themselves.
//!
//! On a folder they answer on their sockets. In a cluster they are asked through the API server's
//! `pods/proxy`, with a token that is good for nothing else (see [`crate::serve`]).

use std::{path::PathBuf, time::Duration};

use ferrolb_kube_io::{Cluster, PodPort, PodView};
use futures::future::join_all;
use serde_json::Value;

use crate::{
    serve::{STATUS_AUDIENCE, STATUS_TOKEN},
    status::{Report, socket},
};

/// The ServiceAccount whose tokens the processes let pass.
const ACCOUNT: &str = "ferrolb-status";
/// The Pods of both roles, as the manifests label them.
const PODS: &str = "app=metallb,component in (controller,speaker)";
/// The port of the metrics, where they tell of their state too.
const PORT: PodPort = PodPort {
    tls: true,
    port: 9120,
};
/// Shortest life of a token that an API server grants.
const SECONDS: u32 = 600;
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
pub(super) fn on_sockets(sockets: &[PathBuf]) -> Vec<Running> {
    let ask = |path: &PathBuf| Running {
        place: path.display().to_string(),
        answer: socket::ask(path).map_err(|error| error.to_string()),
    };
    sockets.iter().map(ask).collect()
}

/// The processes of a cluster.
pub(super) async fn in_pods(cluster: &Cluster) -> Vec<Running> {
    let pods = match cluster.pods(PODS).await {
        Ok(pods) => pods,
        Err(error) => return vec![silent("pods", &error)],
    };
    let token = match cluster.token(ACCOUNT, STATUS_AUDIENCE, SECONDS).await {
        Ok(token) => token,
        Err(error) => return vec![silent(&format!("token of {ACCOUNT}"), &error)],
    };
    join_all(pods.iter().map(|pod| ask(cluster, pod, &token))).await
}

async fn ask(cluster: &Cluster, pod: &PodView, token: &str) -> Running {
    let header = (STATUS_TOKEN, token);
    let answer = cluster
        .ask_pod(&pod.name, PORT, "/status", header, PATIENCE)
        .await;
    let answer = match answer {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    Running {
        place: format!("pod {} on {}", pod.name, pod.node),
        answer,
    }
}

fn silent(what: &str, error: &ferrolb_kube_io::Error) -> Running {
    Running {
        place: what.to_owned(),
        answer: Err(error.to_string()),
    }
}
