// SPDX-License-Identifier: Apache-2.0
//! A compiled pool.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use ferrolb_types::{Family, IpRange, Labels, PoolName};

use super::{BgpAdvertisement, L2Advertisement};
use crate::selector::Selector;

/// A pool and the advertisements that select it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: PoolName,
    /// Its address entries in the order of the object; none overlaps another, here or elsewhere.
    pub entries: Vec<Entry>,
    /// Whether Services that ask for nothing may draw from it.
    pub auto_assign: bool,
    /// Whether IPv4 addresses ending in .0 and .255 are left out.
    pub avoid_buggy_ips: bool,
    /// Present on a pinned pool.
    pub pinning: Option<Pinning>,
    /// The layer 2 advertisements that select it, each once, ascending by name.
    pub l2: Vec<Arc<L2Advertisement>>,
    /// The BGP advertisements that select it, each once, oldest first.
    pub bgp: Vec<Arc<BgpAdvertisement>>,
}

/// One element of `spec.addresses`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Its place in the list.
    pub index: usize,
    /// Its addresses.
    pub range: IpRange,
}

impl Pool {
    /// Whether the pool may give out this address: it lies in an entry, and is not one of those that
    /// `avoidBuggyIPs` leaves out.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.range.contains(address))
            && !(self.avoid_buggy_ips && is_buggy(address))
    }

    /// Whether any entry is of this family.
    #[must_use]
    pub fn has_family(&self, family: Family) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.range.family() == family)
    }
}

impl Pool {
    /// The BGP advertisements in force on a node with these labels, oldest first: those that select it,
    /// less what [`Pool::overruled_on`] tells.
    #[must_use]
    pub fn bgp_on(&self, node: &Labels) -> Vec<&Arc<BgpAdvertisement>> {
        self.judge(node).0
    }

    /// The BGP advertisements that select a node with these labels and have no effect there, each with
    /// the older one that it contradicts (A8).
    #[must_use]
    pub fn overruled_on(
        &self,
        node: &Labels,
    ) -> Vec<(&Arc<BgpAdvertisement>, &Arc<BgpAdvertisement>)> {
        self.judge(node).1
    }

    fn judge(&self, node: &Labels) -> Judged<'_> {
        let (mut in_force, mut overruled) = Judged::default();
        for ad in self.bgp.iter().filter(|ad| ad.nodes.matches(node)) {
            let rival = |older: &&&Arc<BgpAdvertisement>| {
                ad.is_rival_of(older) && ad.contradicts(older, |family| self.has_family(family))
            };
            match in_force.iter().find(rival).copied() {
                Some(older) => overruled.push((ad, older)),
                None => in_force.push(ad),
            }
        }
        (in_force, overruled)
    }
}

/// The advertisements in force, and the others each with an older one in its way.
type Judged<'p> = (
    Vec<&'p Arc<BgpAdvertisement>>,
    Vec<(&'p Arc<BgpAdvertisement>, &'p Arc<BgpAdvertisement>)>,
);

/// Whether an IPv4 address ends in .0 or .255, which some old clients take for network or broadcast.
#[must_use]
pub fn is_buggy(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if matches!(v4.octets()[3], 0 | 255))
}

/// `spec.serviceAllocation`: which Services may draw from a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinning {
    /// Lower is tried first; 0 comes last.
    pub priority: i64,
    /// Namespaces by name.
    pub namespaces: BTreeSet<String>,
    /// Namespaces by label.
    pub namespace_selectors: Vec<Selector>,
    /// Services by label.
    pub service_selectors: Vec<Selector>,
}

impl Pinning {
    /// Whether a Service of this namespace and with these labels may draw from the pool. Namespaces by
    /// name and by label are a union; namespaces and Service labels must both match where both are given.
    ///
    /// Labels of a namespace that are not known match every selector.
    ///
    /// A selector that matches no namespace selects none, for automatic and for explicit requests alike.
    #[must_use]
    pub fn admits(
        &self,
        namespace: &str,
        namespace_labels: Option<&Labels>,
        service_labels: &Labels,
    ) -> bool {
        let by_namespace = self.namespaces.is_empty() && self.namespace_selectors.is_empty()
            || self.namespaces.contains(namespace)
            || self
                .namespace_selectors
                .iter()
                .any(|selector| namespace_labels.is_none_or(|labels| selector.matches(labels)));
        let by_service = self.service_selectors.is_empty()
            || self
                .service_selectors
                .iter()
                .any(|selector| selector.matches(service_labels));
        by_namespace && by_service
    }

    /// The order of pinned pools: priority ascending, 0 last.
    #[must_use]
    pub fn rank(&self) -> i64 {
        if self.priority == 0 {
            i64::MAX
        } else {
            self.priority
        }
    }
}
