// SPDX-License-Identifier: Apache-2.0
//! A set of numbers kept as intervals. Finding a number, taking it out and putting it back are
//! logarithmic in the number of intervals, whatever lies in them.

use std::collections::BTreeMap;

use crate::steps::Counted;

/// Last number of each interval to its first: taking the lowest number changes a value and no key.
#[derive(Debug, Default)]
pub(super) struct Intervals(BTreeMap<Counted<u128>, u128>);

impl Intervals {
    /// All numbers up to this one.
    pub(super) fn up_to(last: u128) -> Self {
        Self(BTreeMap::from([(Counted(last), 0)]))
    }

    /// The lowest number that is not below this one.
    pub(super) fn at_or_after(&self, number: u128) -> Option<u128> {
        let mut following = self.0.range(Counted(number)..);
        following.next().map(|(_, &first)| first.max(number))
    }

    pub(super) fn remove(&mut self, number: u128) {
        let Some((&last, first)) = self.0.range_mut(Counted(number)..).next() else {
            return;
        };
        let start = *first;
        if start > number {
            return;
        }
        if number == last.0 {
            self.0.remove(&last);
        } else {
            *first = number + 1;
        }
        if start < number {
            self.0.insert(Counted(number - 1), start);
        }
    }

    pub(super) fn insert(&mut self, number: u128) {
        let following = self.0.range(Counted(number)..).next();
        let following = following.map(|(&last, &first)| (last, first));
        if following.is_some_and(|(_, first)| first <= number) {
            return;
        }
        let below = number.checked_sub(1);
        let start = below.and_then(|below| self.0.remove(&Counted(below)));
        let start = start.unwrap_or(number);
        match following {
            Some((last, first)) if first == number + 1 => self.0.insert(last, start),
            _ => self.0.insert(Counted(number), start),
        };
    }
}
