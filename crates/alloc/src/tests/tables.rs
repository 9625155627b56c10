// SPDX-License-Identifier: Apache-2.0
//! The table of numbers by hash against a plain map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::{holders::TestedTable as Table, steps::count};

/// Hashes that meet in a few slots, at the end of the table too, and hashes that are alike.
fn hash() -> impl Strategy<Value = u32> {
    prop_oneof![
        0u32..4,
        (u32::MAX - 3)..=u32::MAX,
        Just(0x8000_0000),
        any::<u32>()
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_map(steps in prop::collection::vec((0u32..60, hash(), 0u8..3), 0..400)) {
        let mut table = Table::default();
        let mut plain: BTreeMap<u32, u32> = BTreeMap::new();
        for (number, hash, what) in steps {
            match (what, plain.get(&number).copied()) {
                (0 | 1, None) => {
                    table.insert(hash, number);
                    plain.insert(number, hash);
                }
                (_, None) => prop_assert_eq!(table.remove(hash, |n| n == number), None),
                (1, Some(_)) => {}
                (_, Some(known)) => {
                    prop_assert_eq!(table.remove(known, |n| n == number), Some(number));
                    plain.remove(&number);
                }
            }
            for number in 0..60 {
                let known = plain.get(&number);
                let found = known.and_then(|hash| table.find(*hash, |n| n == number));
                prop_assert_eq!(found, known.map(|_| number));
            }
            prop_assert_eq!(table.find(hash, |_| false), None);
        }
    }
}

#[test]
fn removal_leaves_nothing_behind_that_slows_a_search_down() {
    let spread = |n: u32| n.wrapping_mul(2_654_435_761);
    let mut table = Table::default();
    for n in 0..1_000 {
        table.insert(spread(n), n);
    }
    for n in 0..100_000 {
        assert_eq!(table.remove(spread(n), |m| m == n), Some(n));
        table.insert(spread(n + 1_000), n + 1_000);
    }
    let searches = (0..1_000).map(|n| count(|| table.find(spread(n), |m| m == n)));
    let (steps, found): (Vec<u64>, Vec<_>) = searches.unzip();
    assert!(found.iter().all(Option::is_none));
    assert!(steps.iter().sum::<u64>() < 10_000, "{steps:?}");
}
