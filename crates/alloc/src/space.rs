// SPDX-License-Identifier: Apache-2.0
//! The addresses of one pool and family: which are free, in the order they are given out.
//!
//! Every usable address has a position: entries in listed order, ascending inside each. Addresses that
//! `avoidBuggyIPs` leaves out have none, so they are never met: both directions are arithmetic. Free
//! positions are kept as intervals in a tree keyed by their end, so that taking the lowest one changes
//! a value and no key. Building costs one step per entry, whatever its size.

use std::{collections::BTreeMap, net::IpAddr};

use ferrolb_config::compiled::Pool;
use ferrolb_types::Family;

use crate::steps::{Counted, step};

/// The place of an address in the order of its pool and family.
pub(crate) type Position = u128;

/// One entry of the pool.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// Position of its first usable address.
    start: Position,
    /// Rank of its first usable address.
    rank: u128,
    /// How many usable addresses it has, less one.
    reach: u128,
}

/// The addresses of one pool and family.
#[derive(Debug)]
pub(crate) struct Space {
    family: Family,
    avoid_buggy: bool,
    /// In listed order, hence ascending by `start`.
    spans: Vec<Span>,
    /// Indices of `spans`, ascending by `rank`.
    by_rank: Vec<usize>,
    /// Free intervals: last position to first position.
    free: BTreeMap<Counted<Position>, Position>,
    size: u128,
    taken: u64,
}

impl Space {
    pub(crate) fn new(pool: &Pool, family: Family) -> Self {
        let mut space = Self {
            family,
            avoid_buggy: pool.avoid_buggy_ips && family == Family::IPv4,
            spans: Vec::new(),
            by_rank: Vec::new(),
            free: BTreeMap::new(),
            size: 0,
            taken: 0,
        };
        let ranges = pool.entries.iter().map(|entry| entry.range);
        for range in ranges.filter(|range| range.family() == family) {
            space.add(number(range.first()), number(range.last()));
        }
        space.by_rank = (0..space.spans.len()).collect();
        let spans = &space.spans;
        space
            .by_rank
            .sort_by_key(|&n| spans.get(n).map_or(0, |s| s.rank));
        if space.size > 0 {
            space.free.insert(Counted(space.size - 1), 0);
        }
        space
    }

    fn add(&mut self, first: u128, last: u128) {
        let rank = self.rank(first);
        let usable_last = !self.leaves_out(last);
        // Of the last address itself: not usable means the usable ones end before its rank.
        let Some(reach) = (self.rank(last) - rank).checked_sub(u128::from(!usable_last)) else {
            return;
        };
        self.spans.push(Span {
            start: self.size,
            rank,
            reach,
        });
        self.size = self.size.saturating_add(reach).saturating_add(1);
    }

    fn leaves_out(&self, number: u128) -> bool {
        self.avoid_buggy && matches!(number & 0xff, 0 | 0xff)
    }

    /// How many usable addresses of the whole family lie below this one.
    fn rank(&self, number: u128) -> u128 {
        if !self.avoid_buggy {
            return number;
        }
        // Each block of 256 has 254 usable ones, .1 to .254.
        (number >> 8) * 254 + (number & 0xff).saturating_sub(1).min(254)
    }

    fn address_of_rank(&self, rank: u128) -> IpAddr {
        if self.avoid_buggy {
            address(self.family, ((rank / 254) << 8) + rank % 254 + 1)
        } else {
            address(self.family, rank)
        }
    }

    /// The position of an address; `None` if it does not belong here.
    pub(crate) fn position(&self, address: IpAddr) -> Option<Position> {
        if Family::of(address) != self.family || self.leaves_out(number(address)) {
            return None;
        }
        let rank = self.rank(number(address));
        let after = self.by_rank.partition_point(|&n| {
            step();
            self.spans.get(n).is_some_and(|span| span.rank <= rank)
        });
        let span = self.spans.get(*self.by_rank.get(after.checked_sub(1)?)?)?;
        let offset = rank - span.rank;
        (offset <= span.reach).then(|| span.start + offset)
    }

    /// The address at a position of this space.
    pub(crate) fn address(&self, position: Position) -> Option<IpAddr> {
        let after = self.spans.partition_point(|span| {
            step();
            span.start <= position
        });
        let span = self.spans.get(after.checked_sub(1)?)?;
        let offset = position - span.start;
        (offset <= span.reach).then(|| self.address_of_rank(span.rank + offset))
    }

    /// The lowest free position.
    pub(crate) fn first_free(&self) -> Option<Position> {
        self.free.first_key_value().map(|(_, &first)| first)
    }

    /// Whether nothing is free.
    pub(crate) fn is_full(&self) -> bool {
        self.free.is_empty()
    }

    /// Takes a position; false if it was taken before.
    pub(crate) fn take(&mut self, position: Position) -> bool {
        let Some((&last, first)) = self.free.range_mut(Counted(position)..).next() else {
            return false;
        };
        let start = *first;
        if start > position {
            return false;
        }
        self.taken += 1;
        if position == last.0 {
            self.free.remove(&last);
        } else {
            *first = position + 1;
        }
        if start < position {
            self.free.insert(Counted(position - 1), start);
        }
        true
    }

    /// Gives a position back.
    pub(crate) fn give(&mut self, position: Position) {
        let following = self.free.range(Counted(position)..).next();
        let following = following.map(|(&last, &first)| (last, first));
        if following.is_some_and(|(_, first)| first <= position) {
            return;
        }
        self.taken = self.taken.saturating_sub(1);
        let below = position.checked_sub(1);
        let start = below.and_then(|below| self.free.remove(&Counted(below)));
        let start = start.unwrap_or(position);
        match following {
            Some((last, first)) if first == position + 1 => {
                self.free.insert(last, start);
            }
            _ => {
                self.free.insert(Counted(position), start);
            }
        }
    }

    /// Every address that is taken, in order: what lies between the free intervals.
    pub(crate) fn held(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let starts = std::iter::once(0).chain(self.free.keys().map(|last| last.0 + 1));
        let ends = self.free.values().copied().chain([self.size]);
        starts
            .zip(ends)
            .flat_map(|(start, end)| start..end)
            .filter_map(|position| self.address(position))
    }

    /// How many addresses there are.
    pub(crate) fn size(&self) -> u128 {
        self.size
    }

    /// How many of them are taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }
}

/// An address as a number of its family.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn address(family: Family, number: u128) -> IpAddr {
    match family {
        // A rank of this family came from 32 bits.
        Family::IPv4 => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
        Family::IPv6 => IpAddr::V6(number.into()),
    }
}
