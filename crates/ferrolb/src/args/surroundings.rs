// SPDX-License-Identifier: Apache-2.0
//! What the process finds around itself besides its flags: environment variables and the files of a Pod.

use std::path::Path;

/// The namespace of the Pod this process runs in, where it runs in one.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Environment variables and the files of a Pod. An empty variable counts as none.
pub struct Surroundings<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    namespace_file: &'a Path,
}

impl Surroundings<'_> {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Surroundings {
            variable: &|name| std::env::var(name).ok(),
            namespace_file: Path::new(NAMESPACE_FILE),
        }
    }

    #[cfg(test)]
    pub(super) fn of<'a>(
        variable: &'a dyn Fn(&str) -> Option<String>,
        namespace_file: &'a Path,
    ) -> Surroundings<'a> {
        Surroundings {
            variable,
            namespace_file,
        }
    }

    /// An environment variable.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// A flag, or else the variable. An empty flag counts as none.
    pub(super) fn or(&self, flag: Option<&String>, variable: &str) -> Option<String> {
        let given = flag.filter(|value| !value.is_empty());
        given.cloned().or_else(|| self.variable(variable))
    }

    /// The namespace of the own Pod.
    pub(super) fn pod_namespace(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.namespace_file).ok()?;
        let name = text.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Whether something says where an API server is: the same places, in the same order, that
    /// client-go looks at behind `--kubeconfig`.
    pub(super) fn knows_a_cluster(&self) -> bool {
        let at_home = || {
            let home = self.variable("HOME")?;
            Some(Path::new(&home).join(".kube/config").is_file())
        };
        self.variable("KUBECONFIG").is_some()
            || self.variable("KUBERNETES_SERVICE_HOST").is_some()
            || at_home().unwrap_or(false)
    }
}
