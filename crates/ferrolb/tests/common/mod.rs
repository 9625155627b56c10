// SPDX-License-Identifier: Apache-2.0
//! The built program in a folder of its own: commands that end, and roles that run.
//!
//! Every wait is bounded and generous, and ends as soon as what is waited for is there.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

pub mod running;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_ferrolb");

/// How long anything may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// What it printed with `-o json`.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Runs the program to its end, with nothing of this environment.
pub fn ferrolb(arguments: &[&str]) -> Ran {
    ran(Command::new(PROGRAM)
        .args(arguments)
        .env_remove("METALLB_NAMESPACE")
        .env_remove("METALLB_NODE_NAME")
        .env_remove("METALLB_BGP_TYPE")
        .env_remove("KUBECONFIG")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .env_remove("HOME"))
}

/// Runs a prepared command to its end.
pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Asks until there is an answer.
///
/// # Panics
/// There is none in time.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A folder of manifests with a state directory beside it, both gone at the end.
pub struct Folder {
    root: tempfile::TempDir,
    state: PathBuf,
}

impl Folder {
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("flbp").tempdir().unwrap();
        fs::create_dir(root.path().join("m")).unwrap();
        let state = root.path().join("s");
        Self { root, state }
    }

    /// With the state inside the folder of manifests, as it is by default.
    pub fn state_inside(self) -> Self {
        let state = self.manifests().join(".ferrolb");
        Self { state, ..self }
    }

    /// With these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    /// What lies around the folder.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn manifests(&self) -> PathBuf {
        self.root.path().join("m")
    }

    pub fn state(&self) -> PathBuf {
        self.state.clone()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.manifests().join(name)
    }

    /// Puts a file in the place of the old one at once, as a careful editor does.
    pub fn write(&self, name: &str, text: &str) {
        let next = self.root.path().join("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, self.file(name)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    /// Runs a command on folder and state.
    pub fn run(&self, command: &str, arguments: &[&str]) -> Ran {
        let (manifests, state) = (self.manifests(), self.state());
        let mut all = vec![command];
        all.extend(["--dir", manifests.to_str().unwrap()]);
        all.extend(["--state-dir", state.to_str().unwrap()]);
        all.extend(arguments);
        ferrolb(&all)
    }

    /// `ferrolb status` of whoever runs on the folder.
    pub fn run_status(&self, arguments: &[&str]) -> Ran {
        let state = self.state();
        let mut all = vec!["status", "--state-dir", state.to_str().unwrap()];
        all.extend(arguments);
        ferrolb(&all)
    }

    /// `ferrolb check` on the folder, its path left out of the answer.
    pub fn check(&self, arguments: &[&str]) -> Ran {
        let path = self.manifests();
        let path = path.to_str().unwrap();
        let mut all = vec!["check", path];
        all.extend(arguments);
        let ran = ferrolb(&all);
        Ran {
            out: ran.out.replace(&format!("{path}/"), ""),
            ..ran
        }
    }

    /// Who holds what, as the state file has it; nothing while there is none.
    pub fn held(&self) -> Held {
        let text = fs::read_to_string(self.state().join("addresses")).unwrap_or_default();
        held(&text)
    }

    /// Waits until the state file says that these Services hold one address each.
    pub fn await_held(&self, services: &[&str]) -> Held {
        eventually(&format!("addresses of {services:?}"), || {
            let held = self.held();
            services
                .iter()
                .all(|service| held.contains_key(*service))
                .then_some(held)
        })
    }
}

/// Addresses by `namespace/name`.
pub type Held = BTreeMap<String, String>;

/// Reads the `address` lines of a state file, independently of the program.
pub fn held(text: &str) -> Held {
    let line = |line: &str| {
        let mut words = line.split(' ');
        (words.next() == Some("address")).then_some(())?;
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// A pool in `metallb-system`.
pub fn pool(name: &str, addresses: &str) -> String {
    format!(
        "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: {name}\nspec:\n  addresses:\n  - {addresses}\n---\n"
    )
}

/// A Service in `default` that wants an address.
pub fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  type: LoadBalancer\n  ports:\n  - port: 80\n---\n"
    )
}

/// A Node.
pub fn node(name: &str) -> String {
    format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n---\n")
}

/// The serving endpoint of a Service, on a node.
pub fn endpoints(service: &str, node: &str) -> String {
    format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: {service}-1\n  labels:\n    kubernetes.io/service-name: {service}\naddressType: IPv4\nports:\n- port: 80\nendpoints:\n- addresses: [10.0.0.1]\n  nodeName: {node}\n  conditions: {{ready: true}}\n---\n"
    )
}

/// An announcement in layer 2 of every pool.
pub fn layer2() -> String {
    "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata:\n  name: all\n---\n"
        .to_owned()
}

/// A router, and an announcement of every pool to it.
pub fn router(name: &str, address: &str) -> String {
    format!(
        "apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata:\n  name: {name}\nspec:\n  myASN: 64501\n  peerASN: 64500\n  peerAddress: {address}\n---\napiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata:\n  name: all\n---\n"
    )
}
