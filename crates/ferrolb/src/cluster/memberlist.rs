// SPDX-License-Identifier: Apache-2.0
//! The Secret that MetalLB's speakers share, for whoever goes on using those. It is made beside everything
//! else: nothing here depends on it, so nothing waits for it or ends for want of it.

use ferrolb_kube_io::{Cluster, Error, status::memberlist_secret};
use ferrolb_types::{Diagnostic, ObjectRef, codes::state::T009};
use tokio_util::sync::CancellationToken;

use super::patiently;
use crate::args::ClusterController;

/// Makes the Secret, where the flags ask for one.
pub(super) fn start(cluster: &Cluster, args: &ClusterController, stop: &CancellationToken) {
    let Some(name) = args.memberlist_secret.clone() else {
        return;
    };
    let (cluster, deployment) = (cluster.clone(), args.deployment.clone());
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            made = make(&cluster, &name, deployment.as_deref()) => tell(&cluster, &name, made),
        }
    });
}

async fn make(cluster: &Cluster, name: &str, deployment: Option<&str>) -> Result<bool, Error> {
    let owner = match deployment {
        Some(deployment) => Some(patiently(|| cluster.deployment_owner(deployment)).await?),
        None => None,
    };
    patiently(|| memberlist_secret(cluster, name, owner.as_ref())).await
}

fn tell(cluster: &Cluster, name: &str, made: Result<bool, Error>) {
    match made {
        Ok(true) => tracing::info!(secret = name, "memberlist Secret made"),
        Ok(false) => {}
        Err(error) => {
            let object = ObjectRef::new("Secret", cluster.namespace(), name);
            let cause = format!("it cannot be made: {error}");
            let remedy = "leave out --ml-secret-name, for the Secret serves MetalLB's speakers alone; or \
                          grant the controller `get` of it and of its own Deployment, and `create` of \
                          secrets";
            let warning = Diagnostic::error(T009, object, cause, remedy).warning();
            tracing::warn!("{warning}");
        }
    }
}
