// SPDX-License-Identifier: Apache-2.0
//! BGP advertisements: rules A1 to A3 and A5 to A11.
//!
//! An advertisement that an older one stands in the way of on some of its nodes (A8) is in force on the
//! others. One whose only faults are conflicts with some pools (A7), or on all of its nodes there (A8),
//! and which has no usable last good version, stays in force on the pools with which it has none.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ferrolb_api::resource::{BGPAdvertisement as Object, BGPAdvertisementSpec};
use ferrolb_types::{
    Community, CommunityError, Family, FieldPath, IpRange, PeerName, codes::advertisement as code,
};

use super::{Pools, check_peers, conflict};
use crate::{
    compile::{
        communities::CommunityRules,
        nodes::{Nodes, Reach},
        report::{Parsed, Report, refuse_repeated},
        selectors,
        settle::Rules,
    },
    compiled::BgpAdvertisement,
    resources::Kind,
};

/// An advertisement, its pools, and those of them that it cannot be in force on.
pub(crate) struct BgpForm {
    pub(super) advertisement: Arc<BgpAdvertisement>,
    reach: Reach,
    pub(super) pools: Vec<usize>,
    /// Pools on which older advertisements leave it only some of the nodes that it selects.
    narrowed: BTreeMap<usize, Reach>,
    pub(super) unfit: BTreeSet<usize>,
}

impl BgpForm {
    /// The known nodes on which it is in force for a pool.
    pub(super) fn reach_on(&self, pool: usize) -> &Reach {
        self.narrowed.get(&pool).unwrap_or(&self.reach)
    }

    /// Leaves these nodes of a pool to an older advertisement.
    pub(super) fn yield_on(&mut self, pool: usize, nodes: &Reach) {
        let left = self.narrowed.entry(pool);
        let left = left.or_insert_with(|| self.reach.clone());
        left.remove(nodes);
        if left.is_empty() {
            self.unfit.insert(pool);
        }
    }
}

/// The BGP advertisements in force.
pub(crate) struct BgpRules<'p> {
    pub(super) pools: &'p Pools<'p>,
    pub(super) nodes: Nodes<'p>,
    communities: &'p CommunityRules,
    /// By number of pool, per family: the shortest aggregation that fits, and the entry that says so.
    pub(super) narrowest: Vec<Narrowest>,
    pub(super) admitted: Vec<BgpForm>,
}

/// The shortest aggregation lengths that a pool bears, each with the index of the entry that says so;
/// absent for a family the pool lacks.
#[derive(Clone, Copy, Default)]
pub(super) struct Narrowest {
    pub(super) ipv4: Option<(u8, usize)>,
    pub(super) ipv6: Option<(u8, usize)>,
}

impl Narrowest {
    pub(super) fn of(&self, family: Family) -> Option<(u8, usize)> {
        match family {
            Family::IPv4 => self.ipv4,
            Family::IPv6 => self.ipv6,
        }
    }
}

impl<'p> BgpRules<'p> {
    pub(crate) fn new(pools: &'p Pools<'p>, communities: &'p CommunityRules) -> Self {
        Self {
            nodes: Nodes::new(pools.resources),
            narrowest: pools
                .forms
                .iter()
                .map(|form| narrowest(&form.pool))
                .collect(),
            pools,
            communities,
            admitted: Vec::new(),
        }
    }

    /// Those in force, by number of pool.
    pub(crate) fn attached(&self) -> Vec<Vec<Arc<BgpAdvertisement>>> {
        let mut attached = vec![Vec::new(); self.pools.forms.len()];
        for form in &self.admitted {
            for pool in &form.pools {
                if let Some(list) = attached.get_mut(*pool) {
                    list.push(form.advertisement.clone());
                }
            }
        }
        attached
    }

    /// The peers that IPv6 pools are advertised to; `None` stands for all.
    pub(crate) fn ipv6_peers(&self) -> BTreeSet<Option<PeerName>> {
        let has_ipv6 = |pool: &usize| self.narrowest.get(*pool).is_some_and(|n| n.ipv6.is_some());
        let mut peers = BTreeSet::new();
        for form in &self.admitted {
            if form.pools.iter().any(has_ipv6) {
                let named = &form.advertisement.peers;
                peers.extend(named.iter().cloned().map(Some));
                peers.extend(named.is_empty().then_some(None));
            }
        }
        peers
    }

    fn community(&self, report: &mut Report, index: usize, text: &str) -> Option<Community> {
        if let Some(community) = self.communities.resolve(text) {
            return Some(community);
        }
        let error = match text.parse() {
            Ok(community) => return Some(community),
            Err(error) => error,
        };
        let (cause, remedy) = match error {
            CommunityError::Shape if !text.contains(':') => (
                "no usable Community defines this alias".to_owned(),
                "define it in a Community, correct the name, or write A:B or large:G:L1:L2",
            ),
            error => (
                error.to_string(),
                "write A:B, large:G:L1:L2, or the name of an alias",
            ),
        };
        let at = FieldPath::spec().key("communities").index(index);
        report.refuse(code::A009, at, Some(text), cause, remedy);
        None
    }

    fn communities(&self, report: &mut Report, texts: &[String]) -> BTreeSet<Community> {
        let at = FieldPath::spec().key("communities");
        refuse_repeated(report, code::A002, &at, texts);
        let texts = texts.iter().enumerate();
        texts
            .filter_map(|(index, text)| self.community(report, index, text))
            .collect()
    }
}

impl Rules<Object> for BgpRules<'_> {
    type Form = BgpForm;

    fn parse(&mut self, object: &Object) -> Parsed<BgpForm> {
        let mut report = Report::new(object.reference());
        let r = &mut report;
        let spec = &object.spec;
        let at = |name: &'static str| FieldPath::spec().key(name);
        let pools = self
            .pools
            .select(r, &spec.ip_address_pools, &spec.ip_address_pool_selectors);
        check_peers(r, &spec.peers, self.pools.resources);
        let (aggregation_length, aggregation_length_v6) = aggregation(r, spec);
        let advertisement = BgpAdvertisement {
            name: object.name().to_owned(),
            services: selectors::any_of(r, &at("serviceSelectors"), &spec.service_selectors),
            nodes: selectors::any_of(r, &at("nodeSelectors"), &spec.node_selectors),
            peers: spec.peers.iter().map(|name| name.as_str().into()).collect(),
            aggregation_length,
            aggregation_length_v6,
            local_pref: spec.local_pref,
            communities: self.communities(r, &spec.communities),
        };
        let form = BgpForm {
            reach: self.nodes.reach(&advertisement.nodes),
            advertisement: Arc::new(advertisement),
            pools,
            narrowed: BTreeMap::new(),
            unfit: BTreeSet::new(),
        };
        Parsed { form, report }
    }

    fn conflicts(&mut self, form: &mut BgpForm, report: &mut Report) {
        conflict::with_pools(self, form, report);
        conflict::with_others(self, form, report);
    }

    fn stands(&self, form: &BgpForm) -> bool {
        form.unfit.is_empty()
    }

    fn enter(&mut self, form: BgpForm) {
        self.admitted.push(form);
    }

    /// With the aliases resolved, so that the version stays good when an alias goes.
    fn keep(&mut self, object: &Arc<Object>, form: &BgpForm) -> Arc<Object> {
        let is_alias = |text: &String| self.communities.resolve(text).is_some();
        if !object.spec.communities.iter().any(is_alias) {
            return object.clone();
        }
        let mut resolved = Object::clone(object);
        let communities = form.advertisement.communities.iter();
        resolved.spec.communities = communities.map(ToString::to_string).collect();
        Arc::new(resolved)
    }

    fn salvage(&mut self, mut form: BgpForm, well_formed: bool) -> Vec<IpRange> {
        form.pools.retain(|pool| !form.unfit.contains(pool));
        if well_formed && !form.pools.is_empty() {
            self.admitted.push(form);
        }
        Vec::new()
    }
}

/// The aggregation lengths (A5, A6).
fn aggregation(report: &mut Report, spec: &BGPAdvertisementSpec) -> (u8, u8) {
    let ipv4 = length(report, "aggregationLength", spec.aggregation_length, 1, 32);
    let ipv6 = length(
        report,
        "aggregationLengthV6",
        spec.aggregation_length_v6,
        0,
        128,
    );
    if !spec.service_selectors.is_empty() {
        let lengths = [
            ("aggregationLength", ipv4, 32),
            ("aggregationLengthV6", ipv6, 128),
        ];
        for (name, given, whole) in lengths
            .into_iter()
            .filter(|(_, given, whole)| given != whole)
        {
            let cause = "with serviceSelectors it must cover single addresses alone, as an aggregate \
                         would draw in the traffic of other Services";
            let remedy = format!("remove the field or write {whole}, or remove serviceSelectors");
            let at = FieldPath::spec().key(name);
            report.refuse(code::A005, at, Some(&given.to_string()), cause, remedy);
        }
    }
    (ipv4, ipv6)
}

fn length(report: &mut Report, name: &'static str, given: Option<i32>, low: u8, high: u8) -> u8 {
    let given = given.unwrap_or(high.into());
    match u8::try_from(given) {
        Ok(length) if (low..=high).contains(&length) => length,
        _ => {
            let cause = format!("it is not between {low} and {high}");
            let remedy = format!("write a prefix length from {low} to {high}");
            let at = FieldPath::spec().key(name);
            report.refuse(code::A006, at, Some(&given.to_string()), cause, remedy);
            high
        }
    }
}

fn narrowest(pool: &crate::compiled::Pool) -> Narrowest {
    let mut narrowest = Narrowest::default();
    for entry in &pool.entries {
        let lengths = entry
            .range
            .cidrs()
            .into_iter()
            .map(|cidr| cidr.prefix_len());
        let Some(shortest) = lengths.min() else {
            continue;
        };
        let slot = match entry.range.family() {
            Family::IPv4 => &mut narrowest.ipv4,
            Family::IPv6 => &mut narrowest.ipv6,
        };
        if slot.is_none_or(|(length, _)| length < shortest) {
            *slot = Some((shortest, entry.index));
        }
    }
    narrowest
}
