// SPDX-License-Identifier: Apache-2.0
//! What a change would move: the difference of two plans.

use std::{collections::BTreeSet, net::IpAddr};

use ferrolb_types::{NodeName, ServiceKey};
use serde::Serialize;

use super::{Announcement, Plan, PlannedService};

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Difference {
    /// Services whose addresses or pool differ.
    pub(super) services: Vec<Moved>,
    /// Announcements that would go.
    pub(super) withdrawn: Vec<(NodeName, Announcement)>,
    /// Announcements that would come.
    pub(super) announced: Vec<(NodeName, Announcement)>,
}

/// A Service that would hold something else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Moved {
    pub(super) service: ServiceKey,
    pub(super) from: Vec<IpAddr>,
    pub(super) to: Vec<IpAddr>,
    /// Whether it would be there at all.
    pub(super) exists: bool,
    /// Why it would have no address.
    pub(super) after: PlannedService,
}

impl Difference {
    /// What differs. Announcements are compared only where the first plan knows of any node.
    pub(super) fn between(before: &Plan, after: &Plan) -> Self {
        let keys: BTreeSet<&ServiceKey> = before
            .services
            .keys()
            .chain(after.services.keys())
            .collect();
        let mut difference = Self {
            services: keys
                .into_iter()
                .filter_map(|key| moved(before, after, key))
                .collect(),
            ..Self::default()
        };
        if !before.nodes.is_empty() {
            let (old, new) = (announcements(before), announcements(after));
            difference.withdrawn = old.difference(&new).cloned().collect();
            difference.announced = new.difference(&old).cloned().collect();
        }
        difference
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn moved(before: &Plan, after: &Plan, key: &ServiceKey) -> Option<Moved> {
    let (from, to) = (before.services.get(key), after.services.get(key));
    let addresses =
        |service: Option<&PlannedService>| service.map(|s| s.addresses.clone()).unwrap_or_default();
    let pool = |service: Option<&PlannedService>| service.and_then(|s| s.pool.clone());
    let same = addresses(from) == addresses(to)
        && pool(from) == pool(to)
        && from.is_some() == to.is_some();
    (!same).then(|| Moved {
        service: key.clone(),
        from: addresses(from),
        to: addresses(to),
        exists: to.is_some(),
        after: to.cloned().unwrap_or_default(),
    })
}

fn announcements(plan: &Plan) -> BTreeSet<(NodeName, Announcement)> {
    let nodes = plan.nodes.iter();
    nodes
        .flat_map(|(node, list)| list.iter().map(|one| (node.clone(), one.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(services: &[(&str, &[&str])]) -> Plan {
        let service = |(name, addresses): &(&str, &[&str])| {
            let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
            (
                ServiceKey::new("default", *name),
                PlannedService {
                    addresses,
                    ..PlannedService::default()
                },
            )
        };
        Plan {
            services: services.iter().map(service).collect(),
            ..Plan::default()
        }
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = plan(&[
            ("a", &["192.0.2.1"]),
            ("b", &["192.0.2.2"]),
            ("gone", &["192.0.2.3"]),
        ]);
        let after = plan(&[("a", &["192.0.2.1"]), ("b", &["192.0.2.3"]), ("new", &[])]);
        let difference = Difference::between(&before, &after);
        let names: Vec<(&str, bool)> = difference
            .services
            .iter()
            .map(|moved| (moved.service.name(), moved.exists))
            .collect();
        assert_eq!(names, [("b", true), ("gone", false), ("new", true)]);
        assert!(Difference::between(&before, &before).is_empty());
    }
}
