// SPDX-License-Identifier: Apache-2.0
//! Where the programs of Kubernetes lie: `KUBEBUILDER_ASSETS`, or what `hack/kube/build` made.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::require;

/// The versions the programs are built from.
const GO_MOD: &str = include_str!("../../../../hack/kube/go.mod");

/// What every cluster needs.
const NEEDED: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];

/// What runs the controllers, which a folder made for others may lack.
pub const CONTROLLERS: &str = "kube-controller-manager";

/// What a cluster needs beside Kubernetes itself.
const TOOLS: [&str; 2] = ["curl", "setpriv"];

/// The folder of the programs.
#[derive(Clone, Debug)]
pub struct Assets {
    dir: PathBuf,
}

/// Whether a test with a cluster can run here, with the named programs too ([`CONTROLLERS`] is one);
/// prints what is missing.
///
/// # Errors
/// Something is missing and `CI=true`: there, a test that cannot run has failed.
pub fn able(programs: &[&str]) -> Result<bool> {
    let assets = Assets::find()?;
    let path = |name: &&str| match *name {
        CONTROLLERS => assets.program(name).to_string_lossy().into_owned(),
        name => name.to_owned(),
    };
    let needed = NEEDED.map(|name| assets.program(name).to_string_lossy().into_owned());
    let wanted: Vec<String> = programs
        .iter()
        .chain(&TOOLS)
        .map(path)
        .chain(needed)
        .collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    require::able(&wanted)
}

impl Assets {
    /// The folder that `KUBEBUILDER_ASSETS` names if it holds what it must, else the cache of
    /// `hack/kube/build`, whether anything is there or not.
    ///
    /// # Errors
    /// The user has no home.
    pub fn find() -> Result<Self> {
        if let Some(dir) = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from)
            && NEEDED.iter().all(|name| dir.join(name).is_file())
        {
            return Ok(Self { dir });
        }
        if let Some(dir) = env::var_os("FERROLB_KUBE_CACHE") {
            return Ok(Self { dir: dir.into() });
        }
        let caches = match env::var_os("XDG_CACHE_HOME") {
            Some(dir) => PathBuf::from(dir),
            None => Path::new(&env::var_os("HOME").context("HOME is not set")?).join(".cache"),
        };
        let dir = caches.join("ferrolb/kube").join(version()?);
        Ok(Self { dir })
    }

    /// The folder itself.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The path of a program.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The path of kubectl.
    #[must_use]
    pub fn kubectl(&self) -> PathBuf {
        self.program("kubectl")
    }
}

/// The version of Kubernetes that `hack/kube` builds.
fn version() -> Result<&'static str> {
    GO_MOD
        .lines()
        .filter_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "))
        .next()
        .context("hack/kube/go.mod names no version of k8s.io/kubernetes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_that_is_built() {
        assert!(version().unwrap().starts_with("v1."));
    }
}
