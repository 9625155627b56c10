// SPDX-License-Identifier: Apache-2.0
//! Pools: rules P1 to P15 of the controller reference, section 2.2.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use ferrolb_api::resource::{IPAddressPool, ServiceAllocation};
use ferrolb_types::{FieldPath, IpRange, Labels, PoolName, RangeError, codes::pool as code};

use super::{
    ranges::Ranges,
    report::{Parsed, Report, refuse_repeated},
    selectors,
    settle::Rules,
};
use crate::{
    compiled::{Entry, Pinning, Pool},
    resources::{Kind, Resources},
};

/// A pool and the labels by which advertisements select it.
pub(crate) struct PoolForm {
    pub(crate) pool: Pool,
    pub(crate) labels: Labels,
}

/// The pools in force.
pub(crate) struct PoolRules<'r> {
    resources: &'r Resources,
    pub(crate) in_force: BTreeMap<PoolName, PoolForm>,
    pub(super) ranges: Ranges,
    /// The ranges of each pool that is refused for those in force, where it counts beside them all the same.
    contested: Vec<Ranges>,
}

impl<'r> PoolRules<'r> {
    pub(crate) fn new(resources: &'r Resources) -> Self {
        Self {
            resources,
            in_force: BTreeMap::new(),
            ranges: Ranges::default(),
            contested: Vec::new(),
        }
    }

    /// Warns of pools that contain the address of a node (P15).
    pub(crate) fn warn_of_node_addresses(&self, warnings: &mut Vec<ferrolb_types::Diagnostic>) {
        let mut reports: BTreeMap<&PoolName, Report> = BTreeMap::new();
        for (node, facts) in &self.resources.nodes {
            for address in &facts.internal_ips {
                let Some((_, owner)) = self.ranges.overlapping(*address, *address).next() else {
                    continue;
                };
                let report = reports.entry(&owner.pool);
                let report = report.or_insert_with(|| Report::new(self.reference(&owner.pool)));
                let cause = format!("it contains {address}, the address of node {node}");
                let remedy = "take the addresses of nodes out of the pool";
                let at = addresses().index(owner.index);
                report.warn(code::P015, at, None, cause, remedy);
            }
        }
        let reports = reports.into_values();
        warnings.extend(reports.flat_map(|mut report| report.warnings.take()));
    }

    /// Names a pool as it is written.
    pub(crate) fn reference(&self, name: &PoolName) -> ferrolb_types::ObjectRef {
        let key = (self.resources.namespace().to_owned(), name.to_string());
        IPAddressPool::all(self.resources).get(&key).map_or_else(
            || ferrolb_types::ObjectRef::new(IPAddressPool::KIND, "", name.as_str()),
            |object| object.reference(),
        )
    }
}

impl Rules<IPAddressPool> for PoolRules<'_> {
    type Form = PoolForm;

    fn parse(&mut self, object: &IPAddressPool) -> Parsed<PoolForm> {
        let mut report = Report::new(object.reference());
        let spec = &object.spec;
        let entries = entries(&mut report, &spec.addresses);
        refuse_own_overlaps(&mut report, &spec.addresses, &entries);
        let pinning = spec.service_allocation.as_ref();
        let pool = Pool {
            name: object.name().into(),
            entries,
            auto_assign: spec.auto_assign.unwrap_or(true),
            avoid_buggy_ips: spec.avoid_buggy_ips.unwrap_or(false),
            pinning: pinning.map(|pinning| self.pinning(&mut report, pinning)),
            l2: Vec::new(),
            bgp: Vec::new(),
        };
        let labels = object.metadata.labels.as_ref();
        let labels = labels.map(Labels::from).unwrap_or_default();
        let form = PoolForm { pool, labels };
        Parsed { form, report }
    }

    fn conflicts(&mut self, form: &mut PoolForm, report: &mut Report) {
        let mut named = BTreeSet::new();
        let all = [&self.ranges].into_iter().chain(&self.contested);
        for (entry, first, owner) in all.flat_map(|ranges| ranges.met_by(&form.pool.entries)) {
            if !named.insert(&owner.pool) {
                continue;
            }
            let theirs = IpRange::new(*first, owner.last).map(|range| range.to_string());
            let cause = format!(
                "it overlaps with {} of the older pool {}",
                theirs.unwrap_or_default(),
                owner.pool
            );
            let at = addresses().index(entry.index);
            let value = entry.range.to_string();
            report.refuse(code::P009, at, Some(&value), cause, ONE_POOL);
        }
    }

    fn enter(&mut self, form: PoolForm) {
        let pool = &form.pool;
        self.ranges.enter(&pool.name, &pool.entries);
        self.in_force.insert(pool.name.clone(), form);
    }

    fn contested(&mut self, form: &PoolForm) {
        let mut ranges = Ranges::default();
        ranges.enter(&form.pool.name, &form.pool.entries);
        self.contested.push(ranges);
    }

    fn salvage(&mut self, form: PoolForm, _well_formed: bool) -> Vec<IpRange> {
        form.pool.entries.iter().map(|entry| entry.range).collect()
    }
}

const ONE_POOL: &str = "leave every address in one entry of one pool";

fn addresses() -> FieldPath {
    FieldPath::spec().key("addresses")
}

fn entries(report: &mut Report, texts: &[String]) -> Vec<Entry> {
    if texts.is_empty() {
        let remedy = "list at least one CIDR (192.0.2.0/24) or range (192.0.2.1-192.0.2.9)";
        report.refuse(code::P001, addresses(), None, "it has no addresses", remedy);
    }
    let mut entries = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(range) => entries.push(Entry { index, range }),
            Err(error) => refuse_entry(report, index, text, error),
        }
    }
    entries
}

fn refuse_entry(report: &mut Report, index: usize, text: &str, error: RangeError) {
    let (code, remedy) = match error {
        RangeError::Cidr => (
            code::P003,
            "write an address, a slash and a prefix length, without spaces; a single address ends in /32 or /128",
        ),
        RangeError::Address => (
            code::P004,
            "write two plain addresses with a '-' between them",
        ),
        RangeError::Reversed => (code::P005, "write the lower address first"),
        RangeError::MixedFamilies => (code::P006, "write one range for IPv4 and one for IPv6"),
    };
    let at = addresses().index(index);
    report.refuse(code, at, Some(text), error.to_string(), remedy);
}

/// P9 inside one pool: an entry must not overlap with one before it.
fn refuse_own_overlaps(report: &mut Report, texts: &[String], entries: &[Entry]) {
    let mut apart: BTreeMap<IpAddr, &Entry> = BTreeMap::new();
    for entry in entries {
        let below = apart.range(..=entry.range.last()).next_back();
        let other = below.filter(|(_, other)| other.range.overlaps(&entry.range));
        let Some((_, other)) = other else {
            apart.insert(entry.range.first(), entry);
            continue;
        };
        let cause = format!("it overlaps with {}", addresses().index(other.index));
        let value = texts.get(entry.index).map(String::as_str);
        report.refuse(
            code::P009,
            addresses().index(entry.index),
            value,
            cause,
            ONE_POOL,
        );
    }
}

impl PoolRules<'_> {
    fn pinning(&self, report: &mut Report, spec: &ServiceAllocation) -> Pinning {
        let path = FieldPath::spec().key("serviceAllocation");
        let at = path.key("namespaces");
        refuse_repeated(report, code::P011, &at, &spec.namespaces);
        self.warn_of_unknown_namespaces(report, &at, &spec.namespaces);
        let at = path.key("namespaceSelectors");
        let namespace_selectors = selectors::list(report, &at, &spec.namespace_selectors);
        let at = path.key("serviceSelectors");
        let service_selectors = selectors::list(report, &at, &spec.service_selectors);
        Pinning {
            priority: spec.priority.unwrap_or(0),
            namespaces: spec.namespaces.iter().cloned().collect(),
            namespace_selectors,
            service_selectors,
        }
    }

    fn warn_of_unknown_namespaces(&self, report: &mut Report, path: &FieldPath, names: &[String]) {
        let known = &self.resources.namespaces;
        if known.is_empty() {
            return;
        }
        for (index, name) in names.iter().enumerate() {
            if !known.contains(name) {
                let cause =
                    "there is no such namespace now, so no Service of it draws from the pool";
                let remedy = "correct the name, or create the namespace";
                report.warn(code::P014, path.index(index), Some(name), cause, remedy);
            }
        }
    }
}

/// Finishes the pools: those that no advertisement selects are warned of (P51).
pub(crate) fn finish(
    rules: PoolRules<'_>,
    warnings: &mut Vec<ferrolb_types::Diagnostic>,
) -> BTreeMap<PoolName, Arc<Pool>> {
    for (name, form) in &rules.in_force {
        if form.pool.l2.is_empty() && form.pool.bgp.is_empty() {
            let mut report = Report::new(rules.reference(name));
            let cause =
                "no advertisement selects it, so its addresses are given out but not announced";
            let remedy = "create an L2Advertisement or BGPAdvertisement that selects it";
            report.warn(code::P051, FieldPath::root(), None, cause, remedy);
            warnings.extend(report.warnings.take());
        }
    }
    let forms = rules.in_force.into_iter();
    forms
        .map(|(name, form)| (name, Arc::new(form.pool)))
        .collect()
}
