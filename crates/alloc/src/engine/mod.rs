// SPDX-License-Identifier: Apache-2.0
//! The controller's whole logic over all Services: who is served, in which order, and who is looked at
//! again when something changes.
//!
//! Feed it with `apply_*`, `delete_*`, `set_config` and `synced`; then call [`Engine::poll`] until it
//! gives nothing. Nothing is decided before Services, Namespaces and a configuration are complete, and
//! addresses that a status holds are booked before anyone gets a new one. A source shows our own
//! writes again; such an echo changes nothing, and nothing depends on it.

mod entry;
mod namespaces;
mod pending;
mod retry;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use ferrolb_api::view::{NamespaceView, ServiceView};
use ferrolb_config::Config;
use ferrolb_types::{Diagnostic, ServiceKey};

use crate::{
    allocator::{Allocator, Held},
    convergence::{Input, adopt, converge},
    outcome::{Outcome, Reason, Standing, Wait},
};

use entry::{Age, Entry, Seen};
use namespaces::Namespaces;
use pending::Pending;

/// How an engine is to work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The `loadBalancerClass` to serve; `None` serves the Services that name none.
    pub lb_class: Option<String>,
    /// Whether nobody gives Services cluster addresses (a folder of manifests): their families then
    /// follow from policy, first family and requested addresses.
    pub implied_cluster_ips: bool,
    /// Whether every Namespace comes as an object (an API server). A Service whose Namespace is not known
    /// yet then waits for it and keeps what its status holds; otherwise such a Namespace has no labels.
    pub await_namespaces: bool,
}

/// A kind whose first complete list must be in before anything is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Services.
    Services,
    /// Namespaces.
    Namespaces,
}

/// A result to write and to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The Service.
    pub key: ServiceKey,
    /// What to do; its `changed` says whether to write.
    pub outcome: Outcome,
}

/// Why a Service has the addresses it has, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// How that came about, in order.
    pub reasons: Vec<Reason>,
    /// Why it has none, or not what it asks for.
    pub refusal: Option<Diagnostic>,
    /// What it waits for.
    pub wait: Option<Wait>,
}

/// What has to be done with a Service; adoption goes before everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Adopt,
    Converge,
}

/// All Services and pools.
#[derive(Debug, Default)]
pub struct Engine {
    options: Options,
    allocator: Allocator,
    services: BTreeMap<ServiceKey, Entry>,
    namespaces: Namespaces,
    pending: Pending,
    /// How many of them are refused something.
    refused: usize,
    tasks: BTreeSet<(Task, Age)>,
    outputs: VecDeque<Output>,
    configured: bool,
    services_synced: bool,
    namespaces_synced: bool,
    convergences: u64,
}

impl Engine {
    /// An engine that knows nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            namespaces: Namespaces::new(options.await_namespaces),
            options,
            ..Self::default()
        }
    }

    /// Takes over a configuration.
    pub fn set_config(&mut self, config: &Config) {
        let first = !self.configured;
        self.configured = true;
        let reload = self.allocator.set_config(config);
        for key in &reload.affected {
            self.enqueue(key);
        }
        if reload.changed || first {
            let waiting: Vec<ServiceKey> = self.pending.all().map(|age| age.key.clone()).collect();
            for key in &waiting {
                self.enqueue(key);
            }
        }
    }

    /// Tells that the first complete list of a kind is in.
    pub fn synced(&mut self, kind: Kind) {
        match kind {
            Kind::Services => self.services_synced = true,
            Kind::Namespaces => self.namespaces_synced = true,
        }
    }

    /// A Service is there, or has changed.
    pub fn apply_service(&mut self, view: Arc<ServiceView>) {
        let key = view.key.clone();
        if self.options.lb_class.as_deref() != view.class.as_deref() {
            return self.leave(&view);
        }
        match self.services.get(&key) {
            Some(entry) if entry.view == view => return,
            Some(entry) if entry.view.created != view.created => self.delete_service(&key),
            Some(_) | None => {}
        }
        self.withdraw(&key);
        let seen = match self.services.get_mut(&key) {
            Some(entry) => entry.see(view),
            None => {
                self.services.insert(key.clone(), Entry::new(view));
                Seen::Foreign
            }
        };
        match seen {
            Seen::Echo => self.wait(&key),
            Seen::Change => self.enqueue(&key),
            Seen::Foreign => self.give_way(&key),
        }
    }

    /// A Service is gone.
    pub fn delete_service(&mut self, key: &ServiceKey) {
        self.withdraw(key);
        if let Some(entry) = self.services.remove(key) {
            let age = Age::of(&entry.view);
            self.tasks.remove(&(Task::Adopt, age.clone()));
            self.tasks.remove(&(Task::Converge, age));
        }
        self.outputs.retain(|output| output.key != *key);
        self.allocator.free(key);
    }

    /// A Namespace is there, or has changed.
    pub fn apply_namespace(&mut self, view: NamespaceView) {
        let name = view.name.clone();
        if self.namespaces.apply(view) {
            self.enqueue_namespace(&name);
        }
    }

    /// A Namespace is gone.
    pub fn delete_namespace(&mut self, name: &str) {
        if self.namespaces.delete(name) {
            self.enqueue_namespace(name);
        }
    }

    /// The next result; `None` when there is nothing to do until the next input.
    pub fn poll(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            if !(self.configured && self.services_synced && self.namespaces_synced) {
                return None;
            }
            if !self.step() {
                return None;
            }
        }
    }

    /// Whether the Service wants an address and has none, or asks for what it cannot have.
    #[must_use]
    pub fn is_pending(&self, key: &ServiceKey) -> bool {
        let entry = self.services.get(key);
        entry.is_some_and(|entry| entry.refusal.is_some())
    }

    /// How many Services are pending, as [`Self::is_pending`] says of each.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.refused
    }

    /// The Services that lack addresses, or could have another one, the oldest first.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = &ServiceKey> {
        self.pending.all().map(|age| &age.key)
    }

    /// Why a Service has the addresses it has; `None` if it is not ours.
    #[must_use]
    pub fn explain(&self, key: &ServiceKey) -> Option<Explanation> {
        let entry = self.services.get(key)?;
        Some(Explanation {
            addresses: entry.base.addresses.clone(),
            reasons: entry.reasons.clone(),
            refusal: entry.refusal.as_deref().cloned(),
            wait: entry.wait.clone(),
        })
    }

    /// What the status and the annotation of a Service have to say in the end.
    #[must_use]
    pub fn desired(&self, key: &ServiceKey) -> Option<&Standing> {
        self.services.get(key).map(|entry| &entry.base)
    }

    /// Whether the source shows what was decided of a Service.
    #[must_use]
    pub fn is_confirmed(&self, key: &ServiceKey) -> bool {
        self.services.get(key).is_some_and(Entry::is_confirmed)
    }

    /// A write found standing what was decided of a Service: the source has nothing more to show of it.
    pub fn confirm(&mut self, key: &ServiceKey) {
        if let Some(entry) = self.services.get_mut(key) {
            entry.confirm();
        }
    }

    /// Everything that is held, by Service.
    pub fn held(&self) -> impl Iterator<Item = (&ServiceKey, Held)> {
        let keys = self.services.keys();
        keys.filter_map(|key| self.allocator.held(key).map(|held| (key, held)))
    }

    /// Pools and bookings, for counters.
    #[must_use]
    pub fn allocator(&self) -> &Allocator {
        &self.allocator
    }

    /// How many Services were converged so far, each time counted.
    #[must_use]
    pub fn convergences(&self) -> u64 {
        self.convergences
    }

    fn step(&mut self) -> bool {
        let adopting = matches!(self.tasks.first(), Some((Task::Adopt, _)));
        if !adopting && let Some(address) = self.allocator.next_freed() {
            self.retry(address);
            return true;
        }
        match self.tasks.pop_first() {
            None => return false,
            Some((Task::Adopt, age)) => self.adopt(age),
            Some((Task::Converge, age)) => self.converge(&age.key),
        }
        true
    }

    fn adopt(&mut self, age: Age) {
        if let Some(entry) = self.services.get(&age.key) {
            adopt(
                &mut self.allocator,
                &Input {
                    view: &entry.view,
                    namespace_labels: self.namespaces.labels(age.key.namespace()),
                    standing: &entry.base,
                    implied_cluster_ips: self.options.implied_cluster_ips,
                },
            );
        }
        self.tasks.insert((Task::Converge, age));
    }

    fn converge(&mut self, key: &ServiceKey) {
        self.withdraw(key);
        let Some(entry) = self.services.get_mut(key) else {
            return;
        };
        let Some(labels) = self.namespaces.labels(key.namespace()) else {
            // It is looked at again when its Namespace comes.
            return self.wait(key);
        };
        self.convergences += 1;
        let mut outcome = converge(
            &mut self.allocator,
            &Input {
                view: &entry.view,
                namespace_labels: Some(labels),
                standing: &entry.base,
                implied_cluster_ips: self.options.implied_cluster_ips,
            },
        );
        if entry.settle(&mut outcome) {
            let key = key.clone();
            self.outputs.push_back(Output { key, outcome });
        }
        self.wait(key);
    }

    fn enqueue(&mut self, key: &ServiceKey) {
        let Some(entry) = self.services.get(key) else {
            return;
        };
        let standing = &entry.base;
        let stands = !standing.addresses.is_empty() && self.allocator.held(key).is_none();
        let task = if stands { Task::Adopt } else { Task::Converge };
        self.tasks.insert((task, Age::of(&entry.view)));
    }

    /// A status that somebody else wrote counts before what was decided here and is not to be seen yet:
    /// the source shows everybody the same order, so two that decide at once come to agree.
    fn give_way(&mut self, key: &ServiceKey) {
        let Some(entry) = self.services.get(key) else {
            return;
        };
        let holders = entry.base.addresses.iter();
        let holders = holders.flat_map(|address| self.allocator.holders(*address));
        let early = |holder: &&ServiceKey| *holder != key && !self.is_confirmed(holder);
        let early: Vec<ServiceKey> = holders.filter(early).cloned().collect();
        let age = Age::of(&entry.view);
        if early.is_empty() {
            return self.enqueue(key);
        }
        for holder in &early {
            self.allocator.free(holder);
            let view = self.services.get(holder).map(|entry| Age::of(&entry.view));
            self.tasks.extend(view.map(|age| (Task::Converge, age)));
        }
        self.allocator.free(key);
        self.tasks.insert((Task::Adopt, age));
    }

    fn enqueue_namespace(&mut self, namespace: &str) {
        let from = ServiceKey::new(namespace, "");
        let keys = self.services.range(from..).map(|(key, _)| key);
        let keys = keys.take_while(|key| key.namespace() == namespace);
        for key in keys.cloned().collect::<Vec<_>>() {
            self.enqueue(&key);
        }
    }

    /// Registers what a Service waits for, if it lacks anything.
    fn wait(&mut self, key: &ServiceKey) {
        let Some(entry) = self.services.get(key) else {
            return;
        };
        if entry.refusal.is_none() && entry.wait.is_none() {
            return;
        }
        let sharing = crate::demand::sharing_key(&entry.view);
        let age = Age::of(&entry.view);
        let wait = entry.wait.as_ref();
        let is_new = self.pending.insert(&age, wait, sharing.as_ref());
        self.refused += usize::from(is_new && entry.refusal.is_some());
    }

    fn withdraw(&mut self, key: &ServiceKey) {
        let Some(entry) = self.services.get(key) else {
            return;
        };
        let sharing = crate::demand::sharing_key(&entry.view);
        let age = Age::of(&entry.view);
        let wait = entry.wait.as_ref();
        let was_there = self.pending.remove(&age, wait, sharing.as_ref());
        self.refused -= usize::from(was_there && entry.refusal.is_some());
    }

    /// A Service that another implementation serves, or nobody: what it held is free. The status of a
    /// Service that is no load balancer any more is still ours to empty.
    fn leave(&mut self, view: &ServiceView) {
        let Some(entry) = self.services.get(&view.key) else {
            return;
        };
        let ours = !entry.base.is_empty();
        self.delete_service(&view.key);
        if ours && !view.is_load_balancer() {
            let outcome = Outcome {
                changed: true,
                ..Outcome::default()
            };
            let key = view.key.clone();
            self.outputs.push_back(Output { key, outcome });
        }
    }
}
