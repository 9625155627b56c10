// SPDX-License-Identifier: Apache-2.0
//! The half that assigns addresses: the engine, and the state file it writes.
//!
//! An address is told to anybody only after it is in the state file for good.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use ferrolb_alloc::{Engine, EventType, Kind, Options, Output};
use ferrolb_api::view::ServiceView;
use ferrolb_types::{Diagnostic, ServiceKey};

use crate::{
    model::Update,
    state::{Generation, Held, Loaded, Lock, Store, lock},
    status::report::PoolReport,
};

/// The engine and what it writes to.
pub(super) struct Assigning {
    engine: Engine,
    store: Store,
    /// What the engine decided; ahead of the state file while that cannot be written.
    wanted: Arc<Generation>,
    /// The Services whose place in `wanted` is to be looked at.
    touched: BTreeSet<ServiceKey>,
    /// Whether `wanted` is ahead of the state file.
    unsaved: bool,
    /// Why nothing is decided, or nothing written.
    blocked: Option<Diagnostic>,
    warning: Option<Diagnostic>,
    begun: bool,
    lock: Lock,
}

impl Assigning {
    /// Takes the lock and opens the state.
    pub(super) fn open(
        state_dir: &Path,
        lb_class: Option<String>,
    ) -> Result<Self, Box<Diagnostic>> {
        let held = Lock::take(state_dir)?;
        let store = Store::open(state_dir).map_err(|error| lock::unusable(state_dir, &error))?;
        Ok(Self {
            engine: Engine::new(Options {
                lb_class,
                implied_cluster_ips: true,
                await_namespaces: false,
            }),
            store,
            wanted: Arc::default(),
            touched: BTreeSet::new(),
            unsaved: false,
            blocked: None,
            warning: None,
            begun: false,
            lock: held,
        })
    }

    /// Reads who held what. Gives nothing while that is unknown: then nothing may be decided.
    pub(super) fn restore(&mut self) -> Option<Arc<Generation>> {
        let generation = match self.store.load() {
            Loaded::Fresh => Generation::default(),
            Loaded::Current(generation) => generation,
            Loaded::Previous(generation, warning) => {
                tracing::warn!("{warning}");
                self.warning = Some(*warning);
                self.unsaved = true;
                generation
            }
            Loaded::Unknown(why) => {
                if self.blocked.as_ref() != Some(&*why) {
                    tracing::error!("{why}");
                }
                self.blocked = Some(*why);
                return None;
            }
        };
        self.blocked = None;
        self.wanted = Arc::new(generation);
        // A Service that went while nobody looked holds nothing any more.
        self.touched.extend(self.wanted.services.keys().cloned());
        Some(Arc::clone(&self.wanted))
    }

    /// Everything is in: decide from now on.
    pub(super) fn begin(&mut self) {
        self.begun = true;
        self.engine.synced(Kind::Services);
        self.engine.synced(Kind::Namespaces);
    }

    /// Every pool, as full as it is.
    pub(super) fn pools(&self) -> Vec<PoolReport> {
        let pools = self.engine.allocator().pools();
        pools
            .map(|(name, counters)| PoolReport::new(name, &counters))
            .collect()
    }

    /// Whether [`Self::begin`] was called.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// A Service with the addresses it holds.
    pub(super) fn apply_service(&mut self, view: Arc<ServiceView>) {
        self.touched.insert(view.key.clone());
        self.engine.apply_service(view);
    }

    /// Anything but a Service.
    pub(super) fn apply(&mut self, update: &Update) {
        match update {
            Update::ServiceGone(key) => {
                self.engine.delete_service(key);
                self.touched.insert(key.clone());
            }
            Update::Namespace(view) => self.engine.apply_namespace(view.clone()),
            Update::NamespaceGone(name) => self.engine.delete_namespace(name),
            Update::Config(config) => self.engine.set_config(config),
            Update::Service(_)
            | Update::Slice(_)
            | Update::SliceGone(_)
            | Update::Node(_)
            | Update::NodeGone(_) => {}
        }
    }

    /// Decides what there is to decide and writes it. Gives the new generation once it is written.
    pub(super) fn settle(&mut self) -> Option<Arc<Generation>> {
        if !self.begun {
            return None;
        }
        while let Some(output) = self.engine.poll() {
            self.record(output);
        }
        for key in std::mem::take(&mut self.touched) {
            self.unsaved |= self.note(key);
        }
        // The directory may have gone with the folder around it, and that may have come back without it.
        self.unsaved |= !self.wanted.services.is_empty() && self.store.is_missing();
        if !self.unsaved {
            return None;
        }
        if let Err(fault) = self.save() {
            if self.blocked.as_ref() != Some(&*fault) {
                tracing::error!("{fault}");
            }
            self.blocked = Some(*fault);
            return None;
        }
        self.blocked = None;
        self.unsaved = false;
        Some(Arc::clone(&self.wanted))
    }

    /// Writes what is wanted, in a directory that is ours.
    fn save(&mut self) -> Result<(), Box<Diagnostic>> {
        let directory = self.store.directory().to_owned();
        let unusable = |error| lock::unusable(&directory, &error);
        self.store.remake().map_err(unusable)?;
        self.lock.renew(&directory)?;
        self.store.save(&self.wanted).map_err(unusable)
    }

    /// Whether something decided is not written yet.
    pub(super) fn is_behind(&self) -> bool {
        self.unsaved || !self.begun
    }

    /// What is wrong with the state.
    pub(super) fn faults(&self) -> impl Iterator<Item = &Diagnostic> {
        self.blocked.iter().chain(&self.warning)
    }

    /// Why a Service has no address, or not the one it asks for.
    pub(super) fn refusal(&self, key: &ServiceKey) -> Option<Diagnostic> {
        self.engine.explain(key)?.refusal
    }

    fn record(&mut self, output: Output) {
        let Output { key, outcome } = output;
        for event in &outcome.events {
            match event.type_ {
                EventType::Normal => {
                    tracing::info!(service = %key, reason = event.reason, "{}", event.message);
                }
                EventType::Warning => {
                    tracing::warn!(service = %key, reason = event.reason, "{}", event.message);
                }
            }
        }
        self.touched.insert(key);
    }

    /// Takes over what the engine wants for a Service; says whether that is news.
    fn note(&mut self, key: ServiceKey) -> bool {
        let pending = self.engine.is_pending(&key);
        let desired = self.engine.desired(&key);
        let held = desired.filter(|standing| pending || !standing.addresses.is_empty());
        let held = held.map(|standing| Held {
            addresses: standing.addresses.clone(),
            pool: standing.pool.clone(),
        });
        if self.wanted.services.get(&key) == held.as_ref() {
            return false;
        }
        // The one last given is shared with whoever took it.
        let services = &mut Arc::make_mut(&mut self.wanted).services;
        match held {
            Some(held) => drop(services.insert(key, held)),
            None => drop(services.remove(&key)),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        folder::{Content, FileChange},
        model::Model,
        roles::Roster,
    };

    const POOL: &str = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\n\
                        spec: {addresses: [192.0.2.0/30]}\n";

    fn manifest(name: &str, more: &str) -> String {
        format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n\
             spec: {{type: LoadBalancer, ports: [{{port: 80}}]{more}\n"
        )
    }

    fn generation(held: &[(&str, &str)]) -> Generation {
        let held = held.iter().map(|(name, address)| {
            let held = Held {
                addresses: vec![address.parse().unwrap()],
                pool: Some("p".into()),
            };
            (ServiceKey::new("default", *name), held)
        });
        Generation {
            services: held.collect(),
        }
    }

    /// What is in the state file after a start with this one on this folder.
    fn started(before: &Generation, folder: &str) -> Generation {
        let directory = tempfile::tempdir().unwrap();
        Store::open(directory.path()).unwrap().save(before).unwrap();
        let mut assigning = Assigning::open(directory.path(), None).unwrap();
        let (mut roster, mut model) = (Roster::default(), Model::new("metallb-system"));
        let files = vec![FileChange {
            path: "a.yaml".into(),
            content: Content::Text(folder.to_owned()),
        }];
        for update in model.take(files).updates {
            match update {
                Update::Service(view) => assigning.apply_service(roster.apply(view)),
                other => assigning.apply(&other),
            }
        }
        let restored = assigning.restore().unwrap();
        for view in roster.set_generation(restored) {
            assigning.apply_service(view);
        }
        for view in roster.overclaims() {
            assigning.apply_service(view);
        }
        assigning.begin();
        assigning.settle();
        assert!(!assigning.is_behind());
        match Store::reader(directory.path()).load() {
            Loaded::Current(generation) => generation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_service_that_went_while_nobody_looked_holds_nothing() {
        let before = generation(&[("gone", "192.0.2.0"), ("web", "192.0.2.1")]);
        let folder = POOL.to_owned() + &manifest("new", "}") + &manifest("web", "}");
        let want = generation(&[("new", "192.0.2.0"), ("web", "192.0.2.1")]);
        assert_eq!(started(&before, &folder), want);
    }

    #[test]
    fn a_service_of_another_class_holds_nothing() {
        let before = generation(&[("web", "192.0.2.1")]);
        let folder = POOL.to_owned() + &manifest("web", ", loadBalancerClass: x}");
        assert_eq!(started(&before, &folder), Generation::default());
    }

    #[test]
    fn a_text_takes_no_address_from_its_holder() {
        let before = generation(&[("web", "192.0.2.1")]);
        let status = "}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}";
        // By its name it comes first; by its creation too.
        for name in [
            "{name: a}",
            "{name: a, creationTimestamp: '2020-01-01T00:00:00Z'}",
        ] {
            let claim = manifest("a", status).replace("{name: a}", name);
            let folder = POOL.to_owned() + &claim + &manifest("web", "}");
            let want = generation(&[("a", "192.0.2.0"), ("web", "192.0.2.1")]);
            assert_eq!(started(&before, &folder), want);
        }
        // Not by sharing it with ports that clash either, nor under another spelling of it.
        let shares = |name: &str, key: &str| {
            format!("{{name: {name}, annotations: {{metallb.io/allow-shared-ip: '{key}'}}}}")
        };
        for (key, spelling) in [
            ("x", "192.0.2.1"),
            ("", "192.0.2.1"),
            ("x", "::ffff:192.0.2.1"),
        ] {
            let claim = manifest("a", status).replace("{name: a}", &shares("a", key));
            let claim = claim.replace("ip: 192.0.2.1", &format!("ip: '{spelling}'"));
            let holder = manifest("web", "}").replace("{name: web}", &shares("web", key));
            let want = generation(&[("a", "192.0.2.0"), ("web", "192.0.2.1")]);
            assert_eq!(
                started(&before, &(POOL.to_owned() + &claim + &holder)),
                want
            );
        }
        // Nobody is there any more who holds it.
        let folder = POOL.to_owned() + &manifest("a", status);
        assert_eq!(started(&before, &folder), generation(&[("a", "192.0.2.1")]));
    }

    #[test]
    fn what_a_manifest_holds_is_written_too() {
        let status = "}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.2}]}}";
        let noted = "{name: web, annotations: {metallb.io/ip-allocated-from-pool: p}}";
        let folder = POOL.to_owned() + &manifest("web", status).replace("{name: web}", noted);
        let want = generation(&[("web", "192.0.2.2")]);
        assert_eq!(started(&Generation::default(), &folder), want);
    }
}
