// SPDX-License-Identifier: Apache-2.0
//! Everything a cluster holds that counts, listed once.

use std::sync::Arc;

use anyhow::anyhow;
use ferrolb_api::view::SecretView;
use ferrolb_config::{Config, extras::ignored, object::Object};
use ferrolb_kube_io::{Cluster, Error, Told, Watched, extras, watch};
use ferrolb_types::{Diagnostic, ObjectRef, Secret};
use futures::future::join_all;

use super::running::RIGHTS;
use crate::{
    cluster::refusals,
    intake::{Intake, Update},
};

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
    /// line on the error output says so. A kind that is not installed is a fault. Every other is needed.
    pub(super) async fn of(cluster: &Cluster) -> anyhow::Result<Self> {
        let lists =
            Watched::ALL.map(|kind| async move { (kind, watch::list(cluster, kind).await) });
        let mut gathered = Gathered::new(cluster.namespace());
        for (kind, listed) in join_all(lists).await {
            match readable(kind, listed)? {
                Kind::Listed(told) => told.into_iter().for_each(|one| gathered.take(one)),
                Kind::Hidden => gathered.are_secrets_hidden = true,
                Kind::NotInstalled(why) => gathered.faults.push(*why),
            }
        }
        gathered.look_for_extras(cluster).await;
        Ok(gathered.compile())
    }
}

/// What was listed so far.
struct Gathered {
    intake: Intake,
    updates: Vec<Update>,
    faults: Vec<Diagnostic>,
    are_secrets_hidden: bool,
    /// In place of the Secrets that peers refer to.
    stand_ins: Vec<Object>,
}

impl Gathered {
    fn new(namespace: &str) -> Self {
        Self {
            intake: Intake::new(namespace),
            updates: Vec::new(),
            faults: Vec::new(),
            are_secrets_hidden: false,
            stand_ins: Vec::new(),
        }
    }

    /// Whoever may not look is not told: nothing of what follows depends on it.
    async fn look_for_extras(&mut self, cluster: &Cluster) {
        if let Ok(true) = extras::look(cluster).await {
            self.faults.push(ignored(cluster.namespace()));
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Apply(object, _) => {
                self.stand_ins.extend(stand_in(&object));
                self.updates.extend(self.intake.apply(object));
            }
            Told::Broken(object, _, why) => {
                self.intake.refuse(object, (*why).clone());
                self.faults.push(*why);
            }
            _ => {}
        }
    }

    fn compile(mut self) -> Listed {
        if self.are_secrets_hidden {
            eprintln!("warning: Secrets may not be read: passwords of peers are not judged");
            for secret in std::mem::take(&mut self.stand_ins) {
                self.updates.extend(self.intake.apply(secret));
            }
        }
        let config = self.intake.compile().unwrap_or_default();
        let mut faults = self.faults;
        faults.extend(config.diagnostics().chain(&config.warnings).cloned());
        faults.sort_by(|a, b| (a.severity, &a.object).cmp(&(b.severity, &b.object)));
        faults.dedup();
        Listed {
            updates: self.updates,
            config,
            faults,
        }
    }
}

/// What there is of a kind.
enum Kind {
    Listed(Vec<Told>),
    /// It is kept from whoever asks, and can be done without.
    Hidden,
    NotInstalled(Box<Diagnostic>),
}

fn readable(kind: Watched, listed: Result<Vec<Told>, Error>) -> anyhow::Result<Kind> {
    match listed {
        Err(error) if kind == Watched::Secrets && error.is_forbidden() => Ok(Kind::Hidden),
        Err(Error::NotInstalled(why)) => Ok(Kind::NotInstalled(why)),
        Err(error) => {
            let remedy = match error.is_forbidden() {
                true => RIGHTS,
                false => "see whether the API server is well, and try again",
            };
            let object = ObjectRef::new("list", "", kind.to_string());
            Err(anyhow!("{}", refusals::refused(object, &error, remedy)))
        }
        Ok(told) => Ok(Kind::Listed(told)),
    }
}

/// In place of the Secret that a peer refers to, one that has all a peer needs: a peer is not refused for
/// what cannot be seen.
fn stand_in(object: &Object) -> Option<Object> {
    let Object::BGPPeer(peer) = object else {
        return None;
    };
    let name = peer.spec.password_secret.as_ref()?.name.as_deref()?;
    Some(Object::Secret(Box::new(SecretView {
        namespace: peer.metadata.namespace.as_deref()?.into(),
        name: name.into(),
        kind: SECRET_TYPE.into(),
        password: Some(Secret::new(*b"unseen")),
    })))
}
