// SPDX-License-Identifier: Apache-2.0
//! What an API server told so far: the configuration it amounts to, which kinds are complete, and what
//! went wrong on the way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ferrolb_config::{extras, object::Object};
use ferrolb_kube_io::{Error, Meta, Subject, Told, Watched};
use ferrolb_types::{Diagnostic, NodeName, ObjectRef, ServiceKey, codes, codes::pool::P051};

use super::{memory::Memory, version::Version};
use crate::intake::{Intake, Update};

/// The kinds that the configuration is compiled from.
const CONFIGURATION: [Watched; 9] = [
    Watched::IPAddressPools,
    Watched::Communities,
    Watched::BGPAdvertisements,
    Watched::L2Advertisements,
    Watched::BGPPeers,
    Watched::BFDProfiles,
    Watched::Secrets,
    Watched::Nodes,
    Watched::Namespaces,
];

/// Everything told so far, and what it means.
pub(super) struct Objects {
    namespace: String,
    intake: Intake,
    memory: Memory,
    /// Whether advertisements are followed, without which no pool seems to be announced.
    knows_advertisements: bool,
    /// Kinds whose first complete list is not in yet.
    missing: BTreeSet<Watched>,
    broken: BTreeMap<ObjectRef, Box<Diagnostic>>,
    trouble: BTreeMap<Watched, Error>,
    /// What is said of configuration for FRR, where there is any.
    extras: Option<Diagnostic>,
    /// Whether that is still to be found out: a verdict before would be written, and then another.
    awaits_extras: bool,
    services: HashMap<ServiceKey, Version>,
    /// The nodes whose speakers are alive.
    alive: BTreeSet<NodeName>,
    /// Those of them whose objects are gone.
    departed: BTreeSet<NodeName>,
    /// The errors that the log has, and that are still there.
    logged: BTreeSet<Diagnostic>,
    /// Whether what is wrong may be another than it was.
    news: bool,
    /// Whether other kinds can be read than could.
    news_of_kinds: bool,
}

/// A Service as the subject of Events.
pub(super) fn subject(key: &ServiceKey, meta: Meta) -> Subject {
    Subject {
        kind: "Service".into(),
        api_version: "v1".into(),
        namespace: key.namespace().into(),
        name: key.name().into(),
        uid: meta.uid,
    }
}

impl Objects {
    /// Nothing yet, of these kinds; what an earlier process remembered comes from `memory`.
    pub(super) fn new(namespace: &str, followed: &[Watched], memory: Memory) -> Self {
        Self {
            namespace: namespace.to_owned(),
            intake: Intake::restore(namespace, memory.read()),
            memory,
            knows_advertisements: followed.contains(&Watched::BGPAdvertisements),
            missing: followed.iter().copied().collect(),
            broken: BTreeMap::new(),
            trouble: BTreeMap::new(),
            extras: None,
            awaits_extras: false,
            services: HashMap::new(),
            alive: BTreeSet::new(),
            departed: BTreeSet::new(),
            logged: BTreeSet::new(),
            news: false,
            news_of_kinds: false,
        }
    }

    /// The same, of whoever looks for configuration for FRR, too.
    pub(super) fn awaiting_extras(mut self) -> Self {
        self.awaits_extras = true;
        self
    }

    /// Whether a verdict on the configuration would be an early one.
    pub(super) fn awaits_extras(&self) -> bool {
        self.awaits_extras
    }

    /// As [`Intake::refuse_bgp`].
    pub(super) fn refuse_bgp(&mut self, why: Option<Diagnostic>) {
        self.intake.refuse_bgp(why);
    }

    /// Takes in what was told; gives what changed in meaning. The configuration is given once all kinds
    /// it is made of are complete, and then whenever it changes.
    pub(super) fn take(&mut self, told: Vec<Told>) -> Vec<Update> {
        let updates = told.into_iter().filter_map(|one| self.note(one)).collect();
        self.compiled(updates)
    }

    /// The nodes whose speakers are alive are these. A Node whose object is gone counts as it was last
    /// seen until its speaker is silent: somebody who deletes the object of a node that runs on does not
    /// take its addresses from it.
    pub(super) fn set_alive(&mut self, alive: &BTreeSet<NodeName>) -> Vec<Update> {
        self.alive.clone_from(alive);
        let silent: Vec<NodeName> = self.departed.difference(alive).cloned().collect();
        let mut updates = Vec::new();
        for node in silent {
            self.departed.remove(&node);
            let object = ObjectRef::new("Node", "", node.as_str());
            updates.extend(self.intake.delete(&object));
        }
        self.compiled(updates)
    }

    /// Adds the configuration to what changed, where it is another.
    fn compiled(&mut self, mut updates: Vec<Update>) -> Vec<Update> {
        let complete = CONFIGURATION.iter().all(|kind| self.has(*kind));
        if complete && let Some(config) = self.intake.compile() {
            self.news = true;
            self.memory.write(self.intake.last_good());
            updates.push(Update::Config(config));
        }
        updates
    }

    /// Whether the first complete list of a kind is in, or the kind is not followed.
    pub(super) fn has(&self, kind: Watched) -> bool {
        !self.missing.contains(&kind)
    }

    /// The kinds whose first complete list is not in yet.
    pub(super) fn missing(&self) -> impl Iterator<Item = Watched> {
        self.missing.iter().copied()
    }

    /// Whether the first complete list of every kind is in.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Uid and resourceVersion of a Service.
    pub(super) fn meta(&self, key: &ServiceKey) -> Option<Meta> {
        self.services.get(key).map(Version::meta)
    }

    /// We wrote the Service: this is its resourceVersion now, unless the watch showed a newer one.
    pub(super) fn written(&mut self, key: &ServiceKey, sent: &str, now: &str) {
        if let Some(version) = self.services.get_mut(key)
            && version.is_at(sent)
        {
            version.advance(now);
        }
    }

    /// Whether a configuration is in force.
    pub(super) fn is_configured(&self) -> bool {
        self.intake.config().is_some()
    }

    /// Whether [`Self::diagnostics`] may say something else than when this was last asked.
    pub(super) fn has_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Whether [`Self::not_installed`] may say something else than when this was last asked.
    pub(super) fn has_news_of_kinds(&mut self) -> bool {
        std::mem::take(&mut self.news_of_kinds)
    }

    /// What is refused or doubtful in the configuration, errors first.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all: Vec<Diagnostic> = self.broken.values().map(|why| (**why).clone()).collect();
        if let Some(config) = self.intake.config() {
            let all_of_it = config.diagnostics().chain(&config.warnings);
            let known = all_of_it.filter(|one| self.knows_advertisements || one.code != P051);
            all.extend(known.cloned());
        }
        all.extend(self.extras.clone());
        all.sort_by(|a, b| (a.severity, &a.object).cmp(&(b.severity, &b.object)));
        all.dedup();
        all
    }

    /// What the log does not have yet of these: the configuration changes with every Node, and what was
    /// wrong before needs no more lines then.
    pub(super) fn errors_to_log<'d>(&mut self, all: &'d [Diagnostic]) -> Vec<&'d Diagnostic> {
        let errors = all.iter().filter(|one| one.is_error());
        let untold = errors.clone().filter(|one| !self.logged.contains(*one));
        let untold: Vec<&Diagnostic> = untold.collect();
        self.logged = errors.cloned().collect();
        untold
    }

    /// Whether the last good version of an object counts, which is refused as it stands.
    pub(super) fn goes_on_with(&self, object: &ObjectRef) -> bool {
        let config = self.intake.config();
        match config.and_then(|config| config.refused.get(object)) {
            Some(refused) => refused.last_good_in_force,
            // One that cannot be decoded counts as it last could.
            None => self.broken.contains_key(object) && self.intake.resources().holds(object),
        }
    }

    /// The kinds that cannot be followed at present, in words.
    pub(super) fn troubles(&self) -> impl Iterator<Item = Diagnostic> + '_ {
        self.trouble.iter().map(|(kind, error)| {
            if let Error::NotInstalled(why) = error {
                return (**why).clone();
            }
            let object = ObjectRef::new("watch", "", kind.to_string());
            let remedy = "see whether the API server answers and the role may list and watch the \
                          kind; until then everything stays as it was last told";
            Diagnostic::error(codes::state::T006, object, error.to_string(), remedy).warning()
        })
    }

    /// The kinds among them that the API server does not know.
    pub(super) fn not_installed(&self) -> impl Iterator<Item = Diagnostic> + '_ {
        self.troubles().filter(|one| one.code == codes::state::T007)
    }

    fn note(&mut self, told: Told) -> Option<Update> {
        match told {
            Told::Apply(object, meta) => {
                self.mended(&object.reference());
                match &object {
                    Object::Service(view) => {
                        self.services.insert(view.key.clone(), Version::of(&meta));
                    }
                    Object::Node(view) => drop(self.departed.remove(&view.name)),
                    _ => {}
                }
                self.intake.apply(object)
            }
            Told::Delete(object) => self.delete(&object),
            Told::Broken(object, _, why) => {
                self.news = true;
                self.intake.refuse(object.clone(), (*why).clone());
                self.broken.insert(object, why);
                None
            }
            Told::Synced(kind) => {
                self.missing.remove(&kind);
                self.news_of_kinds |= self.trouble.remove(&kind).is_some();
                None
            }
            Told::Extras(there) => {
                self.extras = there.then(|| extras::ignored(&self.namespace));
                if let Some(ignored) = &self.extras {
                    tracing::warn!("{ignored}");
                }
                self.news = true;
                None
            }
            Told::ExtrasKnown => {
                self.news |= std::mem::take(&mut self.awaits_extras);
                None
            }
            Told::Trouble(kind, why) => {
                self.trouble.insert(kind, why);
                self.news_of_kinds = true;
                None
            }
            Told::Well(kind) => {
                self.news_of_kinds |= self.trouble.remove(&kind).is_some();
                None
            }
        }
    }

    fn delete(&mut self, object: &ObjectRef) -> Option<Update> {
        self.mended(object);
        if &*object.kind == "Node" {
            let node = NodeName::from(object.name.as_str());
            if self.alive.contains(&node) {
                self.departed.insert(node);
                return None;
            }
        }
        let update = self.intake.delete(object);
        if let Some(Update::ServiceGone(key)) = &update {
            self.services.remove(key);
        }
        update
    }

    fn mended(&mut self, object: &ObjectRef) {
        self.news |= self.broken.remove(object).is_some();
    }
}

#[cfg(test)]
mod tests;
