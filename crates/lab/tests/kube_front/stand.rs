// SPDX-License-Identifier: Apache-2.0
//! A cluster on a LAN, and the roles on its hosts as Pods of our manifests.

use std::{cell::RefCell, collections::BTreeMap, fs, net::SocketAddr, path::PathBuf};

use ferrolb_lab::{
    Namespace, Process, Run,
    cluster::{Answer, Call, Cluster, Options, User, able, deploy, load},
    confine::Confines,
    exec::Captured,
    process::Spec,
    tools,
    topology::{Host, Shape, Topology},
    wait,
};
use serde_json::{Value, json};

use super::{OURS, SOON};

/// A user who may do nothing.
pub const STRANGER: &str = "stranger";
/// A user who may look.
pub const OBSERVER: &str = "observer";
/// The kinds that ServiceMonitors and alerts are of.
const MONITORING: &str = include_str!("../fixtures/monitoring-crds.yaml");

/// A cluster with our manifests. Processes end with it.
pub struct Stand {
    // Dropped before the network they are in.
    pub cluster: Cluster,
    /// Where the API server and its store are.
    pub api: Host,
    pub net: Topology,
    /// Whether roles are started by their names, as in an image that stands in for MetalLB's.
    pub by_name: bool,
    /// Whether controllers are started with webhooks, as the overlay does.
    webhooks: bool,
    slices: RefCell<BTreeMap<String, String>>,
}

impl Stand {
    /// A cluster with an overlay of our manifests, nodes `n1`, `n2`, … and a router where wanted; nothing
    /// where the machine lacks what it needs.
    pub fn new(overlay: &str, nodes: u8, programs: &[&str]) -> Option<Self> {
        if !able(programs).unwrap() {
            return None;
        }
        let routers = u8::from(!programs.is_empty());
        let shape = Shape { nodes, routers };
        let net = Topology::build(&Run::new().unwrap(), shape).unwrap();
        let options = Options {
            users: [STRANGER, OBSERVER].map(User::new).to_vec(),
            ..Options::default()
        };
        let api = net.join("api").unwrap();
        let cluster = Cluster::at(&api, &options).unwrap();
        if overlay.contains("prometheus") {
            cluster.apply(MONITORING).unwrap();
            cluster.wait_for_kinds().unwrap();
        }
        cluster.install(&deploy(overlay)).unwrap();
        Some(Self {
            cluster,
            api,
            net,
            by_name: false,
            webhooks: !overlay.contains("without-webhooks"),
            slices: RefCell::default(),
        })
    }

    pub fn node(&self, name: &str) -> &Host {
        self.net.node(name).unwrap()
    }

    /// A call as the administrator that must succeed.
    pub fn done(&self, call: &Call) -> Value {
        self.try_to(call).ok().unwrap()
    }

    /// Makes the Service `default/s0`, of type LoadBalancer.
    pub fn ask_for_an_address(&self) {
        let services = load::Services {
            namespace: "default",
            count: 1,
            class: None,
            local: false,
        };
        self.done(&services.create()[0]);
    }

    /// A call as the administrator.
    pub fn try_to(&self, call: &Call) -> Answer {
        self.cluster.admin().call(call).unwrap()
    }

    /// A kubeconfig with a token of the role's ServiceAccount.
    pub fn account(&self, role: &str) -> PathBuf {
        self.cluster.service_account(OURS, role).unwrap()
    }

    /// Starts a role as the Pod `ROLE-HOST`, with these flags after those of our manifests.
    pub fn start(&self, role: &str, host: &Host, flags: &[&str]) -> Process {
        self.start_within(None, role, host, flags)
    }

    /// The same with no more than these confines leave it.
    pub fn start_within(
        &self,
        confines: Option<&Confines>,
        role: &str,
        host: &Host,
        flags: &[&str],
    ) -> Process {
        let pod = format!("{role}-{}", host.name());
        self.pod(role, &pod, host);
        let config = self.account(role);
        let state = self.cluster.dir().join(format!("state-{pod}"));
        fs::create_dir_all(&state).unwrap();
        let mut spec = match self.by_name {
            true => Spec::new(&pod, self.called_as(role), [""; 0]),
            false => Spec::new(&pod, tools::ferrolb().unwrap(), [role]),
        };
        let given = [
            "--kubeconfig".into(),
            config.clone().into_os_string(),
            "--namespace".into(),
            OURS.into(),
            "--pod-name".into(),
            pod.into(),
            "--state-dir".into(),
            state.clone().into_os_string(),
        ];
        spec.arguments.extend(given);
        spec.arguments.extend(flags.iter().map(Into::into));
        if role == "controller" && !self.webhooks {
            spec.arguments.push("--webhook-mode=disabled".into());
        }
        if role == "speaker" {
            spec.arguments
                .extend(["--node-name".into(), host.name().into()]);
        }
        if let Some(confines) = confines {
            spec = confines.apply(spec, &state, &[&config]).unwrap();
        }
        Process::start(host.namespace(), &spec).unwrap()
    }

    /// The program under another name.
    pub fn called_as(&self, name: &str) -> PathBuf {
        let dir = self.cluster.dir().join("names");
        fs::create_dir_all(&dir).unwrap();
        let link = dir.join(name);
        // It may be there already.
        let _ = std::os::unix::fs::symlink(tools::ferrolb().unwrap(), &link);
        link
    }

    /// Runs a command of the program as this user, in the LAN, to its end.
    pub fn ferrolb(&self, user: &str, arguments: &[&str]) -> Captured {
        let config = self.cluster.kubeconfig(user).unwrap();
        let config = config.to_string_lossy();
        let arguments = [arguments, &["--kubeconfig", &config]].concat();
        let program = tools::ferrolb().unwrap();
        let here = self.net.client.namespace();
        here.capture(&program.to_string_lossy(), &arguments, SOON)
            .unwrap()
    }

    /// Allows this user what our manifests have for people who look.
    pub fn let_look(&self, user: &str) {
        let user = format!("--user={user}");
        let create = |what: &str, role: &str| {
            let arguments = ["create", what, "observers", "-n", OURS, role, &user];
            self.cluster.kubectl(&arguments).unwrap();
        };
        create("clusterrolebinding", "--clusterrole=ferrolb-observer");
        create("rolebinding", "--role=ferrolb-observer");
    }

    /// Makes Nodes of the topology's nodes.
    pub fn make_nodes(&self) {
        for node in &self.net.nodes {
            self.done(&load::node(node.name(), node.v4()));
        }
    }

    /// Creates an object of ours.
    pub fn create(&self, version: &str, kind: &str, name: &str, spec: Value) {
        let plural = match kind {
            "Community" => "communities".to_owned(),
            kind => format!("{}s", kind.to_lowercase()),
        };
        let object = json!({
            "apiVersion": format!("metallb.io/{version}"), "kind": kind,
            "metadata": { "name": name }, "spec": spec,
        });
        self.done(&Call::create(&path(version, &plural), object));
    }

    /// The object of a Pod that runs on a host.
    pub fn pod(&self, role: &str, pod: &str, host: &Host) {
        let path = format!("/api/v1/namespaces/{OURS}/pods/{pod}");
        if self.try_to(&Call::get(&path)).code == 200 {
            return;
        }
        for call in load::pod(OURS, role, pod, host.name(), host.v4()) {
            self.done(&call);
        }
    }

    /// Waits until `/readyz` of a role on a host says yes.
    pub fn ready(&self, process: &Process) {
        let probe = || Ok(health(process.namespace(), "/readyz") == 200);
        process.wait_for("it is ready", SOON, probe).unwrap();
    }

    /// Tells the API server that webhooks are answered on a host.
    pub fn endpoint(&self, host: &Host) {
        let at = SocketAddr::new(host.v4(), 9443);
        let slice = load::endpoint(OURS, "metallb-webhook-service", "webhook-server", at);
        let made = self.done(&slice);
        let name = made["metadata"]["name"].as_str().unwrap().to_owned();
        self.slices
            .borrow_mut()
            .insert(host.name().to_owned(), name);
    }

    /// Tells it that they no longer are.
    pub fn no_endpoint(&self, host: &Host) {
        let name = self.slices.borrow_mut().remove(host.name()).unwrap();
        let slices = format!("/apis/discovery.k8s.io/v1/namespaces/{OURS}/endpointslices");
        self.done(&Call::delete(&format!("{slices}/{name}")));
    }

    /// Starts a controller on a host and waits until the API server calls its webhooks.
    pub fn controller(&self, host: &Host, flags: &[&str]) -> Process {
        let controller = self.start("controller", host, flags);
        self.ready(&controller);
        self.endpoint(host);
        self.called(&controller);
        controller
    }

    /// Waits until both webhooks and conversion are called by the API server and answered well.
    pub fn called(&self, process: &Process) {
        let called = || Ok(self.is_called());
        process
            .wait_for("the API server calls the webhooks", SOON, called)
            .unwrap();
    }

    /// Whether the API server has an answer of each webhook it needs for a peer of the old version.
    pub fn is_called(&self) -> bool {
        let dry = format!("{}?dryRun=All", path("v1beta1", "bgppeers"));
        let peer = json!({
            "apiVersion": "metallb.io/v1beta1", "kind": "BGPPeer",
            "metadata": { "name": "dry" },
            "spec": { "myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.250" },
        });
        self.try_to(&Call::create(&dry, peer)).code == 200
    }

    /// The key of our Secret, decoded enough to compare.
    pub fn certificates(&self) -> Value {
        let secret = self.try_to(&Call::get(&certificate_secret()));
        secret.body["data"].clone()
    }

    /// Waits for something that may take a moment.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        wait::until(what, SOON, || Ok(holds())).unwrap();
    }
}

/// The path of a collection of ours.
pub fn path(version: &str, plural: &str) -> String {
    format!("/apis/metallb.io/{version}/namespaces/{OURS}/{plural}")
}

pub fn certificate_secret() -> String {
    format!("/api/v1/namespaces/{OURS}/secrets/metallb-webhook-cert")
}

/// The token in a kubeconfig.
pub fn token(kubeconfig: &std::path::Path) -> String {
    let config: Value = serde_json::from_str(&fs::read_to_string(kubeconfig).unwrap()).unwrap();
    let token = &config["users"][0]["user"]["token"];
    token.as_str().unwrap().to_owned()
}

/// Runs curl inside a host, to its end.
pub fn curl(host: &Namespace, arguments: &[&str]) -> Captured {
    let fixed = ["-sS", "--noproxy", "*", "--max-time", "15"];
    let arguments = [&fixed[..], arguments].concat();
    host.capture("curl", &arguments, SOON).unwrap()
}

/// The status code of what curl is told to ask for; 0 where there is no answer.
pub fn code(host: &Namespace, arguments: &[&str]) -> u16 {
    let only = ["-o", "/dev/null", "-w", "%{http_code}"];
    let said = curl(host, &[&only[..], arguments].concat());
    said.stdout.trim().parse().unwrap_or_default()
}

/// The answer of a role's probes.
pub fn health(host: &Namespace, path: &str) -> u16 {
    code(host, &[&format!("http://127.0.0.1:17472{path}")])
}
