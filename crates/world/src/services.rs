// SPDX-License-Identifier: Apache-2.0
//! The Services and their EndpointSlices, each Service with the state last decided for the own node.

use std::{collections::BTreeMap, net::IpAddr, slice, sync::Arc};

use ferrolb_api::view::EndpointSliceView;
use ferrolb_types::{EndpointSliceKey, ServiceKey};
use ipnet::IpNet;

use crate::{
    interfaces::Interfaces,
    nodes::Nodes,
    reason::Reason,
    record::Record,
    slab::{ClassId, NodeId, OfferId, Slab, SliceId, SlotId},
};

/// A Service by key: its object, its slices, and what was decided.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) key: ServiceKey,
    pub(crate) record: Option<Record>,
    slices: Few,
    pub(crate) state: State,
}

/// What was last decided for the own node, and what it depends on.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) layer2: Result<Interfaces, Reason>,
    pub(crate) bgp: Result<(), Reason>,
    /// The addresses the decision was made for.
    pub(crate) addresses: Arc<[IpAddr]>,
    /// The candidates of its election.
    pub(crate) class: Option<ClassId>,
    /// A candidate that beats the own node: while it stands, the own node is not elected.
    pub(crate) witness: Option<NodeId>,
    /// Its part in the routes.
    pub(crate) routes: Box<[(IpNet, OfferId)]>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            layer2: Err(Reason::NotSynced),
            bgp: Err(Reason::NotSynced),
            addresses: Arc::from([]),
            class: None,
            witness: None,
            routes: Box::default(),
        }
    }
}

/// The slices of a Service: nearly always one.
#[derive(Debug)]
enum Few {
    One(SliceId),
    Many(Box<[SliceId]>),
}

impl Default for Few {
    fn default() -> Self {
        Self::Many(Box::default())
    }
}

impl Few {
    fn as_slice(&self) -> &[SliceId] {
        match self {
            Self::One(id) => slice::from_ref(id),
            Self::Many(all) => all,
        }
    }

    fn push(&mut self, id: SliceId) {
        *self = self.as_slice().iter().copied().chain([id]).collect();
    }

    fn remove(&mut self, id: SliceId) {
        let all = self.as_slice().iter().copied();
        *self = all.filter(|other| *other != id).collect();
    }
}

impl FromIterator<SliceId> for Few {
    fn from_iter<I: IntoIterator<Item = SliceId>>(ids: I) -> Self {
        let all: Box<[SliceId]> = ids.into_iter().collect();
        match *all {
            [one] => Self::One(one),
            _ => Self::Many(all),
        }
    }
}

#[derive(Debug)]
struct Slice {
    service: SlotId,
    usable: Box<[Endpoint]>,
}

/// Usable endpoints of one slice on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Endpoint {
    node: Option<NodeId>,
    has_address: bool,
}

/// The index of Services and EndpointSlices.
#[derive(Debug, Default)]
pub(crate) struct Services {
    slots: Slab<SlotId, Slot>,
    ids: BTreeMap<ServiceKey, SlotId>,
    slices: Slab<SliceId, Slice>,
    slice_ids: BTreeMap<EndpointSliceKey, SliceId>,
}

impl Services {
    pub(crate) fn id(&self, key: &ServiceKey) -> Option<SlotId> {
        self.ids.get(key).copied()
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot> {
        self.slots.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut Slot> {
        self.slots.get_mut(id)
    }

    /// The object of a Service.
    pub(crate) fn record(&self, id: SlotId) -> Option<&Record> {
        self.slots.get(id)?.record.as_ref()
    }

    pub(crate) fn intern(&mut self, key: &ServiceKey) -> SlotId {
        if let Some(id) = self.ids.get(key) {
            return *id;
        }
        let id = self.slots.insert(Slot {
            key: key.clone(),
            record: None,
            slices: Few::default(),
            state: State::default(),
        });
        self.ids.insert(key.clone(), id);
        id
    }

    /// Drops a Service of which neither object nor slice is left.
    pub(crate) fn forget(&mut self, id: SlotId) {
        let idle = |slot: &Slot| slot.record.is_none() && slot.slices.as_slice().is_empty();
        if self.slots.get(id).is_some_and(idle)
            && let Some(slot) = self.slots.remove(id)
        {
            self.ids.remove(&slot.key);
        }
    }

    /// Every Service in use, as of now.
    pub(crate) fn all(&self) -> Vec<SlotId> {
        self.slots.ids()
    }

    /// The Services whose object is known, by key.
    pub(crate) fn present(&self) -> impl Iterator<Item = (&ServiceKey, SlotId)> {
        self.ids
            .iter()
            .filter(|(_, id)| self.record(**id).is_some())
            .map(|(key, id)| (key, *id))
    }

    /// Takes a slice and gives the Services whose endpoints changed by it.
    pub(crate) fn apply_slice(
        &mut self,
        view: &EndpointSliceView,
        nodes: &mut Nodes,
    ) -> Vec<SlotId> {
        let Some(service) = &view.service else {
            return self.delete_slice(&view.key, nodes);
        };
        let service = self.intern(service);
        let usable: Box<[Endpoint]> = view.usable.iter().map(|e| endpoint(e, nodes)).collect();
        let old = self.slice_ids.get(&view.key).copied();
        let mut changed = Vec::new();
        if let Some(old) = old.and_then(|id| self.slices.get(id)) {
            if old.service == service && old.usable == usable {
                release(&usable, nodes);
                return changed;
            }
            if old.service != service {
                changed = self.delete_slice(&view.key, nodes);
            }
        }
        self.store_slice(&view.key, Slice { service, usable }, nodes);
        changed.push(service);
        changed
    }

    /// Drops a slice and gives the Service that lost it.
    pub(crate) fn delete_slice(
        &mut self,
        key: &EndpointSliceKey,
        nodes: &mut Nodes,
    ) -> Vec<SlotId> {
        let id = self.slice_ids.remove(key);
        let Some((id, slice)) = id.and_then(|id| Some((id, self.slices.remove(id)?))) else {
            return Vec::new();
        };
        release(&slice.usable, nodes);
        if let Some(slot) = self.slots.get_mut(slice.service) {
            slot.slices.remove(id);
        }
        vec![slice.service]
    }

    fn store_slice(&mut self, key: &EndpointSliceKey, slice: Slice, nodes: &mut Nodes) {
        let service = slice.service;
        if let Some(place) = self
            .slice_ids
            .get(key)
            .and_then(|id| self.slices.get_mut(*id))
        {
            release(&place.usable, nodes);
            *place = slice;
            return;
        }
        let id = self.slices.insert(slice);
        self.slice_ids.insert(key.clone(), id);
        if let Some(slot) = self.slots.get_mut(service) {
            slot.slices.push(id);
        }
    }

    /// Whether any endpoint is usable, wherever it is; `with_address` asks for one with an address.
    pub(crate) fn has_endpoint(&self, id: SlotId, with_address: bool) -> bool {
        self.endpoints(id)
            .any(|endpoint| endpoint.has_address || !with_address)
    }

    /// Whether an endpoint on this node is usable.
    pub(crate) fn has_endpoint_on(&self, id: SlotId, node: NodeId, with_address: bool) -> bool {
        self.endpoints(id)
            .any(|e| e.node == Some(node) && (e.has_address || !with_address))
    }

    /// The nodes with a usable endpoint, each once.
    pub(crate) fn endpoint_nodes(&self, id: SlotId) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self.endpoints(id).filter_map(|e| e.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    fn endpoints(&self, id: SlotId) -> impl Iterator<Item = &Endpoint> {
        let slices = self.slots.get(id).map(|slot| slot.slices.as_slice());
        slices
            .into_iter()
            .flatten()
            .filter_map(|id| self.slices.get(*id))
            .flat_map(|slice| slice.usable.iter())
    }
}

fn endpoint(view: &ferrolb_api::view::UsableEndpoint, nodes: &mut Nodes) -> Endpoint {
    let node = view.node.as_ref().map(|name| nodes.intern(name));
    if let Some(node) = node {
        nodes.retain(node);
    }
    Endpoint {
        node,
        has_address: view.has_address,
    }
}

fn release(endpoints: &[Endpoint], nodes: &mut Nodes) {
    for node in endpoints.iter().filter_map(|endpoint| endpoint.node) {
        nodes.release(node);
    }
}
