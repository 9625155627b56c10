// SPDX-License-Identifier: Apache-2.0
//! The `ServiceL2Status` and `ServiceBGPStatus` objects of one node.
//!
//! What stands is followed by the node's label; what is desired is told. Per Service and protocol the two
//! are compared and one step is taken: delete what is too many, create what is missing, take over what an
//! earlier speaker of the node left, write the status that differs. Equal sets are never rewritten. A node
//! that begins to answer for a Service in layer 2 removes what other nodes still say of it, once: they
//! write it anew if they still answer.
//!
//! Few requests at a time, and only when no Service waits for its address.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ferrolb_types::{PeerName, ServiceKey};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::own::{self, Own, Protocol};
use crate::{
    Cluster, Error,
    backoff::Backoff,
    latest::{Job, Latest},
    pods::Owner,
    reflect::{self, Event, Follow},
    request::{self, PatchKind},
};

/// Requests under way at once.
const CONCURRENCY: usize = 4;

/// Longest time of one request.
const LIMIT: Duration = Duration::from_secs(10);

/// Waits after a failure.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    most: Duration::from_secs(60),
};

/// Steps for one Service before the next has its turn.
const STEPS: u32 = 8;

/// Batches of changes that may wait.
const WAITING: usize = 4;

/// Whose statuses these are.
#[derive(Clone, Debug)]
pub struct ServiceStatusesOptions {
    /// Our node.
    pub node: String,
    /// Our Pod, so that what we wrote goes with it.
    pub owner: Option<Owner>,
}

/// The keeper. Clones share it.
#[derive(Clone, Debug)]
pub struct ServiceStatuses {
    shared: Arc<Shared>,
}

type Key = (Protocol, ServiceKey);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    work: Latest<Key, ()>,
}

#[derive(Debug, Default)]
struct State {
    desired: HashMap<Key, Vec<String>>,
    /// Our objects by Service, then by name.
    standing: HashMap<Key, BTreeMap<String, Own>>,
    /// The Service each object name belongs to.
    names: HashMap<(Protocol, String), ServiceKey>,
    synced: HashSet<Protocol>,
    /// Services we began to answer for, whose other nodes' objects have to go.
    begun: HashSet<ServiceKey>,
    /// What is known completely of what is desired.
    settled: HashSet<Protocol>,
}

/// What has to be done next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Delete(String),
    Create,
    Adopt(String),
    Write(String),
    /// Remove what other nodes say.
    Sweep,
}

impl ServiceStatuses {
    /// Begins.
    #[must_use]
    pub fn start(
        cluster: &Cluster,
        options: ServiceStatusesOptions,
        stop: &CancellationToken,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Latest::new(),
        });
        let (sender, receiver) = mpsc::channel(WAITING);
        for protocol in Protocol::BOTH {
            let follow = Follow {
                source: protocol.of_node(cluster.namespace(), &options.node),
                decode: own::decode,
                map: Box::new(move |event| Some((protocol, event))),
                what: protocol.kind(),
            };
            reflect::spawn(cluster, follow, sender.clone(), stop);
        }
        let keeper = Keeper {
            cluster: cluster.clone(),
            options: Arc::new(options),
            shared: Arc::clone(&shared),
        };
        let mut tasks = vec![tokio::spawn(observe(Arc::clone(&shared), receiver))];
        for _ in 0..CONCURRENCY {
            tasks.push(tokio::spawn(keeper.clone().run()));
        }
        let stop = stop.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            tasks.iter().for_each(tokio::task::JoinHandle::abort);
        });
        Self { shared }
    }

    /// We answer for this Service in layer 2 on these interfaces (none named: all), or do not answer.
    pub fn layer2(&self, key: ServiceKey, interfaces: Option<Vec<String>>) {
        self.desire((Protocol::Layer2, key), interfaces);
    }

    /// We announce this Service to these peers by BGP; none: we do not.
    pub fn bgp(&self, key: ServiceKey, peers: &[PeerName]) {
        let peers: Vec<String> = peers.iter().map(|peer| peer.as_str().to_owned()).collect();
        self.desire((Protocol::Bgp, key), (!peers.is_empty()).then_some(peers));
    }

    /// What we answer for in layer 2 is known completely: from now on, what is not desired goes.
    pub fn layer2_settled(&self) {
        self.settled(Protocol::Layer2);
    }

    /// What we announce by BGP, and to whom, is known completely: from now on, what is not desired goes.
    pub fn bgp_settled(&self) {
        self.settled(Protocol::Bgp);
    }

    fn settled(&self, protocol: Protocol) {
        let standing: Vec<Key> = {
            let mut state = self.shared.lock();
            if !state.settled.insert(protocol) {
                return;
            }
            let standing = state.standing.keys();
            standing.filter(|key| key.0 == protocol).cloned().collect()
        };
        for key in standing {
            self.shared.work.put(key, ());
        }
    }

    fn desire(&self, key: Key, list: Option<Vec<String>>) {
        let list = list.map(|mut list| {
            list.sort_unstable();
            list.dedup();
            list
        });
        if self.shared.lock().desire(&key, list) {
            self.shared.work.put(key, ());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes what is desired. False: it was already.
    fn desire(&mut self, key: &Key, list: Option<Vec<String>>) -> bool {
        let old = match list {
            Some(list) => {
                let same = self.desired.get(key) == Some(&list);
                let old = self.desired.insert(key.clone(), list);
                if old.is_none() && key.0 == Protocol::Layer2 {
                    self.begun.insert(key.1.clone());
                }
                return !same;
            }
            None => self.desired.remove(key),
        };
        self.begun.remove(&key.1);
        old.is_some()
    }

    /// Takes what happened, and gives the Services it concerns.
    fn observe(&mut self, protocol: Protocol, event: Event<Own>) -> Vec<Key> {
        match event {
            Event::Set(own) if own.name.is_empty() => Vec::new(),
            Event::Set(own) => self.stands(protocol, own),
            Event::Gone(_, name) => self.gone(protocol, &name).into_iter().collect(),
            Event::Synced => {
                self.synced.insert(protocol);
                let all = self.desired.keys().chain(self.standing.keys());
                let all: HashSet<Key> = all.filter(|key| key.0 == protocol).cloned().collect();
                all.into_iter().collect()
            }
            Event::Trouble(_) | Event::Well => Vec::new(),
        }
    }

    fn stands(&mut self, protocol: Protocol, own: Own) -> Vec<Key> {
        let mut concerned = Vec::new();
        let (namespace, name) = own.service.clone();
        let key = (protocol, ServiceKey::new(namespace, name));
        if self
            .names
            .get(&(protocol, own.name.clone()))
            .is_some_and(|service| *service != key.1)
        {
            concerned.extend(self.gone(protocol, &own.name));
        }
        self.names
            .insert((protocol, own.name.clone()), key.1.clone());
        let standing = self.standing.entry(key.clone()).or_default();
        standing.insert(own.name.clone(), own);
        concerned.push(key);
        concerned
    }

    fn gone(&mut self, protocol: Protocol, name: &str) -> Option<Key> {
        let service = self.names.remove(&(protocol, name.to_owned()))?;
        let key = (protocol, service);
        if let Some(standing) = self.standing.get_mut(&key) {
            standing.remove(name);
            if standing.is_empty() {
                self.standing.remove(&key);
            }
        }
        Some(key)
    }

    /// The next step for a Service.
    fn step(&self, key: &Key, options: &ServiceStatusesOptions) -> Step {
        if !self.synced.contains(&key.0) {
            return Step::Nothing;
        }
        let none = BTreeMap::new();
        let standing = self.standing.get(key).unwrap_or(&none);
        let Some(list) = self.desired.get(key) else {
            return match standing.keys().next() {
                Some(name) if self.settled.contains(&key.0) => Step::Delete(name.clone()),
                _ => Step::Nothing,
            };
        };
        let name = key.0.name(&options.node, &key.1);
        let ours = standing.get(&name).or_else(|| standing.values().next());
        let Some(ours) = ours else {
            return Step::Create;
        };
        if let Some(extra) = standing.keys().find(|other| **other != ours.name) {
            return Step::Delete(extra.clone());
        }
        if ours.has_status && !says(ours, key, options) {
            // Its fields cannot be changed.
            return Step::Delete(ours.name.clone());
        }
        if options
            .owner
            .as_ref()
            .is_some_and(|owner| !ours.owners.contains(&owner.uid))
        {
            return Step::Adopt(ours.name.clone());
        }
        if !ours.has_status || !same(&ours.list, list) {
            return Step::Write(ours.name.clone());
        }
        match key.0 == Protocol::Layer2 && self.begun.contains(&key.1) {
            true => Step::Sweep,
            false => Step::Nothing,
        }
    }
}

fn says(own: &Own, key: &Key, options: &ServiceStatusesOptions) -> bool {
    own.node == options.node && own.service.0 == key.1.namespace() && own.service.1 == key.1.name()
}

/// Equal as sets: another order is no reason to write.
fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && other.iter().all(|name| one.contains(name))
}

async fn observe(shared: Arc<Shared>, mut receiver: mpsc::Receiver<Vec<(Protocol, Event<Own>)>>) {
    while let Some(batch) = receiver.recv().await {
        for (protocol, event) in batch {
            let concerned = shared.lock().observe(protocol, event);
            for key in concerned {
                shared.work.put(key, ());
            }
        }
    }
}

#[derive(Clone)]
struct Keeper {
    cluster: Cluster,
    options: Arc<ServiceStatusesOptions>,
    shared: Arc<Shared>,
}

impl Keeper {
    async fn run(self) {
        loop {
            let job = self.shared.work.next().await;
            match self.settle(&job.key).await {
                Ok(true) => self.shared.work.done(&job.key),
                // Others have their turn.
                Ok(false) => drop(self.shared.work.retry(job, Duration::ZERO)),
                Err(error) => self.again(job, &error),
            }
        }
    }

    fn again(&self, job: Job<Key, ()>, error: &Error) {
        if job.failures == 0 {
            let (protocol, service) = &job.key;
            tracing::warn!(kind = protocol.kind(), %service, %error, "a status object could not be written");
        }
        let pause = BACKOFF.after(job.failures);
        self.shared.work.retry(job, pause);
    }

    /// Takes steps until nothing is left to do. False: something is.
    async fn settle(&self, key: &Key) -> Result<bool, Error> {
        for _ in 0..STEPS {
            let step = self.shared.lock().step(key, &self.options);
            if step == Step::Nothing {
                return Ok(true);
            }
            self.cluster.load().make_way().await;
            self.take(key, step).await?;
        }
        Ok(false)
    }

    async fn take(&self, key: &Key, step: Step) -> Result<(), Error> {
        let (protocol, service) = key;
        match step {
            Step::Nothing => Ok(()),
            Step::Delete(name) => {
                self.delete(*protocol, &name).await?;
                self.shared.lock().gone(*protocol, &name);
                Ok(())
            }
            Step::Create => self.create(*protocol, service).await,
            Step::Adopt(name) => {
                let owners: Vec<&Owner> = self.options.owner.iter().collect();
                let body = serde_json::json!({ "metadata": { "ownerReferences": owners } });
                let path = protocol.object(self.cluster.namespace(), &name);
                self.stand(
                    *protocol,
                    &name,
                    request::patch(PatchKind::Merge, path, &body)?,
                )
                .await
            }
            Step::Write(name) => {
                let Some(list) = self.shared.lock().desired.get(key).cloned() else {
                    return Ok(());
                };
                let body = protocol.status(&self.options.node, service, &list);
                let path = format!(
                    "{}/status",
                    protocol.object(self.cluster.namespace(), &name)
                );
                self.stand(
                    *protocol,
                    &name,
                    request::patch(PatchKind::Merge, path, &body)?,
                )
                .await
            }
            Step::Sweep => self.sweep(service).await,
        }
    }

    async fn create(&self, protocol: Protocol, service: &ServiceKey) -> Result<(), Error> {
        let namespace = self.cluster.namespace();
        let node = &self.options.node;
        let body = protocol.new_object(namespace, node, service, self.options.owner.as_ref());
        let name = protocol.name(node, service);
        let made = self
            .stand(
                protocol,
                &name,
                request::post(protocol.collection(namespace), &body)?,
            )
            .await;
        match made {
            // Ours by its name, but not by its labels, or not seen yet.
            Err(error) if error.is_conflict() => self.reclaim(protocol, &name).await,
            other => other,
        }
    }

    /// An object stands under our name: taken as it is, or removed if its labels hide it from us.
    async fn reclaim(&self, protocol: Protocol, name: &str) -> Result<(), Error> {
        let path = protocol.object(self.cluster.namespace(), name);
        let text = match self.cluster.text(request::get(path)?, LIMIT).await {
            Err(error) if error.is_not_found() => return Ok(()),
            other => other?,
        };
        let own = own::decode(&text);
        if own.node_label != super::naming::label(&self.options.node) {
            return self.delete(protocol, name).await;
        }
        self.shared.lock().stands(protocol, own);
        Ok(())
    }

    /// Sends a request whose answer is the object as it stands now.
    async fn stand(
        &self,
        protocol: Protocol,
        name: &str,
        request: http::Request<Vec<u8>>,
    ) -> Result<(), Error> {
        match self.cluster.text(request, LIMIT).await {
            Ok(text) => {
                self.shared.lock().stands(protocol, own::decode(&text));
                Ok(())
            }
            Err(error) if error.is_not_found() => {
                // Somebody removed it; without one the next step is to create it.
                let known = self.shared.lock().gone(protocol, name).is_some();
                if known { Ok(()) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, protocol: Protocol, name: &str) -> Result<(), Error> {
        let path = protocol.object(self.cluster.namespace(), name);
        match self.cluster.text(request::delete(path)?, LIMIT).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what other nodes say of a Service that we answer for now. Many at once are read together.
    async fn sweep(&self, service: &ServiceKey) -> Result<(), Error> {
        const MANY: usize = 16;
        let begun: HashSet<ServiceKey> = {
            let state = self.shared.lock();
            match state.begun.len() > MANY {
                true => state.begun.clone(),
                false => HashSet::from([service.clone()]),
            }
        };
        let namespace = self.cluster.namespace();
        let source = match begun.len() {
            1 => Protocol::Layer2.of_service(namespace, service),
            _ => Protocol::Layer2.of_all(namespace),
        };
        self.sweep_in(&source, &begun).await?;
        self.shared.lock().begun.retain(|key| !begun.contains(key));
        Ok(())
    }

    async fn sweep_in(
        &self,
        source: &crate::source::Source,
        begun: &HashSet<ServiceKey>,
    ) -> Result<(), Error> {
        let mut continued: Option<String> = None;
        loop {
            let page = source
                .page(&self.cluster, continued.as_deref(), own::decode)
                .await?;
            for other in page.items {
                let service = ServiceKey::new(other.service.0.as_str(), other.service.1.as_str());
                let is_foreign = !other.node.is_empty() && other.node != self.options.node;
                if is_foreign && begun.contains(&service) {
                    self.delete(Protocol::Layer2, &other.name).await?;
                }
            }
            continued = page.continued;
            if continued.is_none() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
#[path = "services_tests.rs"]
mod tests;
