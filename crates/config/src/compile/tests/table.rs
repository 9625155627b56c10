// SPDX-License-Identifier: Apache-2.0
//! The list of rules, and that each has its row and each code its rule.

use std::collections::BTreeSet;

use ferrolb_types::{Code, codes};

use super::{
    support::{resources, verdict},
    table_advertisements, table_peers, table_pools,
};

/// One row: the rules it is about, the objects, and the exact diagnostics. Warnings of pools that nothing
/// selects (P051) count only where the row names one.
pub(super) struct Row {
    pub(super) rules: &'static str,
    pub(super) objects: &'static [&'static str],
    pub(super) want: &'static [&'static str],
}

pub(super) const fn row(
    rules: &'static str,
    objects: &'static [&'static str],
    want: &'static [&'static str],
) -> Row {
    Row {
        rules,
        objects,
        want,
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    let tables = [
        table_pools::ROWS,
        table_peers::ROWS,
        table_advertisements::ROWS,
    ];
    tables.into_iter().flatten()
}

/// Rules that cannot be broken here, and why.
const NEVER_BROKEN: &[(&str, &str)] = &[
    ("P10", "objects are kept by name, so a name has one object"),
    ("B19", "equal peers would have equal names"),
    ("A11", "equal advertisements would have equal names"),
    (
        "B17",
        "Secrets are always read: no other process resolves them",
    ),
];

#[test]
fn every_row() {
    for row in rows() {
        let mut got = verdict(&resources(row.objects));
        if !row.want.iter().any(|want| want.contains("P051")) {
            got.retain(|brief| !brief.contains("P051"));
        }
        let mut want = row.want.to_vec();
        want.sort_unstable();
        assert_eq!(got, want, "{}: {:#?}", row.rules, row.objects);
    }
}

#[test]
fn every_rule_has_a_row() {
    let range = |letter: char, last: u8| (1..=last).map(move |n| format!("{letter}{n}"));
    let mut rules: BTreeSet<String> = range('P', 15).chain(range('C', 4)).collect();
    rules.extend(range('B', 21).chain(range('A', 11)));
    rules.extend(["M7", "M8", "M9", "Sa", "Sb", "Sc"].map(String::from));
    for row in rows() {
        for rule in row.rules.split(' ') {
            rules.remove(rule);
        }
    }
    for (rule, _) in NEVER_BROKEN {
        assert!(rules.remove(*rule), "{rule} has a row after all");
    }
    assert!(rules.is_empty(), "no row for {rules:?}");
}

#[test]
fn every_code_is_produced() {
    let areas = [
        codes::pool::ALL,
        codes::community::ALL,
        codes::peer::ALL,
        codes::advertisement::ALL,
        codes::selector::ALL,
    ];
    let mut missing: BTreeSet<String> = areas
        .into_iter()
        .flatten()
        .map(|code| Code::id(*code).replace("FLB-", ""))
        .collect();
    for want in rows().flat_map(|row| row.want) {
        let code = want.trim_start_matches('~').split(' ').next().unwrap();
        missing.remove(code);
    }
    assert!(missing.is_empty(), "no row produces {missing:?}");
}
