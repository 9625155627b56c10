// SPDX-License-Identifier: Apache-2.0
//! The command lines of the parts of a cluster.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process,
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Context, Result};

use super::{Options, Site, audit, identity::Identity, store};
use crate::process::Spec;

/// The controllers that tests have a use for.
const CONTROLLERS: &str = "garbage-collector-controller,endpointslice-controller,\
     namespace-controller,serviceaccount-controller";

/// Where the parts of one cluster listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) api: u16,
    etcd: u16,
}

impl Ports {
    /// The ports of a host that runs nothing else.
    pub(super) fn usual() -> Self {
        Self {
            api: 6443,
            etcd: 2379,
        }
    }

    /// Ports that are free on this program's loopback, below those the kernel gives to clients: a
    /// server that is away for a while finds its port free.
    pub(super) fn free() -> Result<Self> {
        Ok(Self {
            api: free()?,
            etcd: free()?,
        })
    }

    pub(super) fn etcd_url(self) -> String {
        format!("http://127.0.0.1:{}", self.etcd)
    }
}

fn free() -> Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 10_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Programs that run side by side begin at different places.
    let start = u16::try_from(process::id().wrapping_mul(37) % u32::from(COUNT))?;
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .context("no free port")
}

/// The store: as fast as it goes, it does not have to outlive the machine.
pub(super) fn etcd(site: &Site) -> Spec {
    let url = site.ports.etcd_url();
    let data = store::data(site);
    let flags = vec![
        format!("--data-dir={}", data.display()),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        // One member speaks to nobody; the port is any.
        "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
        "--unsafe-no-fsync".to_owned(),
        "--quota-backend-bytes=4294967296".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    Spec::new("etcd", site.assets.program("etcd"), flags)
}

/// The API server.
pub(super) fn api_server(site: &Site, identity: &Identity, options: &Options) -> Result<Spec> {
    let key = |name: &str| identity.file(name).display().to_string();
    let mut flags = vec![
        format!("--etcd-servers={}", site.ports.etcd_url()),
        format!("--secure-port={}", site.ports.api),
        format!("--bind-address={}", bind_address(site)),
        // Told to nobody, yet it has to be one that is not loopback.
        "--advertise-address=192.0.2.102".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={}", key("api.crt")),
        format!("--tls-private-key-file={}", key("api.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", key("accounts.pub")),
        format!("--service-account-signing-key-file={}", key("accounts.key")),
        format!("--token-auth-file={}", key("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/12,fd00:10:96::/112".to_owned(),
        // Pods are objects here and need no tokens.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        // Services of webhooks are reached at their endpoints: there is no kube-proxy.
        "--enable-aggregator-routing=true".to_owned(),
        "--profiling=false".to_owned(),
    ];
    if !options.unrecorded {
        flags.extend(audit::flags(site)?);
    }
    flags.extend(options.flags.iter().cloned());
    Ok(Spec::new(
        "kube-apiserver",
        site.assets.program("kube-apiserver"),
        flags,
    ))
}

/// The controllers.
pub(super) fn controllers(site: &Site, kubeconfig: &Path, identity: &Identity) -> Result<Spec> {
    let program = site.assets.program("kube-controller-manager");
    fs::metadata(&program).with_context(|| format!("{}", program.display()))?;
    let flags = vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--controllers={CONTROLLERS}"),
        format!("--root-ca-file={}", identity.file("ca.crt").display()),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
    ];
    Ok(Spec::new("kube-controller-manager", program, flags))
}

fn bind_address(site: &Site) -> &'static str {
    if site.namespace.is_own() {
        "127.0.0.1"
    } else {
        "::"
    }
}
