// SPDX-License-Identifier: Apache-2.0
//! Conflicts of a BGP advertisement: with the pools it selects (A7), and with older advertisements on the
//! same pools (A8).

use ferrolb_types::{Family, FieldPath, codes::advertisement as code};

use super::bgp::{BgpForm, BgpRules, Narrowest};
use crate::{compile::report::Report, compiled::BgpAdvertisement};

/// LOCAL_PREF where none is written.
const DEFAULT_LOCAL_PREF: u32 = 100;

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

/// A8: routes of one prefix to one peer from one node cannot have two values of LOCAL_PREF.
pub(super) fn with_others(rules: &BgpRules<'_>, form: &mut BgpForm, report: &mut Report) {
    let mut first = None;
    let mut conflicts = 0;
    for other in &rules.admitted {
        let (ours, theirs) = (&form.advertisement, &other.advertisement);
        if !may_differ(ours, theirs) || !share_node(rules, form, other) {
            continue;
        }
        let alike = |pool: &usize| {
            let families = rules.narrowest.get(*pool).copied().unwrap_or_default();
            same_prefixes(families, ours, theirs)
        };
        let shared: Vec<usize> = common(&form.pools, &other.pools).filter(alike).collect();
        if let Some(pool) = shared.first() {
            conflicts += 1;
            first.get_or_insert((theirs, *pool));
            form.unfit.extend(shared);
        }
    }
    let Some((theirs, pool)) = first else { return };
    let cause = format!(
        "the older BGPAdvertisement {} gives pool {} the value {}{}",
        theirs.name,
        pool_name(rules, pool),
        local_pref(theirs),
        and_others(conflicts, "conflict")
    );
    let remedy = "make localPref equal, or separate the two by aggregation length, peers, nodes or \
                  serviceSelectors";
    let value = local_pref(&form.advertisement).to_string();
    let at = FieldPath::spec().key("localPref");
    report.refuse(code::A008, at, Some(&value), cause, remedy);
}

fn local_pref(advertisement: &BgpAdvertisement) -> u32 {
    advertisement.local_pref.unwrap_or(DEFAULT_LOCAL_PREF)
}

/// Whether the values differ, and nothing about services or peers keeps the two apart.
fn may_differ(one: &BgpAdvertisement, other: &BgpAdvertisement) -> bool {
    let peers_apart =
        !one.peers.is_empty() && !other.peers.is_empty() && one.peers.is_disjoint(&other.peers);
    local_pref(one) != local_pref(other)
        && one.services.is_empty()
        && other.services.is_empty()
        && !peers_apart
}

/// While no node is known, two advertisements are taken to share one if either is for all nodes or both
/// for the same.
fn share_node(rules: &BgpRules<'_>, one: &BgpForm, other: &BgpForm) -> bool {
    let (ours, theirs) = (&one.advertisement.nodes, &other.advertisement.nodes);
    if rules.nodes.is_unknown() {
        return ours.is_empty() || theirs.is_empty() || ours == theirs;
    }
    one.reach.shares_with(&other.reach)
}

/// Whether the two announce some address of the pool with the same prefix.
fn same_prefixes(pool: Narrowest, one: &BgpAdvertisement, other: &BgpAdvertisement) -> bool {
    [Family::IPv4, Family::IPv6].into_iter().any(|family| {
        pool.of(family).is_some() && one.aggregation(family) == other.aggregation(family)
    })
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
