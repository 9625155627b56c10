// SPDX-License-Identifier: Apache-2.0
//! From a change of inputs to the decisions that depend on it, and from a new decision to the
//! addresses, routes and Services it changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use ferrolb_config::{Config, compiled::Pool};
use ferrolb_types::{Family, IpRange, Labels, PeerName, ServiceKey};
use ipnet::IpNet;

use crate::{
    bgp, candidates,
    classes::Classes,
    decision::{Announced, BgpAnnouncement, L2Announcement},
    inputs::Inputs,
    install::Decided,
    layer2::{Contest, Standing},
    reason::Reason,
    record::Record,
    routes::{Peers, Routes},
    services::State,
    slab::{ClassId, NodeId, SlotId},
    world::World,
};

/// What the own node announces of a Service, as stored.
pub(crate) fn announced(inputs: &Inputs, routes: &Routes, key: &ServiceKey) -> Announced {
    let id = inputs.services.id(key);
    id.and_then(|id| inputs.services.get(id))
        .map(|slot| of_state(&slot.state, routes))
        .unwrap_or_default()
}

pub(crate) fn of_state(state: &State, routes: &Routes) -> Announced {
    let addresses = &state.addresses;
    let layer2 = state.layer2.as_ref().ok().map(|interfaces| L2Announcement {
        addresses: Arc::clone(addresses),
        interfaces: interfaces.clone(),
    });
    let bgp = state.bgp.is_ok().then(|| BgpAnnouncement {
        addresses: Arc::clone(addresses),
        prefixes: prefixes(state),
        receivers: receivers(state, routes, &routes.peers),
    });
    Announced { layer2, bgp }
}

fn prefixes(state: &State) -> Vec<IpNet> {
    let prefixes: BTreeSet<IpNet> = state.routes.iter().map(|(prefix, _)| *prefix).collect();
    prefixes.into_iter().collect()
}

/// The peers that are sent at least one of the Service's routes of a family.
fn receivers(state: &State, routes: &Routes, peers: &Peers) -> Vec<(PeerName, Family)> {
    let part = |(prefix, offer): &(IpNet, _)| {
        Some((Family::of(prefix.addr()), routes.advertisement(*offer)?))
    };
    let parts: Vec<_> = state.routes.iter().filter_map(part).collect();
    let mut receivers = Vec::new();
    for (name, peer) in peers {
        for family in [Family::IPv4, Family::IPv6] {
            let mut own = parts.iter().filter(|(of, _)| *of == family);
            if bgp::carries(peer, family) && own.any(|(_, ad)| ad.is_for(name)) {
                receivers.push((name.clone(), family));
            }
        }
    }
    receivers
}

/// The decision on one Service for the own node.
fn decide(inputs: &Inputs, classes: &mut Classes, id: SlotId, me: NodeId) -> Decided {
    let (record, pool) = match inputs.pool_of(id) {
        Ok(both) => both,
        Err(reason) => {
            return Decided {
                layer2: Standing::refused(reason.clone()),
                class: None,
                bgp: Err(reason),
                addresses: Arc::from([]),
            };
        }
    };
    let (layer2, class) = layer2(inputs, classes, (id, record, pool), me);
    let bgp = bgp::decide(inputs, id, record, pool, me).map(|ads| {
        let addresses = record.held().iter();
        let pairs = addresses.flat_map(|address| ads.iter().map(move |ad| (*address, *ad)));
        pairs
            .map(|(address, ad)| (bgp::prefix(address, ad), Arc::clone(ad)))
            .collect()
    });
    Decided {
        layer2,
        class,
        bgp,
        addresses: record.addresses.clone().unwrap_or_else(|_| Arc::from([])),
    }
}

fn layer2(
    inputs: &Inputs,
    classes: &mut Classes,
    (id, record, pool): (SlotId, &Record, &Pool),
    me: NodeId,
) -> (Standing, Option<ClassId>) {
    if !inputs.services.has_endpoint(id, false) {
        return (Standing::refused(Reason::NoEndpoints), None);
    }
    let places = match candidates::matching(pool, record) {
        Ok(places) => places,
        Err(reason) => return (Standing::refused(reason), None),
    };
    let at = classes.acquire(inputs, pool, places);
    let standing = match classes.get(at) {
        Some(class) => Contest::new(inputs, &class.candidates, id, record).decide(me),
        None => Standing::refused(Reason::UnknownNode),
    };
    (standing, Some(at))
}

impl World {
    /// Decides anew for these Services, and drops those of which nothing is left.
    pub(crate) fn refresh(&mut self, ids: impl IntoIterator<Item = SlotId>) {
        let synced = self.is_synced();
        for id in ids {
            if let (Some(me), true) = (self.me, synced) {
                self.decisions = self.decisions.saturating_add(1);
                let decided = decide(&self.inputs, &mut self.classes, id, me);
                self.install(id, decided);
            }
            self.inputs.services.forget(id);
        }
    }

    /// Decides everything, when all is in for the first time.
    pub(crate) fn refresh_all(&mut self) {
        self.refresh_peers();
        let all = self.inputs.services.all();
        self.refresh(all);
    }

    /// Stores, replaces or drops a Service's object and decides for it, and for those that share
    /// addresses with it where that matters to them.
    pub(crate) fn replace_service(&mut self, key: &ServiceKey, record: Option<Record>) {
        let id = self.inputs.services.intern(key);
        let Some(slot) = self.inputs.services.get_mut(id) else {
            return;
        };
        if slot.record.is_some() && slot.record == record {
            return;
        }
        let old = slot.record.clone();
        let concerned = self.concerned(id, old.as_ref(), record.as_ref());
        self.inputs
            .holders
            .remove(old.as_ref().map(Record::held).unwrap_or_default(), id);
        self.inputs
            .holders
            .add(record.as_ref().map(Record::held).unwrap_or_default(), id);
        if let Some(slot) = self.inputs.services.get_mut(id) {
            slot.record = record;
        }
        self.refresh(concerned);
        self.refresh([id]);
    }

    /// The other Services whose decision depends on how this one holds its addresses.
    fn concerned(
        &self,
        id: SlotId,
        old: Option<&Record>,
        new: Option<&Record>,
    ) -> BTreeSet<SlotId> {
        let Inputs {
            holders, services, ..
        } = &self.inputs;
        let both = || old.into_iter().chain(new);
        let addresses: Vec<IpAddr> = both().flat_map(Record::held).copied().collect();
        let mut others = addresses.iter().flat_map(|address| holders.of(*address));
        if others.all(|other| *other == id) {
            return BTreeSet::new();
        }
        let held_same = old.map(Record::held) == new.map(Record::held)
            && old.map(|r| r.created) == new.map(|r| r.created);
        let mut tied = holders.tied(services, &addresses);
        tied.remove(&id);
        let records = tied.iter().filter_map(|other| services.record(*other));
        let several = records.chain(both()).any(|record| record.held().len() > 1);
        if !held_same && several {
            return tied;
        }
        tied.retain(|other| {
            let clashes = |record: Option<&Record>| {
                record.is_some_and(|r| services.record(*other).is_some_and(|o| !o.may_share(r)))
            };
            clashes(old) != clashes(new) || (!held_same && clashes(new))
        });
        tied
    }

    /// A Node object changed in a way that matters.
    pub(crate) fn node_changed(&mut self, node: NodeId) {
        if self.me != Some(node) {
            self.candidate_changed(node);
        } else if self.is_synced() {
            self.refresh_peers();
            for class in self.classes.ids() {
                self.refresh_candidate(class, node);
            }
            let all = self.inputs.services.all();
            self.refresh(all);
        }
    }

    /// Something changed that makes a node a layer 2 candidate, or no longer one.
    pub(crate) fn candidate_changed(&mut self, node: NodeId) {
        let mut concerned = BTreeSet::new();
        for class in self.classes.ids() {
            concerned.extend(self.refresh_candidate(class, node));
        }
        self.refresh(concerned);
    }

    /// Looks at a node again in one candidate set; gives the Services whose election may end otherwise:
    /// those that were lost to it, and those won so far in which it comes first now.
    fn refresh_candidate(&mut self, at: ClassId, node: NodeId) -> Vec<SlotId> {
        let Some(class) = self.classes.get_mut(at) else {
            return Vec::new();
        };
        let before = (class.candidates.is_uneven(), class.candidates.all_ours());
        let (was, now) = class.candidates.refresh(&self.inputs, node);
        let after = (class.candidates.is_uneven(), class.candidates.all_ours());
        if was == now {
            return Vec::new();
        }
        let Some(class) = self.classes.get(at) else {
            return Vec::new();
        };
        if self.me == Some(node) || before.0 || after.0 {
            return class.members.iter().copied().collect();
        }
        let mut concerned = self.classes.lost_to(class, node);
        if let (Some(me), Some(rival)) = (self.me, now.filter(|now| !now.lacking)) {
            let owned = class.owned.iter().copied();
            concerned.extend(owned.filter(|id| {
                let record = self.inputs.services.record(*id);
                record.is_some_and(|record| {
                    Contest::new(&self.inputs, &class.candidates, *id, record).beats(&rival, me)
                })
            }));
        }
        if before.1 != after.1 {
            let members = class.members.iter().copied();
            concerned.extend(members.filter(|id| self.is_entangled(*id)));
        }
        concerned
    }

    fn is_entangled(&self, id: SlotId) -> bool {
        let Inputs {
            holders, services, ..
        } = &self.inputs;
        let held = services.record(id).map(Record::held).unwrap_or_default();
        holders.is_entangled(services, held)
    }

    /// The configuration was replaced; `old` is the one before.
    pub(crate) fn config_changed(&mut self, old: &Config) {
        let new = Arc::clone(&self.inputs.config);
        let mut ranges = Vec::new();
        for name in differing(&old.pools, &new.pools) {
            self.classes.retire(&name);
            let pools = old.pools.get(&name).into_iter().chain(new.pools.get(&name));
            ranges.extend(pools.flat_map(|pool| pool.entries.iter().map(|entry| entry.range)));
        }
        let unread = |config: &Config| -> BTreeMap<_, _> {
            let refused = config
                .refused
                .iter()
                .filter(|(_, refused)| !refused.ranges.is_empty());
            refused
                .map(|(o, r)| (o.clone(), r.ranges.clone()))
                .collect()
        };
        let (before, after) = (unread(old), unread(&new));
        for object in differing(&before, &after) {
            let both = before.get(&object).into_iter().chain(after.get(&object));
            ranges.extend(both.flatten().copied());
        }
        self.refresh_peers();
        let concerned = self.within(&ranges);
        self.refresh(concerned);
    }

    fn within(&self, ranges: &[IpRange]) -> BTreeSet<SlotId> {
        let holders = &self.inputs.holders;
        ranges
            .iter()
            .flat_map(|range| holders.within(range))
            .collect()
    }

    /// Finds the peers of the own node again.
    fn refresh_peers(&mut self) {
        let Some(me) = self.me else {
            return;
        };
        let none = Labels::new();
        let labels = self.inputs.nodes.get(me).and_then(|node| node.labels());
        let peers = peers_of(&self.inputs.config, labels.unwrap_or(&none));
        for name in differing(&self.routes.peers, &peers) {
            let told = || self.routes.peers.get(&name).cloned();
            self.changes.peers.touch(&name, told);
            self.changes.peers.settle(&name, peers.contains_key(&name));
        }
        if same_reach(&self.routes.peers, &peers) {
            self.routes.peers = peers;
            return;
        }
        self.touch_receivers(&peers);
        for (prefix, told) in self.routes.set_peers(peers) {
            self.changes.routes.touch(&prefix, || told);
            let present = self.routes.targets(&prefix).is_some();
            self.changes.routes.settle(&prefix, present);
        }
    }

    /// Marks the Services that other peers than before will be sent.
    fn touch_receivers(&mut self, peers: &Peers) {
        for id in self.inputs.services.all() {
            let Some(slot) = self.inputs.services.get(id) else {
                continue;
            };
            let (state, routes) = (&slot.state, &self.routes);
            if state.bgp.is_ok()
                && receivers(state, routes, &routes.peers) != receivers(state, routes, peers)
            {
                let told = || Some(of_state(state, routes));
                self.changes.services.touch(&slot.key, told);
            }
        }
    }
}

/// The peers a node with these labels speaks with.
pub(crate) fn peers_of(config: &Config, node: &Labels) -> Peers {
    config
        .peers_on(node)
        .map(|(name, peer)| (name.clone(), Arc::clone(peer)))
        .collect()
}

/// Whether both speak with peers of the same names, over sessions of the same families.
fn same_reach(a: &Peers, b: &Peers) -> bool {
    let reach = |peers: &Peers| -> Vec<_> {
        let both = |peer| [Family::IPv4, Family::IPv6].map(|family| bgp::carries(peer, family));
        peers
            .iter()
            .map(|(n, peer)| (n.clone(), both(peer)))
            .collect()
    };
    reach(a) == reach(b)
}

/// The keys that stand in only one of the maps, or with another value.
fn differing<K: Ord + Clone, V: PartialEq>(a: &BTreeMap<K, V>, b: &BTreeMap<K, V>) -> BTreeSet<K> {
    let names = a.keys().chain(b.keys());
    names
        .filter(|key| a.get(*key) != b.get(*key))
        .cloned()
        .collect()
}
