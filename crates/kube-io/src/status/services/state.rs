// SPDX-License-Identifier: Apache-2.0
//! What is desired, what stands, and the one step that brings them closer. No I/O.

use std::collections::{BTreeMap, HashMap, HashSet};

use ferrolb_types::ServiceKey;

use super::{
    super::own::{Own, Protocol},
    Key, ServiceStatusesOptions,
};
use crate::reflect::Event;

#[derive(Debug, Default)]
pub(super) struct State {
    pub desired: HashMap<Key, Vec<String>>,
    /// Our objects by Service, then by name.
    pub standing: HashMap<Key, BTreeMap<String, Own>>,
    /// The Service each object name belongs to.
    pub names: HashMap<(Protocol, String), ServiceKey>,
    pub synced: HashSet<Protocol>,
    /// Services we began to answer for, whose other nodes' objects have to go.
    pub begun: HashSet<ServiceKey>,
    /// What is known completely of what is desired.
    pub settled: HashSet<Protocol>,
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
    /// Takes what is desired. False: it was already.
    pub(super) fn desire(&mut self, key: &Key, list: Option<Vec<String>>) -> bool {
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
    pub(super) fn observe(&mut self, protocol: Protocol, event: Event<Own>) -> Vec<Key> {
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

    pub(super) fn stands(&mut self, protocol: Protocol, own: Own) -> Vec<Key> {
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

    pub(super) fn gone(&mut self, protocol: Protocol, name: &str) -> Option<Key> {
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
    pub(super) fn step(&self, key: &Key, options: &ServiceStatusesOptions) -> Step {
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
