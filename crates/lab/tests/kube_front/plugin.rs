// SPDX-License-Identifier: Apache-2.0
//! The program as a plugin of kubectl, with the flags that kubectl's users have in their fingers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ferrolb_lab::exec;
use serde_json::Value;

use super::{
    OURS, SOON,
    canary::Heard,
    stand::{OBSERVER, Stand},
};

/// `kubectl ferrolb …`, with kubectl's own idea of where the cluster is.
pub fn answers(stand: &Stand, heard: &mut Heard) {
    let plugin = stand.called_as("kubectl-ferrolb");
    let folder = plugin.parent().unwrap().display().to_string();
    let kubectl = stand.cluster.programs().kubectl();
    let here = stand.net.client.namespace();
    let config = stand.cluster.kubeconfig(OBSERVER).unwrap();
    let in_ours = in_namespace(&config, OURS);
    let mut run = |config: &Path, arguments: &[&str]| {
        let mut command: Command = here.command(&kubectl);
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{folder}:{path}"))
            .env("KUBECONFIG", config)
            .arg("ferrolb")
            .args(arguments);
        let said = exec::run(command, SOON).unwrap();
        heard.all([said.stdout.clone(), said.stderr.clone()]);
        said.stdout + &said.stderr
    };
    for (arguments, words) in [
        (&["status"][..], "speaker n2"),
        (&["status", "-n", OURS], "speaker n2"),
        (&["explain", "s0"], "203.0.113.0"),
        (&["plan"], "default/s0"),
        (&["--help"], "kubectl ferrolb"),
    ] {
        let said = run(&config, arguments);
        assert!(said.contains(words), "{arguments:?}: {words}: {said}");
    }
    // A Service is looked for where kubectl would look for it.
    for (arguments, words) in [
        (&["explain", "svc/s0", "-n", "default"][..], "203.0.113.0"),
        (&["explain", "s0", "--namespace=default"], "203.0.113.0"),
        (
            &["explain", "s0"],
            "Service metallb-system/s0: the cluster has no such Service",
        ),
    ] {
        let said = run(&in_ours, arguments);
        assert!(said.contains(words), "{arguments:?}: {words}: {said}");
    }
}

/// The same kubeconfig with another namespace in its context.
fn in_namespace(config: &Path, namespace: &str) -> PathBuf {
    let mut kubeconfig: Value = serde_json::from_str(&fs::read_to_string(config).unwrap()).unwrap();
    kubeconfig["contexts"][0]["context"]["namespace"] = namespace.into();
    let path = config.with_extension(namespace);
    fs::write(&path, kubeconfig.to_string()).unwrap();
    path
}
