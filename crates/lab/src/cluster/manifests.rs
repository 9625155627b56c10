// SPDX-License-Identifier: Apache-2.0
//! kubectl on a cluster: manifests applied as its administrator.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{ADMIN, Call, Cluster, PATIENCE};
use crate::{exec, wait};

/// The rules of MetalLB's own accounts, which our roles take over: namespace, accounts, roles, bindings.
pub const METALLB_RBAC: &str = include_str!("../../tests/fixtures/metallb-rbac.yaml");

/// A folder of our manifests, such as `base` or `overlays/without-webhooks`, for [`Cluster::install`].
#[must_use]
pub fn deploy(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(folder)
}

impl Cluster {
    /// Runs kubectl as the administrator and returns its output.
    ///
    /// # Errors
    /// It fails; the error holds what it said.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl_with_input(arguments, "")
    }

    /// The same, with something to read.
    ///
    /// # Errors
    /// It fails; the error holds what it said.
    pub fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = self.site.namespace.command(self.site.assets.kubectl());
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig(ADMIN)?)
            .arg("--cache-dir")
            .arg(self.site.dir.join("kubectl"))
            .args(arguments);
        exec::run_with_input(command, input, PATIENCE)?
            .success()
            .with_context(|| format!("kubectl {}", arguments.join(" ")))
    }

    /// Applies manifests at the server, refusing fields it does not know.
    ///
    /// # Errors
    /// One is refused; the error says why.
    pub fn apply(&self, yaml: &str) -> Result<String> {
        let arguments = ["apply", "--server-side", "--force-conflicts"];
        let arguments = [&arguments[..], &["--validate=strict", "-f", "-"]].concat();
        self.kubectl_with_input(&arguments, yaml)
    }

    /// Applies what kustomize makes of a folder, and waits until the API server serves its kinds.
    ///
    /// # Errors
    /// It cannot be rendered, or a part is refused.
    pub fn install(&self, folder: &Path) -> Result<()> {
        let folder = folder.to_string_lossy().into_owned();
        let rendered = self.kubectl(&["kustomize", &folder])?;
        self.apply(&rendered)?;
        self.wait_for_kinds()
    }

    /// Waits until every CustomResourceDefinition is served.
    ///
    /// # Errors
    /// One is not within the time a part may take to start.
    pub fn wait_for_kinds(&self) -> Result<()> {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        wait::until("all kinds are served", PATIENCE, || {
            let found = self.admin.call(&Call::get(path))?.ok()?;
            let found = found.pointer("/items").and_then(|items| items.as_array());
            Ok(found.is_some_and(|kinds| kinds.iter().all(established)))
        })?;
        Ok(())
    }
}

fn established(definition: &serde_json::Value) -> bool {
    let conditions = definition.pointer("/status/conditions");
    let conditions = conditions.and_then(|all| all.as_array());
    conditions.into_iter().flatten().any(|condition| {
        condition
            .pointer("/type")
            .is_some_and(|kind| kind == "Established")
            && condition
                .pointer("/status")
                .is_some_and(|status| status == "True")
    })
}
