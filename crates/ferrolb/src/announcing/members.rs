// SPDX-License-Identifier: Apache-2.0
//! This node among the others: what the heartbeat is told, and what it tells.

use std::{collections::BTreeSet, sync::Arc};

use ferrolb_config::Config;
use ferrolb_members::room_for_facts;
use ferrolb_types::NodeName;
use ferrolb_world::Liveness;

use super::{
    Announcing,
    facts::{self, Facts},
};
use crate::drivers::heartbeat;

impl Announcing {
    /// Tells the heartbeat which nodes there are and where, if that changed; the first time in any case:
    /// from then on it counts who is silent.
    pub(crate) fn tell_nodes(&mut self) {
        if !std::mem::take(&mut self.nodes_changed) {
            return;
        }
        let nodes = self
            .world
            .nodes()
            .map(|node| (node.name.clone(), node.internal_ips.clone()));
        let nodes: heartbeat::Nodes = nodes.collect();
        let first = !std::mem::replace(&mut self.told_nodes, true);
        self.heartbeat.nodes.send_if_modified(|told| {
            let changed = first || *told != nodes;
            *told = nodes;
            changed
        });
    }

    /// Takes in what changed of the nodes. Those that come are judged by what they tell, so that is taken
    /// before; what those told that go is forgotten after, for until then it is they who count.
    pub(crate) fn take_members(&mut self, changes: heartbeat::Changes) {
        let mut forgotten = Vec::new();
        for (node, facts) in changes.news {
            match facts.as_deref().and_then(Facts::parse) {
                Some(facts) => self.world.apply_facts(facts.of(node)),
                // It is gone, or tells what a speaker does not.
                None => forgotten.push(node),
            }
        }
        if let Some(alive) = changes.alive {
            self.set_alive(alive);
        }
        for node in &forgotten {
            self.world.delete_facts(node);
        }
    }

    fn set_alive(&mut self, alive: BTreeSet<NodeName>) {
        let came = names(alive.difference(&self.living));
        let went = names(self.living.difference(&alive));
        tracing::info!(living = alive.len(), %came, %went, "living nodes");
        self.living.clone_from(&alive);
        self.knows_alive = true;
        self.world.set_alive(&Liveness::Nodes(alive));
    }

    /// Tells the world and the others where this node can announce, and what it refuses.
    pub(crate) fn tell_facts(&mut self) {
        let interfaces = self.layer2.interfaces.borrow_and_update();
        let usable = interfaces
            .iter()
            .filter(|interface| interface.arp || interface.ndp.is_some());
        let usable = usable.map(|interface| interface.name.to_string()).collect();
        drop(interfaces);
        self.knows_interfaces = true;
        let facts = Facts::new(usable, &self.config);
        let told = facts.emit(room_for_facts(&self.node), &facts::named(&self.config));
        if told.is_cut && !self.is_cut {
            tracing::warn!(
                "there is more to tell of this node than a heartbeat has room for: the others may count on it \
                 for interfaces or pools that it does not have"
            );
        }
        self.is_cut = told.is_cut;
        self.heartbeat.facts.send_replace(told.bytes);
        self.world.apply_facts(facts.of(self.node.clone()));
    }

    /// The pools this node refuses, as it tells the others.
    pub(crate) fn refused_pools(&self) -> Vec<String> {
        let pools = facts::refused_pools(&self.config);
        pools.map(|pool| pool.to_string()).collect()
    }

    /// The configuration is another: what this node refuses may be, too.
    pub(super) fn set_config(&mut self, config: &Arc<Config>) {
        self.config = Arc::clone(config);
        self.world.set_config(Arc::clone(config));
        if self.knows_interfaces {
            self.tell_facts();
        }
    }

    /// Whether the others count on this node.
    pub(crate) fn is_ready(&self) -> bool {
        *self.heartbeat.ready.borrow()
    }

    /// The living nodes as the others see them, once known: this one is among them when it is ready.
    pub(crate) fn living(&self) -> Option<impl Iterator<Item = &NodeName>> {
        let is_ready = self.is_ready();
        let living = self
            .living
            .iter()
            .filter(move |node| is_ready || **node != self.node);
        self.knows_alive.then_some(living)
    }

    /// All is in that layer 2 decides on, but perhaps who is alive.
    pub(crate) fn set_able(&mut self) {
        self.has_all = true;
    }

    /// Whether it is known who is alive.
    pub(crate) fn knows_alive(&self) -> bool {
        self.knows_alive
    }

    /// The others may count on this node once its layer 2 decides and answers, and then for good: whatever
    /// becomes of what it reads, it goes on as it was last told.
    pub(super) fn stand_by(&self) {
        let is_able = self.has_all && self.knows_interfaces;
        let turns = |turned: &mut bool, now: bool| now && !std::mem::replace(turned, true);
        let heartbeat = &self.heartbeat;
        heartbeat.able.send_if_modified(|able| turns(able, is_able));
        let is_ready = is_able && self.world.is_synced() && self.knows_alive;
        if heartbeat
            .ready
            .send_if_modified(|ready| turns(ready, is_ready))
        {
            tracing::info!("layer 2 decides: the other nodes are told that this one is there");
        }
    }
}

/// The first few of some names, and how many there are besides.
fn names<'a>(names: impl Iterator<Item = &'a NodeName>) -> String {
    const FEW: usize = 10;
    let mut all: Vec<String> = names.map(ToString::to_string).collect();
    let more = all.len().saturating_sub(FEW);
    if more > 0 {
        all.truncate(FEW);
        all.push(format!("{more} more"));
    }
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_cut_short() {
        let nodes = |count: u32| -> Vec<NodeName> {
            let all = (1..=count).map(|n| NodeName::from(format!("n{n}")));
            all.collect()
        };
        assert_eq!(names(nodes(0).iter()), "");
        assert_eq!(names(nodes(2).iter()), "n1, n2");
        let ten = "n1, n2, n3, n4, n5, n6, n7, n8, n9, n10";
        assert_eq!(names(nodes(10).iter()), ten);
        assert_eq!(names(nodes(1000).iter()), format!("{ten}, 990 more"));
    }
}
