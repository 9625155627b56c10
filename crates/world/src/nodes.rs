// SPDX-License-Identifier: Apache-2.0
//! The nodes: their objects, their speakers' facts, and who is alive, each under a small number.

use std::collections::BTreeMap;

use ferrolb_api::view::NodeView;
use ferrolb_types::{Labels, NodeName};

use crate::{
    facts::{Liveness, NodeFacts},
    slab::{NodeId, Slab},
};

/// All that is known of one node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: NodeName,
    pub(crate) view: Option<NodeView>,
    pub(crate) facts: Option<NodeFacts>,
    alive: bool,
    /// Endpoints that name it.
    refs: u32,
}

/// The nodes by name and number. A number stays valid while anything is known of the node.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    slab: Slab<NodeId, Node>,
    ids: BTreeMap<NodeName, NodeId>,
    membership: bool,
}

impl Nodes {
    /// The number of a name, given out if it has none.
    pub(crate) fn intern(&mut self, name: &NodeName) -> NodeId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = self.slab.insert(Node {
            name: name.clone(),
            view: None,
            facts: None,
            alive: false,
            refs: 0,
        });
        self.ids.insert(name.clone(), id);
        id
    }

    pub(crate) fn id(&self, name: &NodeName) -> Option<NodeId> {
        self.ids.get(name).copied()
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Node> {
        self.slab.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.slab.get_mut(id)
    }

    /// An endpoint names the node.
    pub(crate) fn retain(&mut self, id: NodeId) {
        if let Some(node) = self.slab.get_mut(id) {
            node.refs = node.refs.saturating_add(1);
        }
    }

    /// An endpoint no longer does.
    pub(crate) fn release(&mut self, id: NodeId) {
        if let Some(node) = self.slab.get_mut(id) {
            node.refs = node.refs.saturating_sub(1);
        }
        self.forget(id);
    }

    /// Drops the number of a node of which nothing is known any more.
    pub(crate) fn forget(&mut self, id: NodeId) {
        let idle = |n: &Node| n.refs == 0 && n.view.is_none() && n.facts.is_none() && !n.alive;
        if self.slab.get(id).is_some_and(idle)
            && let Some(node) = self.slab.remove(id)
        {
            self.ids.remove(&node.name);
        }
    }

    /// Whether a speaker is taken to run there.
    pub(crate) fn is_alive(&self, id: NodeId) -> bool {
        !self.membership || self.slab.get(id).is_some_and(|node| node.alive)
    }

    /// Takes a new liveness and gives the nodes for which the answer of [`Nodes::is_alive`] changed.
    pub(crate) fn set_alive(&mut self, liveness: &Liveness) -> Vec<NodeId> {
        if let Liveness::Nodes(names) = liveness {
            for name in names {
                self.intern(name);
            }
        }
        let ids = self.slab.ids();
        let before: Vec<bool> = ids.iter().map(|id| self.is_alive(*id)).collect();
        self.membership = matches!(liveness, Liveness::Nodes(_));
        for id in &ids {
            if let Some(node) = self.slab.get_mut(*id) {
                node.alive =
                    matches!(liveness, Liveness::Nodes(names) if names.contains(&node.name));
            }
        }
        let flipped = ids.iter().zip(before);
        flipped
            .filter(|(id, before)| self.is_alive(**id) != *before)
            .map(|(id, _)| *id)
            .collect()
    }

    /// The nodes that have a Node object, by name.
    pub(crate) fn present(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        let known = self.ids.values();
        known
            .filter_map(|id| Some((*id, self.slab.get(*id)?)))
            .filter(|(_, node)| node.view.is_some())
    }
}

impl Node {
    /// Its labels, where its object is known.
    pub(crate) fn labels(&self) -> Option<&Labels> {
        self.view.as_ref().map(|view| &view.labels)
    }

    pub(crate) fn network_unavailable(&self) -> bool {
        self.view
            .as_ref()
            .is_some_and(|view| view.network_unavailable)
    }

    pub(crate) fn excluded(&self) -> bool {
        self.view.as_ref().is_some_and(NodeView::excluded)
    }
}
