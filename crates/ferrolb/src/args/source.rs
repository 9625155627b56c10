// SPDX-License-Identifier: Apache-2.0
//! Where objects come from: a folder of manifests, or an API server.

use std::{io, path::PathBuf};

use clap::{ArgAction, Args};

use super::{Refusal, Surroundings, bad_value, excluded, missing};

/// The namespace MetalLB's manifests have.
const NAMESPACE: &str = "metallb-system";

/// The flags that say where objects come from, and which Services are ours.
#[derive(Clone, Debug, Default, Args)]
pub struct SourceFlags {
    /// Folder of manifests [default: an API server].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Folder of what is remembered [default with --dir: DIR/.ferrolb].
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The API server and how to log in [default: KUBECONFIG, the Pod, ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Namespace of the metallb.io objects [env: METALLB_NAMESPACE; default: that of the Pod, or
    /// metallb-system].
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Care for Services of this spec.loadBalancerClass alone; without it, for those without one.
    #[arg(long, value_name = "CLASS")]
    pub lb_class: Option<String>,
    /// Announce from nodes labelled node.kubernetes.io/exclude-from-external-load-balancers too.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", hide_default_value = true,
          value_parser = super::go::boolean, value_name = "BOOL")]
    pub ignore_exclude_lb: bool,
}

/// A folder or an API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceChoice {
    /// A folder of manifests.
    Folder(SourceArgs),
    /// An API server.
    Cluster(ClusterArgs),
}

/// A folder of manifests, and which Services are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceArgs {
    /// Folder of manifests.
    pub dir: PathBuf,
    /// Folder of the assigned addresses, where it is not `DIR/.ferrolb`.
    pub state_dir: Option<PathBuf>,
    /// Namespace of the `metallb.io` objects.
    pub namespace: String,
    /// The `loadBalancerClass` to care for; without one, the Services that name none.
    pub lb_class: Option<String>,
    /// Whether the label that takes a node out of load balancing counts for nothing.
    pub ignore_exclude_lb: bool,
}

impl SourceArgs {
    /// The state directory, named or by default.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.state_dir
            .clone()
            .unwrap_or_else(|| self.dir.join(".ferrolb"))
    }

    /// The refusal of a folder that cannot be read at the start, which is a mistake in the flag.
    pub(crate) fn unreadable(&self, error: &io::Error) -> Refusal {
        bad_value(
            "--dir",
            &self.dir.display().to_string(),
            &format!("the folder cannot be read: {error}"),
            "name a folder that is there and that this user may read",
        )
    }
}

/// An API server, and which Services are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterArgs {
    /// Named by `--kubeconfig`; without it `KUBECONFIG`, the Pod's own account and `~/.kube/config` are tried in this order.
    pub kubeconfig: Option<PathBuf>,
    /// Which context of it.
    pub context: Option<String>,
    /// Folder of the last good versions, where there is one.
    pub state_dir: Option<PathBuf>,
    /// Namespace of the `metallb.io` objects.
    pub namespace: String,
    /// The `loadBalancerClass` to care for; without one, the Services that name none.
    pub lb_class: Option<String>,
    /// Whether the label that takes a node out of load balancing counts for nothing.
    pub ignore_exclude_lb: bool,
}

impl SourceFlags {
    /// What a command that looks is to look at.
    ///
    /// # Errors
    /// Flags of both sources, or nothing that names either.
    pub fn choose(&self) -> Result<SourceChoice, Refusal> {
        self.choose_in(&Surroundings::of_process(), |flags, around| {
            Ok(flags
                .namespace(around)
                .unwrap_or_else(|| NAMESPACE.to_owned()))
        })
    }

    /// What a role is to serve: on an API server nobody guesses its namespace.
    pub(super) fn choose_to_serve(
        &self,
        around: &Surroundings<'_>,
    ) -> Result<SourceChoice, Refusal> {
        self.choose_in(around, |flags, around| {
            flags.namespace(around).ok_or_else(|| {
                let cause = "the namespace of the metallb.io objects is unknown: METALLB_NAMESPACE is \
                             not set, and this is no Pod with a service account";
                missing("--namespace", cause, "name it with --namespace")
            })
        })
    }

    fn choose_in(
        &self,
        around: &Surroundings<'_>,
        of_cluster: impl FnOnce(&Self, &Surroundings<'_>) -> Result<String, Refusal>,
    ) -> Result<SourceChoice, Refusal> {
        let lb_class = self.lb_class.clone().filter(|class| !class.is_empty());
        let Some(dir) = &self.dir else {
            self.need_a_cluster(around)?;
            return Ok(SourceChoice::Cluster(ClusterArgs {
                kubeconfig: self.kubeconfig(),
                context: self.context.clone(),
                state_dir: self.state_dir.clone(),
                namespace: of_cluster(self, around)?,
                lb_class,
                ignore_exclude_lb: self.ignore_exclude_lb,
            }));
        };
        self.refuse_cluster_flags()?;
        let named = around.or(self.namespace.as_ref(), "METALLB_NAMESPACE");
        Ok(SourceChoice::Folder(SourceArgs {
            dir: dir.clone(),
            state_dir: self.state_dir.clone(),
            namespace: named.unwrap_or_else(|| NAMESPACE.to_owned()),
            lb_class,
            ignore_exclude_lb: self.ignore_exclude_lb,
        }))
    }

    fn refuse_cluster_flags(&self) -> Result<(), Refusal> {
        match (&self.kubeconfig, &self.context) {
            (Some(_), _) => Err(excluded("--dir", "--kubeconfig")),
            (None, Some(_)) => Err(excluded("--dir", "--context")),
            (None, None) => Ok(()),
        }
    }

    fn need_a_cluster(&self, around: &Surroundings<'_>) -> Result<(), Refusal> {
        if self.kubeconfig().is_some() || around.knows_a_cluster() {
            return Ok(());
        }
        let cause = "neither a folder nor an API server is named, and this is no Pod";
        let remedy = "give a folder of manifests with --dir, or an API server with --kubeconfig";
        Err(missing("--dir or --kubeconfig", cause, remedy))
    }

    /// Go's flags know no absence: an empty one is none.
    fn kubeconfig(&self) -> Option<PathBuf> {
        let named = self.kubeconfig.clone();
        named.filter(|path| !path.as_os_str().is_empty())
    }

    fn namespace(&self, around: &Surroundings<'_>) -> Option<String> {
        around
            .or(self.namespace.as_ref(), "METALLB_NAMESPACE")
            .or_else(|| around.pod_namespace())
    }
}
