// SPDX-License-Identifier: Apache-2.0
//! The program under test on a folder of manifests that a test writes piece by piece.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf, time::Duration};

use ferrolb_lab::{
    ferrolb::{Ferrolb, Instance, Role},
    topology::{Host, Topology},
    wait,
};
use serde_json::Value;

/// How long anything of the program may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Pools for routed addresses and for addresses of the LAN.
const POOLS: &str = "\
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: routed, namespace: metallb-system}
spec: {addresses: [203.0.113.0/24, '2001:db8:3::/64']}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: metallb-system}
spec: {addresses: [192.0.2.200-192.0.2.219, '2001:db8:1::200-2001:db8:1::219']}
";

/// A folder with its program.
pub struct Folder {
    /// The program.
    pub ferrolb: Ferrolb,
    dir: PathBuf,
}

impl Folder {
    /// A folder with the nodes of a network and the pools.
    pub fn new(net: &Topology) -> Self {
        let dir = net.run().dir().join("manifests");
        let state = net.run().dir().join("state");
        fs::create_dir_all(&dir).unwrap();
        fs::create_dir_all(&state).unwrap();
        let folder = Self {
            ferrolb: Ferrolb::new(&dir, &state).unwrap(),
            dir,
        };
        folder.write("pools", POOLS);
        let nodes: Vec<String> = net.nodes.iter().map(node).collect();
        folder.write("nodes", &nodes.join("---\n"));
        folder
    }

    /// Writes or replaces a manifest, in one step.
    pub fn write(&self, name: &str, text: &str) {
        let hidden = self.dir.join(format!(".{name}"));
        fs::write(&hidden, text).unwrap();
        fs::rename(hidden, self.file(name)).unwrap();
    }

    /// Removes a manifest.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    /// Starts a role on a host and waits until it answers.
    pub fn start(&self, host: &Host, role: Role) -> Instance {
        let instance = self.ferrolb.start(host.namespace(), role).unwrap();
        instance.wait_ready(PATIENCE).unwrap();
        instance
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.yaml"))
    }
}

fn node(host: &Host) -> String {
    let (name, v4, v6) = (host.name(), host.v4(), host.v6());
    format!(
        "apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n  labels: {{kubernetes.io/hostname: {name}}}\n\
         status:\n  addresses:\n    - {{type: InternalIP, address: {v4}}}\n    - {{type: InternalIP, address: '{v6}'}}\n"
    )
}

/// A dual-stack Service with these two addresses and a ready endpoint on `n1`.
pub fn service(name: &str, addresses: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  namespace: default\n  annotations:\n    \
         metallb.io/loadBalancerIPs: '{addresses}'\nspec:\n  type: LoadBalancer\n  \
         ipFamilyPolicy: RequireDualStack\n  ipFamilies: [IPv4, IPv6]\n  \
         ports: [{{name: http, protocol: TCP, port: 80, targetPort: 80}}]\n---\n\
         apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: {name}-v4\n  \
         namespace: default\n  labels: {{kubernetes.io/service-name: {name}}}\naddressType: IPv4\n\
         ports: [{{name: http, protocol: TCP, port: 80}}]\nendpoints:\n  \
         - {{addresses: [10.244.1.10], nodeName: n1, conditions: {{ready: true}}}}\n"
    )
}

/// A peer of the nodes named, whose timers are short; `more` are further lines of its spec.
pub fn peer(
    name: &str,
    own: u32,
    theirs: u32,
    address: &str,
    nodes: &[&str],
    more: &[&str],
) -> String {
    let mut text = format!(
        "apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {{name: {name}, namespace: metallb-system}}\n\
         spec:\n  myASN: {own}\n  peerASN: {theirs}\n  peerAddress: '{address}'\n  \
         holdTime: 9s\n  keepaliveTime: 3s\n  connectTime: 1s\n  \
         nodeSelectors: [{{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{}]}}]}}]\n",
        nodes.join(", ")
    );
    for line in more {
        writeln!(text, "  {line}").unwrap();
    }
    text + "---\n"
}

/// An advertisement of the routed pool; `spec` are further lines.
pub fn advertisement(name: &str, spec: &[&str]) -> String {
    let mut text = format!(
        "apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\n\
         metadata: {{name: {name}, namespace: metallb-system}}\nspec:\n  ipAddressPools: [routed]\n"
    );
    for line in spec {
        writeln!(text, "  {line}").unwrap();
    }
    text + "---\n"
}

/// A session's report, by the name of its peer.
pub fn session(instance: &Instance, peer: &str) -> Option<Value> {
    let status = instance.status().ok()?;
    let sessions = status.get("sessions")?.as_array()?;
    sessions.iter().find(|s| s["peer"] == peer).cloned()
}

/// Waits until a session's report satisfies a condition; the failure shows the last report.
pub fn await_session(instance: &Instance, peer: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut last = None;
    let seen = wait::arrival(&format!("session {peer}"), PATIENCE, || {
        last = session(instance, peer);
        Ok(last.clone().filter(&holds))
    });
    seen.unwrap_or_else(|error| panic!("{error:#}\n{last:#?}\n{}", instance.process.log()))
        .0
}

/// Whether a session is established.
pub fn is_established(session: &Value) -> bool {
    session["state"] == "Established"
}

/// The reason codes of a session: what is wrong now, and what last went wrong.
pub fn codes(session: &Value) -> BTreeSet<String> {
    let now = session["problems"].as_array().into_iter().flatten();
    let faults = now.chain(session.get("lastError"));
    faults
        .filter_map(|fault| Some(fault["code"].as_str()?.to_owned()))
        .collect()
}
