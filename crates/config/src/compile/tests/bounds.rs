// SPDX-License-Identifier: Apache-2.0
//! However long the lists of an object are, what is told of it is short, and the work grows no faster.

use ferrolb_types::Diagnostic;

use super::support::{brief, resources};
use crate::{
    check, check_tolerating,
    compile::{MOST_OF_A_CODE, pools::PoolRules, settle::Rules as _},
    resources::Kind as _,
};
use ferrolb_api::resource::IPAddressPool;

fn repeated(what: &str, times: usize) -> String {
    vec![what; times].join(", ")
}

/// Fifty pools of twenty ranges each.
fn many_pools() -> Vec<String> {
    let pool = |n: usize| {
        let range = |part: usize| format!("10.{n}.{part}.0/24");
        let ranges: Vec<String> = (0..20).map(range).collect();
        format!(
            "IPAddressPool p{n}@5 {{addresses: [{}]}}",
            ranges.join(", ")
        )
    };
    (0..50).map(pool).collect()
}

fn of(found: &[Diagnostic], object: &str) -> Vec<String> {
    let all = found.iter().filter(|one| one.object.name == object);
    all.map(brief).collect()
}

#[test]
fn a_flood_of_entries_is_told_in_a_few_lines() {
    let mut objects = many_pools();
    let entries = repeated("0.0.0.0/0", 2000);
    objects.push(format!("IPAddressPool wide {{addresses: [{entries}]}}"));
    let found = check(&resources(&objects));
    let told = of(&found, "wide");
    assert_eq!(told.len(), MOST_OF_A_CODE + 1);
    let last = found.iter().rfind(|one| one.object.name == "wide");
    let cause = &last.expect("there are some").cause;
    // 1,999 entries that overlap with the first, and 50 pools.
    assert_eq!(*cause, "2017 more of this code are not listed");
}

#[test]
fn a_pair_of_pools_has_one_conflict() {
    let pools = [
        "IPAddressPool a@5 {addresses: [10.0.0.0/26, 10.0.0.128/26, 'fc00::/120']}",
        "IPAddressPool b {addresses: [10.0.0.0/25, 10.0.0.128/25, 'fc00::/64']}",
    ];
    let found = check(&resources(&pools));
    assert_eq!(of(&found, "b"), ["P009 b spec.addresses[0]"]);
}

#[test]
fn overlaps_are_found_in_one_sweep() {
    let mut objects = many_pools();
    let staircase = |n: usize| format!("10.0.{}.{}-10.200.0.0", n / 200, n % 200);
    let entries: Vec<String> = (0..2000).map(staircase).collect();
    objects.push(format!(
        "IPAddressPool wide {{addresses: [{}]}}",
        entries.join(", ")
    ));
    let resources = resources(&objects);
    let mut rules = PoolRules::new(&resources);
    let mut wide = None;
    for ((_, name), object) in IPAddressPool::all(&resources) {
        let form = rules.parse(object).form;
        match name.as_str() {
            "wide" => wide = Some(form),
            _ => rules.enter(form),
        }
    }
    let entries = wide.expect("there").pool.entries;
    let met = rules.ranges.met_by(&entries).count();
    assert!((1000..=1000 + entries.len()).contains(&met), "{met}");
}

#[test]
fn a_flood_of_selectors_chooses_each_pool_once() {
    let mut objects = many_pools();
    let selectors = repeated("{}", 2000);
    objects.push(format!(
        "BGPAdvertisement wide {{ipAddressPoolSelectors: [{selectors}]}}"
    ));
    let unknown = |n: usize| format!("{{matchLabels: {{none: v{n}}}}}");
    let unknown: Vec<String> = (0..2000).map(unknown).collect();
    objects.push(format!(
        "L2Advertisement none {{ipAddressPoolSelectors: [{}]}}",
        unknown.join(", ")
    ));
    let found = check(&resources(&objects));
    assert_eq!(of(&found, "wide").len(), MOST_OF_A_CODE + 1);
    assert_eq!(of(&found, "none").len(), MOST_OF_A_CODE + 1);
}

#[test]
fn nodes_in_a_pool_are_told_in_a_few_lines() {
    let mut objects = vec!["IPAddressPool wide {addresses: [10.0.0.0/8]}".to_owned()];
    let node = |n: usize| format!("NodeIP n{n} 10.0.{}.{}", n / 200, n % 200);
    objects.extend((0..500).map(node));
    let found = check(&resources(&objects));
    assert_eq!(of(&found, "wide").len(), MOST_OF_A_CODE + 2, "and P051");
}

#[test]
fn what_is_not_listed_is_tolerated_with_what_is() {
    let entries = repeated("10.0.0.0/24", 2000);
    let wide = format!("IPAddressPool wide@3 {{addresses: [{entries}]}}");
    let later = "IPAddressPool later {addresses: [10.0.0.0/26]}";
    let resources = resources(&[wide.as_str(), later]);
    let found = check_tolerating(&resources, |fault| fault.object.name == "wide");
    assert_eq!(of(&found, "later"), ["P009 later spec.addresses[0]"]);
    let told = of(&found, "wide");
    assert_eq!(told.len(), MOST_OF_A_CODE + 2, "and P051");
    assert!(told.iter().all(|one| one.starts_with('~')), "{told:?}");
}

#[test]
fn a_long_value_is_cut() {
    let long = "x".repeat(100_000);
    let found = check(&resources(&[format!(
        "IPAddressPool a {{addresses: [{long}]}}"
    )]));
    assert!(found.iter().all(|one| one.to_string().len() < 1000));
}
