// SPDX-License-Identifier: Apache-2.0
//! The roles that run on an API server.
//!
//! ```text
//!                 ┌──────────── controller ────────────┐
//!  watches ─told─►│ assigning (1 task): Objects, Engine │─► writer ──► services/status, then Events
//!  lease ─leads──►│                                     │─► pool statuses, ConfigurationState
//!                 └─────────────────────────────────────┘
//!                 ┌───────────── speaker ───────────────┐
//!  watches ─told─►│ announcing (1 task): Objects, World │─► layer 2 task, BGP task, heartbeat task
//!  drivers ─heard►│                                     │─► ServiceL2Status, ServiceBGPStatus, Events
//!                 └─────────────────────────────────────┘
//!  beside both: health, metrics and (controller) webhooks, each a listener of its own
//! ```
//!
//! The task in the middle waits for no API call: everything towards the API server is handed over, and
//! a server that does not answer changes nothing of what is announced.

mod announcing;
mod assigning;
mod controller;
mod faults;
mod memberlist;
mod memory;
mod monitor;
mod objects;
pub(crate) mod refusals;
mod report;
mod reviews;
mod sessions;
mod speaker;
mod unanswered;
mod version;
mod webhooks;

use std::time::{Duration, Instant};

use anyhow::anyhow;
use ferrolb_kube_io::{Cluster, Connection, Error, Owner};
use ferrolb_types::ObjectRef;
use tokio_util::sync::CancellationToken;

use crate::args::{ClusterArgs, ClusterController, ClusterRole, ClusterSpeaker};

/// Runs the controller until it is told to end.
///
/// # Errors
/// What keeps it from starting: no API server in reach, no such Pod, a port that is taken.
pub(crate) fn controller(args: ClusterController) -> anyhow::Result<()> {
    run(|stop| controller::run(args, stop))
}

/// Runs the speaker until it is told to end.
///
/// # Errors
/// As [`controller`], and sockets that cannot be opened.
pub(crate) fn speaker(args: ClusterSpeaker) -> anyhow::Result<()> {
    run(|stop| speaker::run(args, stop))
}

fn run<F: Future<Output = anyhow::Result<()>>>(
    role: impl FnOnce(CancellationToken) -> F,
) -> anyhow::Result<()> {
    crate::roles::run_to_end(async {
        let stop = CancellationToken::new();
        crate::roles::end_on_signal(&stop)?;
        role(stop).await
    })
}

/// The API server, once it answers.
pub(crate) async fn connect(args: &ClusterArgs, who: &str) -> anyhow::Result<Cluster> {
    let cluster = way(args, who).await?;
    let greeted = greet(&cluster).await;
    greeted.map_err(|error| anyhow!("{}", refusals::unanswered(args, &error)))?;
    Ok(cluster)
}

/// The way to the API server, whether it answers or not.
async fn way(args: &ClusterArgs, who: &str) -> anyhow::Result<Cluster> {
    let connection = Connection {
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        namespace: args.namespace.clone(),
        user_agent: format!("ferrolb-{who}/{}", env!("CARGO_PKG_VERSION")),
    };
    let cluster = Cluster::connect(&connection).await;
    cluster.map_err(|error| anyhow!("{}", refusals::no_way(args, &error)))
}

async fn greet(cluster: &Cluster) -> Result<(), Error> {
    let version = cluster.version().await?;
    tracing::info!(%version, namespace = cluster.namespace(), "API server");
    Ok(())
}

/// Asks the API server until it answers, however long it is away. A refusal is an answer, but for one
/// that has just started: it refuses everybody until it knows its rules.
async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    ask: impl Fn() -> F,
) -> Result<T, Error> {
    const PAUSE: Duration = Duration::from_secs(1);
    const RULES: Duration = Duration::from_secs(30);
    let mut said = false;
    let mut refused = None;
    loop {
        let error = match ask().await {
            Err(error) if error.is_passing() => error,
            Err(error) if error.is_forbidden() => {
                let since: &mut Instant = refused.get_or_insert_with(Instant::now);
                if since.elapsed() > RULES {
                    return Err(error);
                }
                error
            }
            answer => return answer,
        };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(%error, "the API server does not answer as it should; asking again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The own Pod, which owns what is written about this process; outside a Pod there is none.
async fn owner(cluster: &Cluster, role: &ClusterRole) -> anyhow::Result<Option<Owner>> {
    let Some(pod) = &role.pod else {
        return Ok(None);
    };
    let owner = patiently(|| cluster.pod_owner(pod)).await;
    let owner = owner.map_err(|error| {
        let object = ObjectRef::new("Pod", cluster.namespace(), pod.as_str());
        let remedy = "name the Pod that this process runs in with --pod-name, or leave the flag and \
                      METALLB_POD_NAME out; the account needs the right to get it, as the manifests \
                      give it";
        anyhow!("{}", refusals::refused(object, &error, remedy))
    })?;
    Ok(Some(owner))
}

/// Waits until the API server answers; gives the own Pod. Whoever restarts while the API server is away
/// is alive and not ready until then.
async fn answered(cluster: &Cluster, role: &ClusterRole) -> anyhow::Result<Option<Owner>> {
    let greeted = patiently(|| greet(cluster)).await;
    greeted.map_err(|error| anyhow!("{}", refusals::unanswered(&role.source, &error)))?;
    owner(cluster, role).await
}
