// SPDX-License-Identifier: Apache-2.0
//! Conflicts of a BGP advertisement: with the pools it selects (A7), and with older advertisements on the
//! same pools (A8).

use ferrolb_types::{Family, FieldPath, codes::advertisement as code};

use super::bgp::{BgpForm, BgpRules};
use crate::{
    compile::{nodes::Reach, report::Report},
    compiled::BgpAdvertisement,
};

/// A7: an aggregate wider than an entry of the pool would draw in traffic for addresses that are not
/// the pool's.
pub(super) fn with_pools(rules: &BgpRules<'_>, form: &mut BgpForm, report: &mut Report) {
    for (family, name) in [
        (Family::IPv4, "aggregationLength"),
        (Family::IPv6, "aggregationLengthV6"),
    ] {
        let given = form.advertisement.aggregation(family);
        let too_narrow = |pool: &usize| {
            let (length, index) = rules.narrowest.get(*pool)?.of(family)?;
            (length > given).then_some((*pool, length, index))
        };
        let faults: Vec<_> = form.pools.iter().filter_map(too_narrow).collect();
        let Some((pool, length, index)) = faults.first() else {
            continue;
        };
        let at = FieldPath::spec().key(name);
        let cause = format!(
            "spec.addresses[{index}] of pool {} has no prefix shorter than /{length}{}",
            pool_name(rules, *pool),
            and_others(faults.len(), "pool")
        );
        let remedy = "write a longer aggregation length, or select wider pools alone";
        report.refuse(code::A007, at, Some(&given.to_string()), cause, remedy);
        form.unfit.extend(faults.iter().map(|(pool, ..)| pool));
    }
}

/// A8: routes of one prefix to one peer from one node cannot have two values of LOCAL_PREF. On the nodes of
/// both the older advertisement counts.
pub(super) fn with_others(rules: &BgpRules<'_>, form: &mut BgpForm, report: &mut Report) {
    let mut first = None;
    let mut conflicts = 0;
    for other in &rules.admitted {
        let shared = contradicted(rules, form, other);
        let Some((pool, nodes)) = shared.first() else {
            continue;
        };
        conflicts += 1;
        first.get_or_insert_with(|| (other, *pool, place(nodes)));
        for (pool, nodes) in &shared {
            form.yield_on(*pool, nodes);
        }
    }
    let Some((other, pool, place)) = first else {
        return;
    };
    let cause = format!(
        "the older BGPAdvertisement {} gives pool {} the value {}{place}{}",
        other.advertisement.name,
        pool_name(rules, pool),
        other.advertisement.effective_local_pref(),
        and_others(conflicts, "conflict")
    );
    let remedy = "make localPref equal, or separate the two by aggregation length, peers, nodes or \
                  serviceSelectors";
    let value = form.advertisement.effective_local_pref().to_string();
    let at = FieldPath::spec().key("localPref");
    report.refuse(code::A008, at, Some(&value), cause, remedy);
}

/// The pools on which an advertisement contradicts an older one, each with the nodes of both.
fn contradicted(rules: &BgpRules<'_>, form: &BgpForm, older: &BgpForm) -> Vec<(usize, Reach)> {
    let (ours, theirs) = (&form.advertisement, &older.advertisement);
    if !ours.is_rival_of(theirs) || ours.effective_local_pref() == theirs.effective_local_pref() {
        return Vec::new();
    }
    let families = |pool: usize| rules.narrowest.get(pool).copied().unwrap_or_default();
    common(&form.pools, &older.pools)
        .filter(|pool| ours.contradicts(theirs, |family| families(*pool).of(family).is_some()))
        .map(|pool| (pool, form.reach_on(pool).common(older.reach_on(pool))))
        .filter(|(_, nodes)| !nodes.is_empty() || may_share_node(rules, ours, theirs))
        .collect()
}

/// While no node is known, two advertisements are taken to share all if either is for all nodes or both for
/// the same.
fn may_share_node(rules: &BgpRules<'_>, one: &BgpAdvertisement, other: &BgpAdvertisement) -> bool {
    let (ours, theirs) = (&one.nodes, &other.nodes);
    rules.nodes.is_unknown() && (ours.is_empty() || theirs.is_empty() || ours == theirs)
}

/// Where the older advertisement counts, in words. The nodes are not named: the text would be another one
/// with each of them that comes or goes, and `explain` says it of each.
fn place(nodes: &Reach) -> &'static str {
    match nodes.is_empty() {
        true => "",
        false => " on nodes of both, and this one has no effect there",
    }
}

/// The numbers in both ascending lists; searches the longer one for those of the shorter one.
fn common<'a>(one: &'a [usize], other: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    let mut numbers = short.iter().copied();
    std::iter::from_fn(move || numbers.find(|number| long.binary_search(number).is_ok()))
}

fn pool_name(rules: &BgpRules<'_>, pool: usize) -> String {
    let form = rules.pools.forms.get(pool);
    form.map(|form| form.pool.name.to_string())
        .unwrap_or_default()
}

fn and_others(count: usize, what: &str) -> String {
    match count {
        0 | 1 => String::new(),
        2 => format!(" (and one more {what})"),
        more => format!(" (and {} more {what}s)", more - 1),
    }
}
