// SPDX-License-Identifier: Apache-2.0
//! What an allocation costs, in comparisons and visited elements, with much and with little held.

use ferrolb_types::{Family, Labels, ServiceKey};

use super::build::*;
use crate::{
    Allocator, Claim, Need, Terms, holders::NameHash, space::Space, steps::count, tenancy::Occupant,
};

fn anyone() -> Occupant {
    Occupant::sole(NameHash(7))
}

fn key(n: u32) -> ServiceKey {
    ServiceKey::new("ns", n.to_string())
}

fn allocate(allocator: &mut Allocator, service: &ServiceKey, family: Family) {
    let (labels, terms) = (Labels::new(), Terms::default());
    let claim = Claim {
        service,
        labels: &labels,
        namespace_labels: Some(&labels),
        terms: &terms,
    };
    allocator.allocate(&claim, Need::One(family), None).unwrap();
}

/// The most steps an allocation or a release takes with `held` Services, every second of which has
/// gone again, so that free space is in as many pieces as possible.
fn worst(pools: Vec<ferrolb_config::compiled::Pool>, family: Family, held: u32) -> u64 {
    let mut allocator = Allocator::default();
    allocator.set_config(&config(pools));
    for n in 0..2 * held {
        allocate(&mut allocator, &key(n), family);
    }
    for n in 0..held {
        allocator.free(&key(2 * n));
    }
    while allocator.next_freed().is_some() {}
    let mut worst = 0;
    for n in 0..64 {
        let (taken, ()) = count(|| allocate(&mut allocator, &key(2 * n), family));
        let far = key(2 * (held - 1 - n) + 1);
        let (freed, _) = count(|| allocator.free(&far));
        worst = worst.max(taken).max(freed);
    }
    worst
}

/// A tree of n keys is searched by at most about 2 log2(n) + 11 comparisons; an operation makes a
/// handful of searches.
fn bound(held: u32) -> u64 {
    8 * (2 * u64::from(held.ilog2()) + 11)
}

#[test]
fn an_operation_is_logarithmic_in_every_kind_of_pool() {
    let small = || {
        (0..1000).map(|n| {
            pool(
                &format!("p{n}"),
                &format!("10.{}.{}.0/24", n / 256, n % 256),
            )
        })
    };
    for held in [1_000, 20_000] {
        for (pools, family) in [
            (vec![pool("p", "10.0.0.0/8")], Family::IPv4),
            (vec![careful(pool("p", "10.0.0.0/8"))], Family::IPv4),
            (vec![pool("p", "2001:db8::/64")], Family::IPv6),
            (small().collect(), Family::IPv4),
        ] {
            let steps = worst(pools, family, held);
            assert!(
                steps > 0 && steps <= bound(held),
                "{steps} steps with {held} held"
            );
        }
    }
}

/// The most steps that taking the lowest free address or giving one back costs while a million are
/// held, every second address of the lower half being free.
#[test]
fn a_space_with_a_million_held_is_searched_in_logarithmic_steps() {
    const HELD: u128 = 1_000_000;
    let mut space = Space::new(&careful(pool("p", "10.0.0.0/8")), Family::IPv4);
    for position in 0..HELD + HELD / 2 {
        assert!(space.take(position, anyone()));
    }
    for n in 0..HELD / 2 {
        assert!(space.give(2 * n));
    }
    assert_eq!(u128::from(space.taken()), HELD);
    for n in 0..1_000 {
        let (steps, position) = count(|| {
            let position = space.first_free()?;
            space.take(position, anyone()).then_some(position)
        });
        assert_eq!(position, Some(2 * n));
        assert!((1..=bound(1_000_000)).contains(&steps), "{steps}");
        let (steps, _) = count(|| space.give(HELD + 7 * n));
        assert!((1..=bound(1_000_000)).contains(&steps), "{steps}");
    }
}

#[test]
fn building_a_pool_does_not_depend_on_its_size() {
    let build = |range: &str| {
        let config = config([careful(pool("p", range))]);
        count(|| Allocator::default().set_config(&config)).0
    };
    assert!(build("10.0.0.0/8") > 0);
    assert_eq!(build("10.0.0.0/8"), build("10.0.0.1/32"));
    assert_eq!(build("2001:db8::/64"), build("2001:db8::/128"));
}
