// SPDX-License-Identifier: Apache-2.0
//! A new decision for the own node put in place of the one before: what it changes in the addresses
//! answered for, the routes and the Services, remembered until it is told.

use std::{net::IpAddr, sync::Arc};

use ferrolb_config::compiled::BgpAdvertisement;
use ipnet::IpNet;

use crate::{
    layer2::Standing,
    reason::Reason,
    refresh::of_state,
    services::State,
    slab::{ClassId, SlotId},
    world::World,
};

/// A fresh decision for the own node, before it is put in place.
pub(crate) struct Decided {
    pub(crate) layer2: Standing,
    pub(crate) class: Option<ClassId>,
    pub(crate) bgp: Result<Vec<(IpNet, Arc<BgpAdvertisement>)>, Reason>,
    pub(crate) addresses: Arc<[IpAddr]>,
}

impl World {
    /// Puts a decision in place of the one before.
    pub(crate) fn install(&mut self, id: SlotId, decided: Decided) {
        let Some(slot) = self.inputs.services.get_mut(id) else {
            return;
        };
        let old = std::mem::take(&mut slot.state);
        let key = slot.key.clone();
        let new = self.state_of(decided);
        let same_layer2 = old.layer2.as_ref().ok() == new.layer2.as_ref().ok();
        let same_layer2 = same_layer2 && (new.layer2.is_err() || old.addresses == new.addresses);
        let same_routes = old.bgp.is_ok() == new.bgp.is_ok() && old.routes == new.routes;
        // Another address may lie behind the same aggregate.
        let same_behind = new.bgp.is_err() || old.addresses == new.addresses;
        if !same_layer2 || !same_routes || !same_behind {
            let routes = &self.routes;
            self.changes
                .services
                .touch(&key, || Some(of_state(&old, routes)));
        }
        if !same_layer2 {
            self.swap_answers(id, &old, &new);
        }
        if !same_routes {
            self.swap_routes(&old, &new);
        }
        for (_, offer) in &old.routes {
            self.routes.release(*offer);
        }
        self.classes.relink(id, &old, &new);
        if let Some(slot) = self.inputs.services.get_mut(id) {
            slot.state = new;
        }
    }

    fn state_of(&mut self, decided: Decided) -> State {
        let (bgp, offers) = match decided.bgp {
            Ok(offers) => (Ok(()), offers),
            Err(reason) => (Err(reason), Vec::new()),
        };
        let offers = offers.into_iter();
        State {
            layer2: decided.layer2.verdict,
            bgp,
            addresses: decided.addresses,
            class: decided.class,
            witness: decided.layer2.witness,
            routes: offers
                .map(|(prefix, ad)| (prefix, self.routes.acquire(&ad)))
                .collect(),
        }
    }

    fn swap_answers(&mut self, id: SlotId, old: &State, new: &State) {
        let announced = |state: &State| match &state.layer2 {
            Ok(_) => state.addresses.to_vec(),
            Err(_) => Vec::new(),
        };
        let (was, now) = (announced(old), announced(new));
        for address in was.iter().chain(&now) {
            let answers = &self.answers;
            self.changes
                .addresses
                .touch(address, || answers.get(*address));
        }
        for address in &was {
            self.answers.remove(*address, id);
        }
        if let Ok(interfaces) = &new.layer2 {
            for address in &now {
                self.answers.add(*address, id, interfaces);
            }
        }
        for address in was.iter().chain(&now) {
            let present = self.answers.get(*address).is_some();
            self.changes.addresses.settle(address, present);
        }
    }

    fn swap_routes(&mut self, old: &State, new: &State) {
        let both = || old.routes.iter().chain(&new.routes);
        for (prefix, _) in both() {
            let routes = &self.routes;
            self.changes.routes.touch(prefix, || routes.targets(prefix));
        }
        for (prefix, offer) in &old.routes {
            self.routes.remove(*prefix, *offer);
        }
        for (prefix, offer) in &new.routes {
            self.routes.add(*prefix, *offer);
        }
        for (prefix, _) in both() {
            let present = self.routes.targets(prefix).is_some();
            self.changes.routes.settle(prefix, present);
        }
    }
}
