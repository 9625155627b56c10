// SPDX-License-Identifier: Apache-2.0
//! Everything a cluster holds that counts, listed once.

use std::sync::Arc;

use anyhow::Context as _;
use ferrolb_config::Config;
use ferrolb_kube_io::{Cluster, Told, Watched, watch};
use ferrolb_types::Diagnostic;
use futures::future::join_all;

use crate::intake::{Intake, Update};

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
        for (kind, listed) in join_all(lists).await {
            let told = match listed {
                Err(error) if kind == Watched::Secrets && error.is_forbidden() => {
                    eprintln!(
                        "warning: Secrets may not be read: passwords of peers are not judged"
                    );
                    continue;
                }
                listed => listed.with_context(|| format!("list of {kind}"))?,
            };
            for one in told {
                match one {
                    Told::Apply(object, _) => updates.extend(intake.apply(object)),
                    Told::Broken(_, why) => faults.push(*why),
                    _ => {}
                }
            }
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
