// SPDX-License-Identifier: Apache-2.0
//! Free space against a plain list of addresses.

use std::{collections::BTreeSet, net::IpAddr};

use ferrolb_types::Family;
use proptest::prelude::*;

use super::build::*;
use crate::{
    holders::NameHash,
    space::{Space, number},
    tenancy::Occupant,
};

fn anyone() -> Occupant {
    Occupant::sole(NameHash(7))
}

fn plain(entries: &str, avoid_buggy: bool) -> Vec<IpAddr> {
    let range = |text: &str| text.parse::<ferrolb_types::IpRange>().unwrap();
    let mut all = Vec::new();
    for range in entries.split_whitespace().map(range) {
        let number = |ip| match ip {
            IpAddr::V4(v4) => u32::from(v4),
            IpAddr::V6(_) => panic!("IPv4 alone"),
        };
        let numbers = number(range.first())..=number(range.last());
        all.extend(numbers.map(|n| IpAddr::V4(n.into())));
    }
    all.retain(|ip| {
        !avoid_buggy || !matches!(ip, IpAddr::V4(v4) if matches!(v4.octets()[3], 0 | 255))
    });
    all
}

/// The position of an address: of one span, if any.
fn place(space: &Space, address: IpAddr) -> Vec<u128> {
    let spans = space.spans().iter();
    let below = spans.filter(|span| span.first() <= number(address));
    below
        .filter_map(|span| span.position(number(address)))
        .collect()
}

#[test]
fn positions_follow_the_listed_order() {
    for entries in [
        "10.0.0.254-10.0.2.1 10.0.0.1-10.0.0.9",
        "10.0.0.255/32 10.0.1.0/32 10.0.1.1-10.0.1.3",
        "10.0.0.255-10.0.1.0 9.0.0.0/24",
    ] {
        for avoid_buggy in [false, true] {
            let mut pool = pool("p", entries);
            pool.avoid_buggy_ips = avoid_buggy;
            let space = Space::new(&pool, Family::IPv4);
            let plain = plain(entries, avoid_buggy);
            assert_eq!(space.size(), plain.len() as u128);
            for (position, address) in plain.iter().enumerate() {
                assert_eq!(space.address(position as u128), Some(*address));
                assert_eq!(place(&space, *address), [position as u128]);
            }
            assert_eq!(space.address(plain.len() as u128), None);
            assert!(place(&space, ip("10.0.9.9")).is_empty());
        }
    }
}

#[test]
fn the_whole_of_a_family_fits() {
    let mut space = Space::new(&pool("p", "::/0"), Family::IPv6);
    assert_eq!(space.first_free(), Some(0));
    assert!(space.take(0, anyone()));
    assert!(space.give(0) && !space.give(0));
    assert_eq!(space.first_free(), Some(0));
    let space = Space::new(&careful(pool("p", "0.0.0.0/0")), Family::IPv4);
    assert_eq!(space.size(), 254 << 24);
    assert_eq!(space.address(0), Some(ip("0.0.0.1")));
}

/// Six whole pages and a part of one.
const SIZE: u128 = 400;

/// Positions from one on, few or as many as fill pages wherever they lie, and whether to take them.
fn stretch() -> impl Strategy<Value = (std::ops::Range<u128>, bool)> {
    let length = prop_oneof![Just(1u128), 1u128..200];
    let stretch = (0..SIZE, length, any::<bool>());
    stretch.prop_map(|(from, length, take)| (from..SIZE.min(from + length), take))
}

proptest! {
    #[test]
    fn agrees_with_a_set(steps in prop::collection::vec(stretch(), 0..200)) {
        let mut space = Space::new(&pool("p", "10.0.0.20/30 10.0.0.0/28 10.0.1.0-10.0.2.123"), Family::IPv4);
        let mut taken = BTreeSet::new();
        for (positions, take) in steps {
            for position in positions {
                if take {
                    prop_assert_eq!(space.take(position, anyone()), taken.insert(position));
                } else {
                    prop_assert_eq!(space.give(position), taken.remove(&position));
                }
                prop_assert_eq!(space.occupant(position).is_some(), take);
            }
            let free = (0..SIZE).find(|p| !taken.contains(p));
            prop_assert_eq!(space.first_free(), free);
            prop_assert_eq!(space.taken(), taken.len() as u64);
            prop_assert_eq!(space.is_full(), free.is_none());
            let held: Vec<_> = space.held().map(|(address, _)| address).collect();
            let want: Vec<_> = taken.iter().filter_map(|p| space.address(*p)).collect();
            prop_assert_eq!(held, want);
        }
    }
}

/// Pages that fill up before those below them are full all the same once these come to them.
#[test]
fn a_space_that_is_taken_from_its_end_is_full() {
    let mut space = Space::new(&pool("p", "10.0.0.0/22"), Family::IPv4);
    for position in (0..1024).rev() {
        assert_eq!(space.first_free(), Some(0));
        assert!(space.take(position, anyone()) && !space.take(position, anyone()));
    }
    assert!(space.is_full() && space.first_free().is_none());
    for position in (0..1024).rev() {
        assert!(space.give(position));
        assert_eq!(space.first_free(), Some(position));
    }
}

/// The last page of a space is a part of one, or a whole one.
#[test]
fn a_space_of_any_size_fills_up_in_order() {
    for size in [1u32, 2, 63, 64, 65, 127, 128, 129, 200] {
        let entries = format!("10.0.0.0-10.0.0.{}", size - 1);
        let mut space = Space::new(&pool("p", &entries), Family::IPv4);
        for position in 0..u128::from(size) {
            assert_eq!(space.first_free(), Some(position));
            assert!(space.take(position, anyone()) && !space.take(position, anyone()));
        }
        assert!(space.is_full() && space.first_free().is_none());
        assert!(!space.take(size.into(), anyone()));
        assert!(!space.give(size.into()));
        for position in (0..u128::from(size)).rev() {
            assert!(space.give(position));
            assert_eq!(space.first_free(), Some(position));
        }
        assert_eq!((space.taken(), space.held().count()), (0, 0));
    }
}
