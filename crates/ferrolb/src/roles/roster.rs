// SPDX-License-Identifier: Apache-2.0
//! Services as the folder states them, with the addresses the controller gave them.
//!
//! In a cluster a Service's status carries its addresses. In a folder nobody writes manifests, so the
//! state file does. What the manifest of a Service holds that the state file does not mention is a wish,
//! which the controller hears; nothing of it is announced before it stands in the state file.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    net::IpAddr,
    sync::Arc,
};

use ferrolb_api::view::{Ingress, ServiceView};
use ferrolb_types::ServiceKey;

use crate::state::Generation;

/// Services by key, and who holds what.
#[derive(Debug, Default)]
pub struct Roster {
    services: BTreeMap<ServiceKey, Arc<ServiceView>>,
    generation: Arc<Generation>,
}

impl Roster {
    /// Adds or replaces a Service; gives it with its addresses.
    pub fn apply(&mut self, view: Arc<ServiceView>) -> Arc<ServiceView> {
        let addressed = self.with_addresses(&view);
        self.services.insert(view.key.clone(), view);
        addressed
    }

    /// Removes a Service.
    pub fn delete(&mut self, key: &ServiceKey) {
        self.services.remove(key);
    }

    /// Replaces who holds what; gives the Services for which that makes a difference.
    pub fn set_generation(
        &mut self,
        generation: impl Into<Arc<Generation>>,
    ) -> Vec<Arc<ServiceView>> {
        let old = std::mem::replace(&mut self.generation, generation.into());
        let keys: BTreeSet<&ServiceKey> = old
            .services
            .keys()
            .chain(self.generation.services.keys())
            .collect();
        let changed = keys
            .into_iter()
            .filter(|key| old.services.get(*key) != self.generation.services.get(*key));
        changed
            .filter_map(|key| self.services.get(key))
            .map(|view| self.with_addresses(view))
            .collect()
    }

    /// Who holds what.
    #[must_use]
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// A Service that [`Self::apply`] or [`Self::set_generation`] gave, with what may be announced of it.
    #[must_use]
    pub fn decided(&self, view: &Arc<ServiceView>) -> Arc<ServiceView> {
        if view.ingress.is_empty() || self.generation.services.contains_key(&view.key) {
            return Arc::clone(view);
        }
        unclaimed(view)
    }

    /// Services whose manifests claim an address that is not theirs: by the state file another one holds it.
    /// They are given without their claim, which at a start might win over the holder; whoever holds an
    /// address does not lose it to a text. They may still share it, as any other Service may.
    #[must_use]
    pub fn overclaims(&self) -> Vec<Arc<ServiceView>> {
        let holders = self.generation.services.iter();
        let present = holders.filter(|(holder, _)| self.services.contains_key(*holder));
        let taken: HashSet<IpAddr> = present
            .flat_map(|(_, held)| held.addresses.iter().copied())
            .collect();
        let unheld = self.services.values().filter(|view| {
            !view.ingress.is_empty() && !self.generation.services.contains_key(&view.key)
        });
        unheld
            .filter(|view| {
                view.addresses()
                    .any(|ip| taken.contains(&ip.to_canonical()))
            })
            .map(unclaimed)
            .collect()
    }

    fn with_addresses(&self, view: &Arc<ServiceView>) -> Arc<ServiceView> {
        let Some(held) = self.generation.services.get(&view.key) else {
            return Arc::clone(view);
        };
        let ingress: Vec<Ingress> = held
            .addresses
            .iter()
            .copied()
            .map(Ingress::Address)
            .collect();
        let pool = held.pool.as_ref().map(|pool| Box::from(pool.as_str()));
        if view.ingress == ingress && view.annotations.allocated_from_pool == pool {
            return Arc::clone(view);
        }
        let mut view = ServiceView::clone(view);
        view.ingress = ingress;
        view.annotations.allocated_from_pool = pool;
        Arc::new(view)
    }
}

/// The Service without what its manifest says of its addresses.
fn unclaimed(view: &Arc<ServiceView>) -> Arc<ServiceView> {
    let mut view = ServiceView::clone(view);
    view.ingress.clear();
    Arc::new(view)
}

#[cfg(test)]
mod tests {
    use ferrolb_api::core::Service;
    use ferrolb_types::PoolName;

    use super::*;
    use crate::state::Held;

    fn service(json: serde_json::Value) -> ServiceView {
        let object: Service = serde_json::from_value(json).unwrap();
        ServiceView::try_from(&object).unwrap()
    }

    fn web() -> ServiceView {
        service(serde_json::json!({
            "metadata": {"name": "web"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}},
        }))
    }

    fn generation(addresses: &[&str]) -> Generation {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let held = Held {
            addresses,
            pool: Some(PoolName::from("p")),
        };
        Generation {
            services: [(ServiceKey::new("default", "web"), held)]
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn the_state_file_counts_before_the_manifest() {
        let mut roster = Roster::default();
        let wish = roster.apply(Arc::new(web()));
        let first: Vec<_> = wish.addresses().collect();
        assert_eq!(first, ["192.0.2.9".parse::<IpAddr>().unwrap()]);
        assert_eq!(roster.decided(&wish).addresses().count(), 0);
        let changed = roster.set_generation(generation(&["192.0.2.1"]));
        assert_eq!(roster.decided(&changed[0]), changed[0]);
        let second: Vec<_> = changed[0].addresses().collect();
        assert_eq!(second, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert!(roster.set_generation(generation(&["192.0.2.1"])).is_empty());
        // A Service that waits has no address, whatever its manifest says.
        assert_eq!(
            roster.set_generation(generation(&[]))[0]
                .addresses()
                .count(),
            0
        );
    }
}
