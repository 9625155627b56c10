// SPDX-License-Identifier: Apache-2.0
//! A speaker of a node, started as its DaemonSet starts it, with the token of its ServiceAccount.

use std::{ffi::OsString, time::Duration};

use ferrolb_lab::{
    Namespace, Process,
    cluster::{ADMIN, Call},
    confine::Confines,
    process::Spec,
    tools,
    topology::Host,
    wait,
};
use serde_json::Value;

use crate::{
    lab::{Lab, PATIENCE},
    objects::{NAMESPACE, path},
};

/// A running speaker.
pub struct Speaker {
    pub process: Process,
    namespace: Namespace,
    token: String,
}

/// How a speaker is started.
#[derive(Clone, Debug)]
pub struct Start<'s> {
    /// Its Pod.
    pub pod: &'s str,
    /// Whether the Pod is created, if it is not there.
    pub creates_pod: bool,
    /// The name of its Node, where it is not its host's.
    pub node: Option<&'s str>,
    /// Flags beside those of the DaemonSet.
    pub flags: &'s [&'s str],
    /// More of its environment.
    pub environment: &'s [(&'s str, &'s str)],
    /// Whether it may do no more than in its Pod.
    pub confines: Option<Confines>,
}

impl Lab {
    /// Starts the speaker of a node, and waits until it is ready.
    pub fn speak(&self, node: &str) -> Speaker {
        let pod = format!("speaker-{node}");
        self.start(node, &Start::of(&pod)).ready()
    }

    /// Starts one in its own way, and does not wait.
    pub fn start(&self, node: &str, start: &Start<'_>) -> Speaker {
        let host = self.net.node(node).unwrap();
        if start.creates_pod {
            self.create_pod(start.pod, host);
        }
        let state = self.net.run().dir().join(format!("{node}-state"));
        let mut arguments: Vec<OsString> = vec![
            "speaker".into(),
            "--log-level=info".into(),
            "--kubeconfig".into(),
            self.kubeconfig.clone().into(),
            "--state-dir".into(),
            state.clone().into(),
        ];
        arguments.extend(start.flags.iter().map(Into::into));
        let mut spec = Spec::new("speaker", tools::ferrolb().unwrap(), arguments);
        let own = [
            ("METALLB_NODE_NAME", start.node.unwrap_or(node)),
            ("METALLB_NAMESPACE", NAMESPACE),
            ("METALLB_POD_NAME", start.pod),
        ];
        let all = own.iter().chain(start.environment);
        spec.environment = all
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if let Some(confines) = start.confines {
            spec = confines.apply(spec, &state, &[]).unwrap();
        }
        Speaker {
            process: Process::start(host.namespace(), &spec).unwrap(),
            namespace: host.namespace().clone(),
            token: self.token(),
        }
    }

    /// Creates a Pod of a speaker, if it is not there.
    pub fn create_pod(&self, pod: &str, host: &Host) {
        let there = self
            .cluster
            .admin()
            .call(&Call::get(&path("Pod", NAMESPACE, pod)));
        if there.unwrap().code == 404 {
            let calls =
                ferrolb_lab::cluster::load::pod(NAMESPACE, "speaker", pod, host.name(), host.v4());
            calls.iter().for_each(|call| drop(self.call(call)));
        }
    }

    /// The administrator's token.
    fn token(&self) -> String {
        let config = std::fs::read_to_string(self.cluster.kubeconfig(ADMIN).unwrap()).unwrap();
        let config: Value = serde_json::from_str(&config).unwrap();
        let token = config.pointer("/users/0/user/token");
        token.and_then(Value::as_str).unwrap().to_owned()
    }

    /// The uid of a Pod.
    pub fn pod_uid(&self, pod: &str) -> Value {
        self.call(&Call::get(&path("Pod", NAMESPACE, pod)))["metadata"]["uid"].clone()
    }
}

impl<'s> Start<'s> {
    /// As the DaemonSet does.
    pub fn of(pod: &'s str) -> Self {
        Self {
            pod,
            creates_pod: true,
            node: None,
            flags: &[],
            environment: &[],
            confines: None,
        }
    }

    /// The same with a Pod that is there.
    pub fn where_it_is(self) -> Self {
        Self {
            creates_pod: false,
            ..self
        }
    }
}

impl Speaker {
    /// Waits until it is ready.
    pub fn ready(self) -> Self {
        let ready = || Ok(self.is_ready());
        self.process
            .wait_for("it is ready", PATIENCE, ready)
            .unwrap();
        self
    }

    /// Whether it says that it is ready.
    pub fn is_ready(&self) -> bool {
        self.probe("readyz")
    }

    /// Waits until it says that it is alive.
    pub fn await_alive(&self) {
        let alive = || Ok(self.probe("healthz"));
        self.process
            .wait_for("it is alive", PATIENCE, alive)
            .unwrap();
    }

    fn probe(&self, path: &str) -> bool {
        let url = format!("http://127.0.0.1:17472/{path}");
        let said = self.curl(&url, "0", "%{http_code}");
        said.is_ok_and(|said| said.ends_with("200"))
    }

    /// What it says of itself to those who may ask.
    pub fn status(&self) -> anyhow::Result<Value> {
        let text = self.curl("https://127.0.0.1:9120/status", &self.token, "")?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Its metrics.
    pub fn metrics(&self) -> anyhow::Result<String> {
        self.curl("https://127.0.0.1:9120/metrics", &self.token, "")
    }

    /// Waits until what it says of itself satisfies a condition.
    pub fn await_status(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let seen = wait::until(what, PATIENCE, || {
            last = self.status()?;
            Ok(holds(&last))
        });
        seen.unwrap_or_else(|error| panic!("{error:#}\n{last:#}\n{}", self.process.log()));
        last
    }

    /// The host it runs on.
    pub fn node(&self) -> &str {
        self.namespace.host()
    }

    /// Waits until it says that so many nodes are alive.
    pub fn await_alive_count(&self, count: usize) {
        self.await_status("all are alive", |status| {
            status["alive"].as_array().map(Vec::len) == Some(count)
        });
    }

    /// Ends it as kubelet does, and gives its log.
    pub fn end(self) -> String {
        let status = self.process.terminate(Duration::from_secs(10)).unwrap();
        let log = self.process.log();
        assert!(status.success(), "{status}\n{log}");
        log
    }

    /// Ends it without a chance to say goodbye.
    pub fn kill(self) {
        self.process.kill().unwrap();
    }

    fn curl(&self, url: &str, token: &str, form: &str) -> anyhow::Result<String> {
        let token = format!("Authorization: Bearer {token}");
        let arguments = ["-sk", "--max-time", "6", "-H", &token, "-w", form, url];
        self.namespace.exec("curl", &arguments)
    }
}

/// The line of a Service in what a speaker says of itself.
pub fn service(status: &Value, name: &str) -> Value {
    let key = format!("default/{name}");
    let services = status["services"].as_array().into_iter().flatten();
    let found = services.into_iter().find(|line| line["service"] == key);
    found.cloned().unwrap_or_default()
}
