// SPDX-License-Identifier: Apache-2.0
//! The counters in the status of each `IPAddressPool`, all four together, written only when they differ
//! from what stands there; whoever edits them by hand sees them come back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ferrolb_api::resource::{IPAddressPool, IPAddressPoolStatus};
use ferrolb_types::PoolName;
use k8s_openapi::Resource;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Cluster, Error,
    backoff::Backoff,
    gate::Gate,
    latest::Latest,
    request,
    write::{Change, LIMIT, Mode, STATUS},
};

/// Requests under way at once.
const CONCURRENCY: usize = 2;

/// Waits after a failure.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    most: Duration::from_secs(60),
};

/// Counters change with every allocation; of those that follow a write closely, only the last is written.
const CALM: Duration = Duration::from_millis(500);

/// The keeper. Clones share it.
#[derive(Clone, Debug)]
pub struct PoolStatuses {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pools: Mutex<HashMap<PoolName, Pool>>,
    work: Latest<PoolName, ()>,
}

#[derive(Debug, Default)]
struct Pool {
    desired: Option<IPAddressPoolStatus>,
    /// Whether the object exists, and what its status says.
    exists: bool,
    standing: Option<IPAddressPoolStatus>,
    /// When we last wrote it.
    written: Option<Instant>,
}

impl PoolStatuses {
    /// Begins. Writes happen only while the gate is open; after it opened again, tell everything again.
    #[must_use]
    pub fn start(cluster: &Cluster, gate: Gate, stop: &CancellationToken) -> Self {
        let shared = Arc::new(Shared {
            pools: Mutex::default(),
            work: Latest::new(),
        });
        let keeper = Keeper {
            cluster: cluster.clone(),
            shared: Arc::clone(&shared),
            gate,
            mode: Mode::new("ipaddresspools/status"),
        };
        for _ in 0..CONCURRENCY {
            tokio::spawn(keeper.clone().run(stop.clone()));
        }
        Self { shared }
    }

    /// What the status of a pool has to say.
    pub fn desired(&self, name: PoolName, status: IPAddressPoolStatus) {
        self.shared.lock().entry(name.clone()).or_default().desired = Some(status);
        self.check(name);
    }

    /// The object as the watch tells it.
    pub fn observed(&self, object: &IPAddressPool) {
        let name = PoolName::from(object.metadata.name.as_deref().unwrap_or_default());
        {
            let mut pools = self.shared.lock();
            let pool = pools.entry(name.clone()).or_default();
            pool.exists = true;
            pool.standing.clone_from(&object.status);
        }
        self.check(name);
    }

    /// The object is gone.
    pub fn deleted(&self, name: &str) {
        self.shared.lock().remove(name);
    }

    fn check(&self, name: PoolName) {
        if self.shared.owed(&name).is_some() {
            self.shared.work.put(name, ());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<PoolName, Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has to be written.
    fn owed(&self, name: &PoolName) -> Option<IPAddressPoolStatus> {
        let pools = self.lock();
        let pool = pools.get(name).filter(|pool| pool.exists)?;
        let desired = pool.desired.clone()?;
        (pool.standing.as_ref() != Some(&desired)).then_some(desired)
    }

    /// When it may be written next.
    fn calm(&self, name: &PoolName) -> Instant {
        let written = self.lock().get(name).and_then(|pool| pool.written);
        written.map_or_else(Instant::now, |written| written + CALM)
    }
}

#[derive(Clone)]
struct Keeper {
    cluster: Cluster,
    shared: Arc<Shared>,
    gate: Gate,
    mode: Mode,
}

impl Keeper {
    /// Works until `stop`; a write that is under way then still ends, so that the lease is not given up
    /// before it has.
    async fn run(self, stop: CancellationToken) {
        loop {
            let next = async {
                let job = self.shared.work.next().await;
                tokio::time::sleep_until(self.shared.calm(&job.key)).await;
                job
            };
            let job = tokio::select! {
                () = stop.cancelled() => return,
                job = next => job,
            };
            match self.write(&job.key).await {
                Err(error) if !error.is_not_found() => {
                    if job.failures == 0 {
                        tracing::warn!(pool = %job.key, %error, "the status of a pool could not be written");
                    }
                    let pause = BACKOFF.after(job.failures);
                    self.shared.work.retry(job, pause);
                }
                _ => self.shared.work.done(&job.key),
            }
        }
    }

    async fn write(&self, name: &PoolName) -> Result<(), Error> {
        let Some(_pass) = self.gate.enter(self.gate.term(), LIMIT).await else {
            return Ok(());
        };
        let Some(owed) = self.shared.owed(name) else {
            return Ok(());
        };
        tokio::time::timeout(LIMIT, self.send(name, &owed))
            .await
            .unwrap_or(Err(Error::Timeout(LIMIT)))?;
        if let Some(pool) = self.shared.lock().get_mut(name) {
            pool.standing = Some(owed);
            pool.written = Some(Instant::now());
        }
        Ok(())
    }

    async fn send(&self, name: &PoolName, owed: &IPAddressPoolStatus) -> Result<(), Error> {
        let namespace = Some(self.cluster.namespace());
        let path = request::object(
            IPAddressPool::API_VERSION,
            namespace,
            IPAddressPool::URL_PATH_SEGMENT,
            name.as_str(),
        );
        let status = json!(owed);
        let change = Change {
            path: &path,
            subresource: STATUS,
            patch: &json!({ "status": status }),
            object: None,
            edit: |object: &mut Value| {
                if let Some(object) = object.as_object_mut() {
                    object.insert("status".into(), status.clone());
                }
                true
            },
        };
        self.mode.write(&self.cluster, change).await.map(drop)
    }
}
