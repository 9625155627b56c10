// SPDX-License-Identifier: Apache-2.0
//! The index of everything known, and the own node's decisions kept up to date with it.
//!
//! Objects come in through `apply_*` and `delete_*`, one kind each; a change of objects that matters
//! decides anew for the Services that depend on it, in the same call. What that changed in the
//! addresses answered for, the routes, the peers and the Services is taken out by [`World::poll`].

use std::{net::IpAddr, sync::Arc};

use ferrolb_api::view::{EndpointSliceView, NodeView, ServiceView};
use ferrolb_config::{Config, compiled::Peer};
use ferrolb_types::{EndpointSliceKey, NodeName, RouteTargets, ServiceKey};
use ipnet::IpNet;

use crate::{
    answers::Answers,
    change::{Change, Changes},
    classes::Classes,
    decision::{self, Announced, Decision, Owner},
    facts::{Liveness, NodeFacts},
    inputs::{Inputs, Options},
    interfaces::Interfaces,
    reason::Reason,
    record::Record,
    routes::Routes,
    slab::NodeId,
};

/// A kind whose first complete list must be in before anything is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Services.
    Services,
    /// EndpointSlices.
    EndpointSlices,
    /// Nodes.
    Nodes,
}

/// What has come in completely.
#[derive(Debug, Default)]
struct Arrived {
    services: bool,
    endpoint_slices: bool,
    nodes: bool,
    config: bool,
}

/// Everything known, what the own node announces of it, and what changed in that.
#[derive(Debug, Default)]
pub struct World {
    pub(crate) inputs: Inputs,
    pub(crate) me: Option<NodeId>,
    pub(crate) classes: Classes,
    pub(crate) routes: Routes,
    pub(crate) answers: Answers,
    pub(crate) changes: Changes,
    pub(crate) decisions: u64,
    arrived: Arrived,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut world = Self::default();
        world.me = options.node.as_ref().map(|name| {
            let id = world.inputs.nodes.intern(name);
            // The own node keeps its number whatever is known of it.
            world.inputs.nodes.retain(id);
            id
        });
        world.inputs.options = options;
        world
    }

    /// The first complete list of this kind is in.
    pub fn synced(&mut self, kind: Kind) {
        let before = self.is_synced();
        match kind {
            Kind::Services => self.arrived.services = true,
            Kind::EndpointSlices => self.arrived.endpoint_slices = true,
            Kind::Nodes => self.arrived.nodes = true,
        }
        self.begin_unless(before);
    }

    /// Whether everything needed is in. Before that nothing is decided, announced or withdrawn, and no
    /// End-of-RIB may be sent; after it, [`World::poll`] first gives the whole state.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        let Arrived {
            services,
            endpoint_slices,
            nodes,
            config,
        } = self.arrived;
        services && endpoint_slices && nodes && config
    }

    fn begin_unless(&mut self, begun: bool) {
        if !begun && self.is_synced() {
            self.refresh_all();
        }
    }

    /// A Service was added or changed.
    pub fn apply_service(&mut self, view: &ServiceView) {
        let class = self.inputs.options.lb_class.as_deref();
        let record = Record::new(view, class);
        self.replace_service(&view.key, Some(record));
    }

    /// A Service is gone.
    pub fn delete_service(&mut self, key: &ServiceKey) {
        if self.inputs.services.id(key).is_some() {
            self.replace_service(key, None);
        }
    }

    /// An EndpointSlice was added or changed.
    pub fn apply_endpoint_slice(&mut self, view: &EndpointSliceView) {
        let Inputs {
            services, nodes, ..
        } = &mut self.inputs;
        let changed = services.apply_slice(view, nodes);
        self.refresh(changed);
    }

    /// An EndpointSlice is gone.
    pub fn delete_endpoint_slice(&mut self, key: &EndpointSliceKey) {
        let Inputs {
            services, nodes, ..
        } = &mut self.inputs;
        let changed = services.delete_slice(key, nodes);
        self.refresh(changed);
    }

    /// A Node was added or changed.
    pub fn apply_node(&mut self, view: NodeView) {
        let id = self.inputs.nodes.intern(&view.name);
        let Some(node) = self.inputs.nodes.get_mut(id) else {
            return;
        };
        let same = node.view.as_ref().is_some_and(|old| {
            old.labels == view.labels && old.network_unavailable == view.network_unavailable
        });
        node.view = Some(view);
        if !same {
            self.node_changed(id);
        }
    }

    /// A Node is gone.
    pub fn delete_node(&mut self, name: &NodeName) {
        let Some(id) = self.inputs.nodes.id(name) else {
            return;
        };
        let gone = self
            .inputs
            .nodes
            .get_mut(id)
            .and_then(|node| node.view.take());
        if gone.is_some() {
            self.node_changed(id);
            self.inputs.nodes.forget(id);
        }
    }

    /// A speaker, the own one included, told of itself.
    pub fn apply_facts(&mut self, facts: NodeFacts) {
        let id = self.inputs.nodes.intern(&facts.node);
        if let Some(node) = self.inputs.nodes.get_mut(id)
            && node.facts.as_ref() != Some(&facts)
        {
            node.facts = Some(facts);
            self.candidate_changed(id);
        }
    }

    /// A speaker left: it counts as a MetalLB speaker until it tells of itself again.
    pub fn delete_facts(&mut self, name: &NodeName) {
        let Some(id) = self.inputs.nodes.id(name) else {
            return;
        };
        let gone = self
            .inputs
            .nodes
            .get_mut(id)
            .and_then(|node| node.facts.take());
        if gone.is_some() {
            self.candidate_changed(id);
            self.inputs.nodes.forget(id);
        }
    }

    /// Who is alive is now this.
    pub fn set_alive(&mut self, liveness: &Liveness) {
        let flipped = self.inputs.nodes.set_alive(liveness);
        for id in &flipped {
            self.candidate_changed(*id);
        }
        for id in flipped {
            self.inputs.nodes.forget(id);
        }
    }

    /// The configuration is now this. Only the Services of pools that differ are decided anew.
    pub fn set_config(&mut self, config: Arc<Config>) {
        let before = self.is_synced();
        self.arrived.config = true;
        let old = std::mem::replace(&mut self.inputs.config, config);
        if before {
            self.config_changed(&old);
        }
        self.begin_unless(before);
    }

    /// The next change to carry out; nothing before all is synced. Peers that go come first, then what
    /// is withdrawn, then what is announced, then peers that come, then the Services.
    pub fn poll(&mut self) -> Option<Change> {
        if !self.is_synced() {
            return None;
        }
        self.poll_gone().or_else(|| self.poll_now())
    }

    fn poll_gone(&mut self) -> Option<Change> {
        let changes = &mut self.changes;
        if let Some(name) = changes.peers.pop_gone() {
            return Some(Change::PeerDown(name));
        }
        if let Some(address) = changes.addresses.pop_gone() {
            let announce = None;
            return Some(Change::Layer2 { address, announce });
        }
        let prefix = changes.routes.pop_gone()?;
        let targets = None;
        Some(Change::Route { prefix, targets })
    }

    fn poll_now(&mut self) -> Option<Change> {
        let answers = &self.answers;
        if let Some((address, _, now)) = self.changes.addresses.pop(|address| answers.get(*address))
        {
            let announce = Some(now);
            return Some(Change::Layer2 { address, announce });
        }
        let routes = &self.routes;
        if let Some((prefix, _, now)) = self.changes.routes.pop(|prefix| routes.targets(prefix)) {
            let targets = Some(now);
            return Some(Change::Route { prefix, targets });
        }
        if let Some((.., peer)) = self
            .changes
            .peers
            .pop(|name| routes.peers.get(name).cloned())
        {
            return Some(Change::PeerUp(peer));
        }
        let (inputs, routes) = (&self.inputs, &self.routes);
        let announced = |key: &ServiceKey| Some(crate::refresh::announced(inputs, routes, key));
        let (key, before, announced) = self.changes.services.pop(announced)?;
        let before = before.unwrap_or_default();
        Some(Change::Service {
            key,
            before,
            announced,
        })
    }

    /// The decision on a Service and any node, by the function that decides for the own one.
    #[must_use]
    pub fn decide(&self, key: &ServiceKey, node: &NodeName) -> Decision {
        let refused = |reason: Reason| Decision {
            layer2: Err(reason.clone()),
            bgp: Err(reason),
            owner: None,
        };
        if !self.is_synced() {
            return refused(Reason::NotSynced);
        }
        let Some(id) = self.inputs.services.id(key) else {
            return refused(Reason::NoSuchService);
        };
        match self.inputs.nodes.id(node) {
            Some(node) => decision::decide(&self.inputs, id, node),
            None => refused(Reason::UnknownNode),
        }
    }

    /// The node elected in layer 2 for a Service, where there is one.
    #[must_use]
    pub fn owner(&self, key: &ServiceKey) -> Option<Owner> {
        let id = self.inputs.services.id(key).filter(|_| self.is_synced())?;
        let inputs = &self.inputs;
        decision::contest(inputs, id, |contest| decision::elected(inputs, contest)).ok()?
    }

    /// What the own node announces of a Service, as stored.
    #[must_use]
    pub fn announced(&self, key: &ServiceKey) -> Announced {
        crate::refresh::announced(&self.inputs, &self.routes, key)
    }

    /// Why the own node does not announce a Service, as stored: in layer 2, and by BGP.
    #[must_use]
    pub fn refusals(&self, key: &ServiceKey) -> (Option<Reason>, Option<Reason>) {
        let id = self.inputs.services.id(key);
        match id.and_then(|id| self.inputs.services.get(id)) {
            Some(slot) if slot.record.is_some() => {
                let state = &slot.state;
                (state.layer2.clone().err(), state.bgp.clone().err())
            }
            _ => (Some(Reason::NoSuchService), Some(Reason::NoSuchService)),
        }
    }

    /// The addresses of a Service that nobody answers for, because all nodes that could lack the
    /// interfaces to announce on, where the own node would be the one: so it is one node that
    /// says so.
    #[must_use]
    pub fn unanswered(&self, key: &ServiceKey) -> Option<Arc<[IpAddr]>> {
        let (inputs, me) = (&self.inputs, self.me?);
        let id = inputs.services.id(key)?;
        let slot = inputs.services.get(id)?;
        if slot.state.layer2 != Err(Reason::NoInterface) {
            return None;
        }
        let unanswered =
            decision::contest(inputs, id, |contest| decision::would_answer(contest, me)).ok()?;
        unanswered.then(|| Arc::clone(&slot.state.addresses))
    }

    /// The addresses that the status of a Service names, whoever announces them.
    ///
    /// # Errors
    /// It is no Service of ours, or has no usable address.
    pub fn addresses_of(&self, key: &ServiceKey) -> Result<Arc<[IpAddr]>, Reason> {
        let services = &self.inputs.services;
        let slot = services.id(key).and_then(|id| services.get(id));
        let record = slot.and_then(|slot| slot.record.as_ref());
        record.map_or(Err(Reason::NoSuchService), |record| {
            record.addresses.clone()
        })
    }

    /// The Services known, by key, whatever their type.
    pub fn services(&self) -> impl Iterator<Item = &ServiceKey> {
        self.inputs.services.present().map(|(key, _)| key)
    }

    /// The nodes known, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeView> {
        let present = self.inputs.nodes.present();
        present.filter_map(|(_, node)| node.view.as_ref())
    }

    /// The addresses the own node answers for, ascending.
    pub fn addresses(&self) -> impl Iterator<Item = (IpAddr, Interfaces)> {
        self.answers.iter()
    }

    /// The routes of the own node, ascending.
    pub fn routes(&self) -> impl Iterator<Item = (IpNet, RouteTargets)> {
        self.routes.iter()
    }

    /// The peers of the own node, by name.
    pub fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.routes.peers.values()
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.inputs.config
    }

    /// How many decisions on one Service for the own node were made so far.
    #[must_use]
    pub fn decisions_made(&self) -> u64 {
        self.decisions
    }
}
