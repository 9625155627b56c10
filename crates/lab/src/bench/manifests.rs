// SPDX-License-Identifier: Apache-2.0
//! Folders of made-up manifests: a pool, advertisements, a peer, one node, and many Services, each with
//! an EndpointSlice.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::reference::{RECEIVER, RECEIVER_AS, SENDER, SENDER_AS};

/// Objects before the first Service, without those of layer 2.
const COMMON: usize = 4;

/// What a folder holds.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The name of the node, which every endpoint is on.
    pub node: &'static str,
    /// How many objects go into a file.
    pub per_file: usize,
    /// Whether layer 2 announces the Services too.
    pub layer2: bool,
}

impl Shape {
    /// Writes a folder with this many Services, each with its endpoints.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn services(&self, dir: &Path, services: u32) -> Result<()> {
        let pairs = usize::try_from(services)? * 2;
        self.objects(dir, COMMON + usize::from(self.layer2) + pairs)
    }

    /// Writes a folder with this many objects.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn objects(&self, dir: &Path, objects: usize) -> Result<()> {
        fs::create_dir_all(dir)?;
        let many = (0u32..).flat_map(|n| [service(n), slice(n, self.node)]);
        let all: Vec<String> = self
            .common()
            .into_iter()
            .chain(many)
            .take(objects)
            .collect();
        for (number, texts) in all.chunks(self.per_file).enumerate() {
            let path = dir.join(format!("{number:05}.yaml"));
            fs::write(&path, texts.join("---\n"))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    fn common(&self) -> Vec<String> {
        let mut objects = vec![
            metallb(
                "v1beta1",
                "IPAddressPool",
                "pool",
                "  addresses:\n    - 10.0.0.0/8\n",
            ),
            metallb(
                "v1beta1",
                "BGPAdvertisement",
                "all",
                "  ipAddressPools:\n    - pool\n",
            ),
            metallb(
                "v1beta2",
                "BGPPeer",
                "receiver",
                &format!(
                    "  myASN: {SENDER_AS}\n  peerASN: {RECEIVER_AS}\n  peerAddress: {RECEIVER}\n  \
                     connectTime: 1s\n"
                ),
            ),
            node(self.node),
        ];
        if self.layer2 {
            objects.push(metallb(
                "v1beta1",
                "L2Advertisement",
                "all",
                "  ipAddressPools:\n    - pool\n",
            ));
        }
        objects
    }
}

fn metallb(version: &str, kind: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: metallb.io/{version}\nkind: {kind}\nmetadata:\n  name: {name}\n  \
         namespace: metallb-system\nspec:\n{spec}"
    )
}

fn node(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\nstatus:\n  addresses:\n    \
         - type: InternalIP\n      address: {SENDER}\n"
    )
}

fn service(n: u32) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: service-{n}\n  namespace: default\nspec:\n  \
         type: LoadBalancer\n  selector:\n    app: service-{n}\n  ports:\n    - name: http\n      \
         protocol: TCP\n      port: 80\n      targetPort: 8080\n"
    )
}

fn slice(n: u32, node: &str) -> String {
    let [_, a, b, c] = n.to_be_bytes();
    format!(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: service-{n}-x\n  \
         namespace: default\n  labels:\n    kubernetes.io/service-name: service-{n}\n\
         addressType: IPv4\nports:\n  - name: http\n    protocol: TCP\n    port: 8080\nendpoints:\n  \
         - addresses:\n      - 10.{a}.{b}.{c}\n    nodeName: {node}\n    conditions:\n      \
         ready: true\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Run;

    #[test]
    fn writes_as_many_objects_as_asked() {
        let run = Run::new().unwrap();
        let shape = Shape {
            node: "n1",
            per_file: 3,
            layer2: true,
        };
        shape.objects(run.dir(), 10).unwrap();
        let texts = fs::read_dir(run.dir()).unwrap();
        let texts = texts.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        let counts: Vec<usize> = texts
            .map(|text| text.matches("apiVersion:").count())
            .collect();
        assert_eq!((counts.len(), counts.iter().sum()), (4, 10));
    }
}
