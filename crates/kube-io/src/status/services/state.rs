// SPDX-License-Identifier: Apache-2.0
//! What is desired, what stands, and the one step that brings them closer. No I/O.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use ferrolb_types::ServiceKey;

use super::{
    super::own::{Own, Protocol},
    Key, ServiceStatusesOptions,
    lists::{List, Lists},
};
use crate::{Error, reflect::Event};

#[derive(Debug)]
pub(super) struct State {
    options: Arc<ServiceStatusesOptions>,
    pub desired: HashMap<Key, List>,
    /// Our objects by name.
    objects: HashMap<(Protocol, Box<str>), Standing>,
    /// The names of those that are not called as we would call them: by an earlier MetalLB, or by hand.
    others: HashMap<Key, Vec<Box<str>>>,
    lists: Lists,
    pub synced: HashSet<Protocol>,
    /// Kinds the API server does not know (any more): nothing can be written in them.
    absent: HashSet<Protocol>,
    /// Services we began to answer for, whose other nodes' objects have to go.
    pub begun: HashSet<ServiceKey>,
    /// What is known completely of what is desired.
    pub settled: HashSet<Protocol>,
}

/// An object as it stands, as far as it matters. There are as many as Services.
#[derive(Debug)]
struct Standing {
    service: ServiceKey,
    /// Whether it goes with our Pod, where we have one.
    ours: bool,
    status: Status,
}

#[derive(Debug)]
enum Status {
    /// None yet.
    Missing,
    /// Of another node than its label says: its fields cannot be changed.
    Foreign,
    /// Names these interfaces or peers.
    Names(List),
}

/// What has to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Delete(String),
    Create,
    Adopt(String),
    Write(String),
    /// Remove what other nodes say.
    Sweep,
}

impl State {
    pub(super) fn new(options: Arc<ServiceStatusesOptions>) -> Self {
        Self {
            options,
            desired: HashMap::new(),
            objects: HashMap::new(),
            others: HashMap::new(),
            lists: Lists::default(),
            synced: HashSet::new(),
            absent: HashSet::new(),
            begun: HashSet::new(),
            settled: HashSet::new(),
        }
    }

    /// Takes what is desired. False: it was already.
    pub(super) fn desire(&mut self, key: &Key, names: Option<Vec<String>>) -> bool {
        let old = match names {
            Some(names) => {
                let list = self.lists.share(names);
                let old = self.desired.insert(key.clone(), Arc::clone(&list));
                if old.is_none() && key.0 == Protocol::Layer2 {
                    self.begun.insert(key.1.clone());
                }
                return old.as_ref() != Some(&list);
            }
            None => self.desired.remove(key),
        };
        if key.0 == Protocol::Layer2 {
            self.begun.remove(&key.1);
        }
        old.is_some()
    }

    /// Takes what happened, and gives the Services it concerns.
    pub(super) fn observe(&mut self, protocol: Protocol, event: Event<Own>) -> Vec<Key> {
        match event {
            Event::Set(own) if own.name.is_empty() => Vec::new(),
            Event::Set(own) => self.stands(protocol, own),
            Event::Gone(_, name) => self.gone(protocol, &name).into_iter().collect(),
            Event::Synced => {
                self.synced.insert(protocol);
                self.all(protocol)
            }
            Event::Trouble(Error::NotInstalled(_)) => {
                self.absent.insert(protocol);
                Vec::new()
            }
            Event::Well if self.absent.remove(&protocol) => self.all(protocol),
            Event::Trouble(_) | Event::Well => Vec::new(),
        }
    }

    /// The Services of which something is desired or stands.
    fn all(&self, protocol: Protocol) -> Vec<Key> {
        let desired = self.desired.keys().filter(|key| key.0 == protocol);
        let all: HashSet<Key> = desired.cloned().chain(self.standing(protocol)).collect();
        all.into_iter().collect()
    }

    /// The Services of which something stands; one of which much stands, more than once.
    pub(super) fn standing(&self, protocol: Protocol) -> impl Iterator<Item = Key> {
        let of_protocol = self
            .objects
            .iter()
            .filter(move |((of, _), _)| *of == protocol);
        of_protocol.map(move |(_, standing)| (protocol, standing.service.clone()))
    }

    pub(super) fn stands(&mut self, protocol: Protocol, own: Own) -> Vec<Key> {
        let mut concerned = Vec::new();
        let key = (protocol, ServiceKey::new(&own.service.0, &own.service.1));
        let name: Box<str> = own.name.as_str().into();
        let at = (protocol, name.clone());
        if self
            .objects
            .get(&at)
            .is_some_and(|old| old.service != key.1)
        {
            concerned.extend(self.gone(protocol, &name));
        }
        let standing = self.reduced(own, &key);
        let is_new = self.objects.insert(at, standing).is_none();
        if is_new && *name != *self.name(&key) {
            self.others.entry(key.clone()).or_default().push(name);
        }
        concerned.push(key);
        concerned
    }

    pub(super) fn gone(&mut self, protocol: Protocol, name: &str) -> Option<Key> {
        let gone = self.objects.remove(&(protocol, name.into()))?;
        let key = (protocol, gone.service);
        if let Some(others) = self.others.get_mut(&key) {
            others.retain(|other| **other != *name);
            if others.is_empty() {
                self.others.remove(&key);
            }
        }
        Some(key)
    }

    fn reduced(&mut self, own: Own, key: &Key) -> Standing {
        let (node, owner) = (&self.options.node, &self.options.owner);
        let status = if !own.has_status {
            Status::Missing
        } else if own.node != *node {
            Status::Foreign
        } else {
            Status::Names(self.lists.share(own.list))
        };
        Standing {
            service: key.1.clone(),
            ours: owner
                .as_ref()
                .is_none_or(|owner| own.owners.contains(&owner.uid)),
            status,
        }
    }

    /// What we call the object of a Service.
    fn name(&self, key: &Key) -> String {
        key.0.name(&self.options.node, &key.1)
    }

    /// The object that stands for a Service, and one more if there are several.
    fn found(&self, key: &Key) -> (Option<(String, &Standing)>, Option<String>) {
        let mut names = vec![self.name(key)];
        let others = self.others.get(key).into_iter().flatten();
        names.extend(others.map(|name| String::from(&**name)));
        let mut standing = names.into_iter().filter_map(|name| {
            let object = self.objects.get(&(key.0, name.as_str().into()))?;
            (object.service == key.1).then_some((name, object))
        });
        (standing.next(), standing.next().map(|(name, _)| name))
    }

    /// The next step for a Service.
    pub(super) fn step(&self, key: &Key) -> Step {
        if !self.synced.contains(&key.0) || self.absent.contains(&key.0) {
            return Step::Nothing;
        }
        match (self.desired.get(key), self.found(key)) {
            (None, (Some((name, _)), _)) if self.settled.contains(&key.0) => Step::Delete(name),
            (None, _) => Step::Nothing,
            (Some(_), (None, _)) => Step::Create,
            (Some(_), (Some(_), Some(extra))) => Step::Delete(extra),
            (Some(list), (Some((name, standing)), None)) => match &standing.status {
                Status::Foreign => Step::Delete(name),
                _ if !standing.ours => Step::Adopt(name),
                Status::Names(names) if names == list => self.sweep(key),
                Status::Missing | Status::Names(_) => Step::Write(name),
            },
        }
    }

    fn sweep(&self, key: &Key) -> Step {
        match key.0 == Protocol::Layer2 && self.begun.contains(&key.1) {
            true => Step::Sweep,
            false => Step::Nothing,
        }
    }
}
