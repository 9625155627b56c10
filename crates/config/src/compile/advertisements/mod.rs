// SPDX-License-Identifier: Apache-2.0
//! Advertisements: rules A1 to A11 of the controller reference, section 2.5.

pub(crate) mod bgp;
mod conflict;
pub(crate) mod l2;

use std::collections::{BTreeMap, BTreeSet};

use ferrolb_api::{
    core::LabelSelector,
    resource::{BGPPeer, IPAddressPool},
};
use ferrolb_types::{FieldPath, PoolName, codes::advertisement as code};

use super::{
    pools::PoolForm,
    report::{Report, refuse_repeated},
    selectors,
};
use crate::resources::{Kind, Resources};

/// The pools in force, numbered in the order of their names.
pub(crate) struct Pools<'r> {
    resources: &'r Resources,
    forms: Vec<&'r PoolForm>,
    by_name: BTreeMap<&'r str, usize>,
}

impl<'r> Pools<'r> {
    pub(crate) fn new(
        resources: &'r Resources,
        in_force: &'r BTreeMap<PoolName, PoolForm>,
    ) -> Self {
        let by_name = in_force.keys().enumerate();
        Self {
            resources,
            by_name: by_name.map(|(n, name)| (name.as_str(), n)).collect(),
            forms: in_force.values().collect(),
        }
    }

    /// The numbers of the pools that names and selectors choose, ascending; neither means all. Refuses
    /// repetitions, and warns of what chooses nothing (A10).
    fn select(
        &self,
        report: &mut Report,
        names: &[String],
        by_label: &[LabelSelector],
    ) -> Vec<usize> {
        let at = FieldPath::spec().key("ipAddressPools");
        refuse_repeated(report, code::A001, &at, names);
        warn_of_unknown::<IPAddressPool>(report, &at, names, self.resources);
        let at = FieldPath::spec().key("ipAddressPoolSelectors");
        let selectors = selectors::list(report, &at, by_label);
        if names.is_empty() && selectors.is_empty() {
            return (0..self.forms.len()).collect();
        }
        let named = names
            .iter()
            .filter_map(|name| self.by_name.get(name.as_str()));
        let mut chosen: BTreeSet<usize> = named.copied().collect();
        let mut followed = BTreeSet::new();
        for (index, selector) in selectors.iter().enumerate() {
            // One that is repeated is refused, and would choose the same.
            if !followed.insert(selector) {
                continue;
            }
            let forms = self.forms.iter().enumerate();
            let matching = forms.filter(|(_, form)| selector.matches(&form.labels));
            let mut matching = matching.map(|(n, _)| n).peekable();
            if matching.peek().is_none() {
                let cause = "no usable pool has these labels";
                let remedy = "correct the selector, or label a pool";
                report.warn(code::A010, at.index(index), None, cause, remedy);
            }
            chosen.extend(matching);
        }
        chosen.into_iter().collect()
    }
}

/// A10: a name that nothing has is usually a typing error.
fn warn_of_unknown<K: Kind>(
    report: &mut Report,
    path: &FieldPath,
    names: &[String],
    resources: &Resources,
) {
    for (index, name) in names.iter().enumerate() {
        if !resources.exists::<K>(name) {
            let cause = format!("there is no {} of this name", K::KIND);
            let remedy = "correct the name, or create the object";
            report.warn(code::A010, path.index(index), Some(name), cause, remedy);
        }
    }
}

fn check_peers(report: &mut Report, names: &[String], resources: &Resources) {
    let at = FieldPath::spec().key("peers");
    refuse_repeated(report, code::A002, &at, names);
    warn_of_unknown::<BGPPeer>(report, &at, names, resources);
}
