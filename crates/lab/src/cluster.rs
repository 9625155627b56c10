// SPDX-License-Identifier: Apache-2.0
//! A real API server with its store, for tests and benchmarks: no nodes, no Pods, the rest as ever.
//!
//! Owns the processes (etcd, kube-apiserver, the controllers where asked for), their keys and tokens,
//! their faults, and the record of every request that was made. Runs on this program's own loopback
//! ([`Cluster::local`]), or on a host of a topology, where every node reaches it ([`Cluster::at`]).
//! Its processes end with the cluster, and with this program, however that ends.

mod access;
mod api;
mod assets;
mod audit;
mod children;
mod faults;
mod identity;
pub mod load;
mod manifests;
mod parts;
mod stand;
mod store;

pub use access::{ADMIN, User};
pub use api::{Answer, Api, Call};
pub use assets::{Assets, CONTROLLERS, able};
pub use audit::Request;
pub use manifests::{METALLB_RBAC, deploy};
pub use stand::stand;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;

use crate::{Namespace, Process, Run, topology::Host};
use access::Access;
use identity::Identity;
use parts::Ports;

/// How long a part may take to start on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a cluster is made of.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Runs the controllers too: garbage collection, EndpointSlices of Pods, namespaces.
    pub controllers: bool,
    /// Records no requests: for benchmarks.
    pub unrecorded: bool,
    /// Users with fixed tokens beside [`ADMIN`].
    pub users: Vec<User>,
    /// More flags of the API server.
    pub flags: Vec<String>,
    /// A folder that [`Cluster::save`] made: the cluster begins with the objects of that one.
    pub objects: Option<PathBuf>,
}

/// A running cluster; dropping it ends it.
pub struct Cluster {
    site: Site,
    options: Options,
    identity: Identity,
    access: Access,
    api: Mutex<Option<Process>>,
    etcd: Mutex<Option<Process>>,
    controllers: Mutex<Option<Process>>,
    admin: Api,
}

/// Where a cluster runs, and with what.
#[derive(Clone)]
struct Site {
    namespace: Namespace,
    address: IpAddr,
    ports: Ports,
    assets: Assets,
    dir: PathBuf,
}

impl Cluster {
    /// Starts a cluster on this program's own loopback.
    ///
    /// # Errors
    /// A program is missing, or does not get ready.
    pub fn local(run: &Run, options: &Options) -> Result<Self> {
        let namespace = Namespace::own(run, "cluster");
        let address = IpAddr::from([127, 0, 0, 1]);
        Self::start(namespace, address, Ports::free()?, options)
    }

    /// Starts a cluster on a host of a topology, for all of its LAN.
    ///
    /// # Errors
    /// A program is missing, or does not get ready.
    pub fn at(host: &Host, options: &Options) -> Result<Self> {
        let namespace = host.namespace().clone();
        Self::start(namespace, host.v4(), Ports::usual(), options)
    }

    /// Starts a cluster on the loopback of a namespace, for the programs in it.
    ///
    /// # Errors
    /// A program is missing, or does not get ready.
    pub fn inside(namespace: &Namespace, options: &Options) -> Result<Self> {
        let address = IpAddr::from([127, 0, 0, 1]);
        Self::start(namespace.clone(), address, Ports::usual(), options)
    }

    fn start(
        namespace: Namespace,
        address: IpAddr,
        ports: Ports,
        options: &Options,
    ) -> Result<Self> {
        let name = format!("{}-{}", namespace.host(), ports.api);
        let site = Site {
            dir: namespace.run().dir().join(name),
            assets: Assets::find()?,
            namespace,
            address,
            ports,
        };
        std::fs::create_dir_all(&site.dir)?;
        let identity = Identity::make(&site)?;
        let access = Access::make(&site, &identity, &options.users)?;
        let cluster = Self {
            admin: access.api(&site, ADMIN, "ferrolb-lab")?,
            site,
            options: options.clone(),
            identity,
            access,
            api: Mutex::default(),
            etcd: Mutex::default(),
            controllers: Mutex::default(),
        };
        if let Some(saved) = &options.objects {
            store::copy(saved, &store::data(&cluster.site))?;
        }
        cluster.start_etcd()?;
        cluster.start_api()?;
        cluster.start_controllers()?;
        Ok(cluster)
    }

    /// The run it belongs to.
    #[must_use]
    pub fn run(&self) -> &Run {
        self.site.namespace.run()
    }

    /// The folder of its files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.site.dir
    }

    /// Where its programs lie, for use inside hosts.
    #[must_use]
    pub fn programs(&self) -> &Assets {
        &self.site.assets
    }

    /// The API server's URL, as every host that can reach it says it.
    #[must_use]
    pub fn url(&self) -> String {
        self.site.url()
    }

    /// The API server's id, while it runs.
    #[must_use]
    pub fn api_pid(&self) -> Option<u32> {
        lock(&self.api).as_ref().map(Process::pid)
    }

    /// The ids of all its processes that run.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let parts = [&self.etcd, &self.api, &self.controllers];
        let pid = |part: &&Mutex<Option<Process>>| lock(part).as_ref().map(Process::pid);
        parts.iter().filter_map(pid).collect()
    }

    /// The administrator's calls.
    #[must_use]
    pub fn admin(&self) -> &Api {
        &self.admin
    }

    /// A kubeconfig for [`ADMIN`] or one of the users of [`Options::users`].
    ///
    /// # Errors
    /// There is no such user.
    pub fn kubeconfig(&self, user: &str) -> Result<PathBuf> {
        self.access.kubeconfig(&self.site, user)
    }

    /// A kubeconfig for a ServiceAccount that is there, with a token asked for as a kubelet does.
    ///
    /// # Errors
    /// It is not there.
    pub fn service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let token = access::token(&self.admin, namespace, name)?;
        let user = format!("{namespace}-{name}");
        access::write_kubeconfig(&self.site, &user, &token)
    }

    /// The calls of a ServiceAccount that is there.
    ///
    /// # Errors
    /// It is not there.
    pub fn as_service_account(&self, namespace: &str, name: &str) -> Result<Api> {
        let token = access::token(&self.admin, namespace, name)?;
        Api::new(&self.site, &self.identity, &token, "ferrolb-lab")
    }

    /// The calls of [`ADMIN`] or one of the users of [`Options::users`].
    ///
    /// # Errors
    /// There is no such user.
    pub fn as_user(&self, user: &str) -> Result<Api> {
        self.access.api(&self.site, user, "ferrolb-lab")
    }

    /// Puts objects into the store under their keys there, past the API server, which serves them like any
    /// other: for very many Services, of which it makes each the more slowly, the more there are.
    ///
    /// # Errors
    /// The store refuses them.
    pub fn plant(&self, objects: &[(String, serde_json::Value)]) -> Result<()> {
        store::put(&self.site, objects)
    }

    /// Copies all objects into a folder that is not there yet, for [`Options::objects`] of other clusters.
    /// The store is away for that time.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        self.stop_etcd()?;
        let copied = store::copy(&store::data(&self.site), folder);
        self.start_etcd()?;
        copied
    }

    /// Every request recorded so far of a user, such as `system:serviceaccount:metallb-system:speaker`.
    ///
    /// # Errors
    /// The record cannot be read, or is not kept.
    pub fn requests_of(&self, user: &str) -> Result<Vec<Request>> {
        let all = self.requests()?;
        Ok(all.into_iter().filter(|one| one.user == user).collect())
    }

    /// Every request recorded so far. A call made here first marks the point up to which all are in.
    ///
    /// # Errors
    /// The record cannot be read, or is not kept.
    pub fn requests(&self) -> Result<Vec<Request>> {
        audit::read(&self.site, &self.admin)
    }

    fn start_controllers(&self) -> Result<()> {
        if !self.options.controllers {
            return Ok(());
        }
        let config = self.access.kubeconfig(&self.site, access::CONTROLLERS)?;
        let spec = parts::controllers(&self.site, &config, &self.identity)?;
        *lock(&self.controllers) = Some(children::start(&self.site.namespace, &spec)?);
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // At once: nobody needs a polite end, which takes the API server seconds.
        for part in [&self.controllers, &self.api, &self.etcd] {
            let _ = end(part);
        }
    }
}

impl Site {
    fn url(&self) -> String {
        format!("https://{}:{}", self.address, self.ports.api)
    }
}

fn end(part: &Mutex<Option<Process>>) -> Result<()> {
    let process = lock(part).take();
    process.map_or(Ok(()), |process| process.kill())
}

fn lock(part: &Mutex<Option<Process>>) -> MutexGuard<'_, Option<Process>> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
