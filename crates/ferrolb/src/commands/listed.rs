// SPDX-License-Identifier: Apache-2.0
//! Everything a cluster holds that counts, listed once.

use std::sync::Arc;

use anyhow::Context as _;
use ferrolb_api::view::SecretView;
use ferrolb_config::{Config, object::Object};
use ferrolb_kube_io::{Cluster, Error, Told, Watched, watch};
use ferrolb_types::{Diagnostic, Secret};
use futures::future::join_all;

use super::running::RIGHTS;
use crate::intake::{Intake, Update};

/// The type that Secrets of peers have.
const SECRET_TYPE: &str = "kubernetes.io/basic-auth";

/// What a cluster holds.
pub(super) struct Listed {
    /// Everything but the configuration.
    pub(super) updates: Vec<Update>,
    /// The configuration.
    pub(super) config: Arc<Config>,
    /// What is refused or doubtful in it, and what may not be read, errors first.
    pub(super) faults: Vec<Diagnostic>,
}

impl Listed {
    /// Lists every kind. Secrets may be kept from whoever asks: then passwords cannot be judged, and a
    /// line on the error output says so. Every other kind is needed.
    pub(super) async fn of(cluster: &Cluster) -> anyhow::Result<Self> {
        let mut intake = Intake::new(cluster.namespace());
        let (mut updates, mut faults) = (Vec::new(), Vec::new());
        let lists =
            Watched::ALL.map(|kind| async move { (kind, watch::list(cluster, kind).await) });
        let (mut secrets, mut are_hidden) = (Vec::new(), false);
        for (kind, listed) in join_all(lists).await {
            let Some(told) = readable(kind, listed)? else {
                are_hidden = true;
                continue;
            };
            for one in told {
                match one {
                    Told::Apply(object, _) => {
                        secrets.extend(stand_in(&object, cluster.namespace()));
                        updates.extend(intake.apply(object));
                    }
                    Told::Broken(_, why) => faults.push(*why),
                    _ => {}
                }
            }
        }
        if are_hidden {
            eprintln!("warning: Secrets may not be read: passwords of peers are not judged");
            updates.extend(secrets.into_iter().filter_map(|one| intake.apply(one)));
        }
        let config = intake.compile().unwrap_or_default();
        faults.extend(config.diagnostics().chain(&config.warnings).cloned());
        faults.sort_by(|a, b| (a.severity, &a.object).cmp(&(b.severity, &b.object)));
        faults.dedup();
        Ok(Self {
            updates,
            config,
            faults,
        })
    }
}

/// What was listed of a kind; nothing where it is kept from whoever asks and can be done without.
fn readable(kind: Watched, listed: Result<Vec<Told>, Error>) -> anyhow::Result<Option<Vec<Told>>> {
    match listed {
        Err(error) if kind == Watched::Secrets && error.is_forbidden() => Ok(None),
        Err(error) if error.is_forbidden() => {
            Err(error).context(format!("list of {kind}; {RIGHTS}"))
        }
        Err(error) if error.is_not_found() => Err(error).context(format!(
            "list of {kind}; the cluster may lack the kind: `ferrolb crds` prints its definition"
        )),
        listed => listed.map(Some).with_context(|| format!("list of {kind}")),
    }
}

/// In place of the Secret that a peer refers to, one that has all a peer needs: a peer is not refused for
/// what cannot be seen.
fn stand_in(object: &Object, namespace: &str) -> Option<Object> {
    let Object::BGPPeer(peer) = object else {
        return None;
    };
    let name = peer.spec.password_secret.as_ref()?.name.as_deref()?;
    Some(Object::Secret(Box::new(SecretView {
        namespace: namespace.into(),
        name: name.into(),
        kind: SECRET_TYPE.into(),
        password: Some(Secret::new(*b"unseen")),
    })))
}
