// SPDX-License-Identifier: Apache-2.0
//! L2 advertisements: rules A1, A3, A4 and A10.

use std::sync::Arc;

use ferrolb_api::resource::{L2Advertisement as Object, PreferredNodeSelector};
use ferrolb_types::{FieldPath, codes::advertisement as code};

use super::Pools;
use crate::{
    compile::{
        report::{Parsed, Report},
        selectors,
        settle::Rules,
    },
    compiled::{L2Advertisement, Preference},
    resources::Kind,
};

/// An advertisement and the numbers of its pools.
pub(crate) struct L2Form {
    advertisement: L2Advertisement,
    pools: Vec<usize>,
}

/// The L2 advertisements in force.
pub(crate) struct L2Rules<'p> {
    pools: &'p Pools<'p>,
    /// Those in force, by number of pool.
    pub(crate) attached: Vec<Vec<Arc<L2Advertisement>>>,
}

impl<'p> L2Rules<'p> {
    pub(crate) fn new(pools: &'p Pools<'p>) -> Self {
        Self {
            attached: vec![Vec::new(); pools.forms.len()],
            pools,
        }
    }
}

impl Rules<Object> for L2Rules<'_> {
    type Form = L2Form;

    fn parse(&mut self, object: &Object) -> Parsed<L2Form> {
        let mut report = Report::new(object.reference());
        let r = &mut report;
        let spec = &object.spec;
        let at = |name: &'static str| FieldPath::spec().key(name);
        let pools = self
            .pools
            .select(r, &spec.ip_address_pools, &spec.ip_address_pool_selectors);
        let advertisement = L2Advertisement {
            name: object.name().to_owned(),
            services: selectors::any_of(r, &at("serviceSelectors"), &spec.service_selectors),
            nodes: selectors::any_of(r, &at("nodeSelectors"), &spec.node_selectors),
            interfaces: spec.interfaces.iter().cloned().collect(),
            preferences: preferences(r, &spec.preferred_node_selectors),
        };
        let form = L2Form {
            advertisement,
            pools,
        };
        Parsed { form, report }
    }

    fn enter(&mut self, form: L2Form) {
        let advertisement = Arc::new(form.advertisement);
        for pool in form.pools {
            if let Some(list) = self.attached.get_mut(pool) {
                list.push(advertisement.clone());
            }
        }
    }
}

/// Equal preferences are allowed: their weights add up.
fn preferences(report: &mut Report, list: &[PreferredNodeSelector]) -> Vec<Preference> {
    let path = FieldPath::spec().key("preferredNodeSelectors");
    let preference = |(index, preferred): (usize, &PreferredNodeSelector)| {
        let at = path.index(index);
        Preference {
            nodes: selectors::one(report, &at.key("preference"), &preferred.preference),
            weight: weight(report, &at.key("weight"), preferred.weight),
        }
    };
    list.iter().enumerate().map(preference).collect()
}

fn weight(report: &mut Report, path: &FieldPath, weight: i32) -> u32 {
    if !(1..=100).contains(&weight) {
        let cause = "it is not between 1 and 100";
        let remedy = "write a weight from 1 to 100";
        report.refuse(
            code::A051,
            path.clone(),
            Some(&weight.to_string()),
            cause,
            remedy,
        );
    }
    weight.unsigned_abs()
}
