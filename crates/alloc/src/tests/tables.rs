// SPDX-License-Identifier: Apache-2.0
//! The table of values by hash against a plain map, and the tree of bits against a plain set.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use ferrolb_types::ServiceKey;

use super::build::ip;
use crate::{
    Addresses,
    bits::Bits,
    holders::{Booking, Holders, NameHash, Named, TestedTable as Table},
    steps::count,
};

/// The greatest hash there is.
const LAST: u32 = u32::MAX >> 1;

/// Hashes that meet in one group, in the last one too, and hashes that are alike.
fn hash() -> impl Strategy<Value = u32> {
    prop_oneof![0u32..4, LAST - 3..=LAST, Just(0x4000_0000), 0..=LAST]
}

proptest! {
    #[test]
    fn agrees_with_a_map(steps in prop::collection::vec((0u32..90, hash(), 0u8..3), 0..400)) {
        let mut table = Table::default();
        let mut plain: BTreeMap<u32, u32> = BTreeMap::new();
        for (number, hash, what) in steps {
            match (what, plain.get(&number).copied()) {
                (0 | 1, None) => {
                    table.insert(hash, number);
                    plain.insert(number, hash);
                }
                (_, None) => prop_assert_eq!(table.remove(hash, |n| *n == number), None),
                (1, Some(_)) => {}
                (_, Some(known)) => {
                    prop_assert_eq!(table.remove(known, |n| *n == number), Some(number));
                    plain.remove(&number);
                }
            }
            for number in 0..90 {
                let known = plain.get(&number);
                let found = known.and_then(|hash| table.find(*hash, |n| *n == number));
                prop_assert_eq!(found, known.map(|_| &number));
            }
            prop_assert_eq!(table.find(hash, |_| false), None);
        }
    }
}

/// More values than one piece of the table has room for.
#[test]
fn removal_leaves_nothing_behind_that_slows_a_search_down() {
    let spread = |n: u32| n.wrapping_mul(2_654_435_761) >> 1;
    let mut table = Table::default();
    for n in 0..3_000 {
        table.insert(spread(n), n);
    }
    for n in 0..100_000 {
        assert_eq!(table.remove(spread(n), |m| *m == n), Some(n));
        table.insert(spread(n + 3_000), n + 3_000);
    }
    let searches = (0..3_000).map(|n| count(|| table.find(spread(n), |m| *m == n)));
    let (steps, found): (Vec<u64>, Vec<_>) = searches.unzip();
    assert!(found.iter().all(Option::is_none));
    assert!(steps.iter().sum::<u64>() < 6_000, "{steps:?}");
}

/// An address remembers no more of its holder than the hash of its name.
#[test]
fn names_with_one_hash_are_told_apart_by_what_they_hold() {
    let mut holders = Holders::default();
    let services = [1, 2, 3].map(|n| ServiceKey::new("ns", n.to_string()));
    let named = services.each_ref().map(|service| Named {
        service,
        hash: NameHash(7),
    });
    let address = |n: usize| ip(&format!("192.0.2.{n}"));
    for (n, named) in named.iter().enumerate() {
        let addresses = Addresses::new([address(n)]).unwrap();
        let shares = false;
        holders.insert(*named, Booking { addresses, shares });
    }
    for (n, service) in services.iter().enumerate() {
        assert_eq!(holders.holder(NameHash(7), address(n)), Some(service));
    }
    assert!(
        holders
            .remove(named[1])
            .is_some_and(|b| b.addresses.contains(address(1)))
    );
    assert_eq!(holders.holder(NameHash(7), address(1)), None);
    assert_eq!(holders.holder(NameHash(7), address(2)), Some(&services[2]));
    assert_eq!(
        (holders.len(), holders.remove(named[1]).is_none()),
        (2, true)
    );
}

proptest! {
    #[test]
    fn bits_agree_with_a_set(
        steps in prop::collection::vec((prop_oneof![0usize..200, 0usize..20_000], any::<bool>()), 0..400),
    ) {
        let (mut bits, mut plain) = (Bits::default(), BTreeSet::new());
        for (number, put) in steps {
            if put {
                bits.insert(number);
                plain.insert(number);
            } else {
                bits.remove(number);
                plain.remove(&number);
            }
            for from in [0, number, number + 1, 64, 4_096, 19_999, usize::MAX] {
                prop_assert_eq!(bits.at_or_after(from), plain.range(from..).next().copied());
            }
        }
    }
}

#[test]
fn bits_are_found_in_steps_that_follow_the_levels() {
    let mut bits = Bits::default();
    for number in 0..64 * 64 * 64 {
        bits.insert(number);
    }
    for number in 0..64 * 64 * 64 - 1 {
        let (steps, next) = count(|| {
            bits.remove(number);
            bits.at_or_after(0)
        });
        assert_eq!(next, Some(number + 1));
        assert!((1..=6).contains(&steps), "{steps}");
    }
}
