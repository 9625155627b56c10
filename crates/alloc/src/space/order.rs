// SPDX-License-Identifier: Apache-2.0
//! The order of the addresses of one pool and family: which address stands at which position.
//!
//! Every usable address has a position: entries in listed order, ascending inside each. Addresses that
//! `avoidBuggyIPs` leaves out have none, so they are never met: both directions are arithmetic. Building
//! costs one step per entry, whatever its size.

use std::net::IpAddr;

use ferrolb_config::compiled::Pool;
use ferrolb_types::Family;

use super::Position;
use crate::steps::step;

/// One entry of a pool, as far as it has usable addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Its first address, usable or not.
    first: u128,
    /// Position of its first usable address.
    start: Position,
    /// Rank of its first usable address.
    rank: u128,
    /// How many usable addresses it has, less one.
    reach: u128,
    avoid_buggy: bool,
}

impl Span {
    /// The span from one address to another that follows those before; `None` if nothing is usable.
    fn new(first: u128, last: u128, start: Position, avoid_buggy: bool) -> Option<Self> {
        let first_rank = rank(first, avoid_buggy);
        let usable_last = !leaves_out(last, avoid_buggy);
        // Of the last address itself: not usable means the usable ones end before its rank.
        let reach = rank(last, avoid_buggy) - first_rank;
        Some(Self {
            first,
            start,
            rank: first_rank,
            reach: reach.checked_sub(u128::from(!usable_last))?,
            avoid_buggy,
        })
    }

    /// Its first address as a number.
    pub(crate) fn first(&self) -> u128 {
        self.first
    }

    /// The position of an address that is not below the first one; `None` if it does not belong here.
    pub(crate) fn position(&self, number: u128) -> Option<Position> {
        let usable = !leaves_out(number, self.avoid_buggy);
        let offset = rank(number, self.avoid_buggy).checked_sub(self.rank)?;
        (usable && offset <= self.reach).then(|| self.start + offset)
    }

    /// The number of the address at a position; `None` if it is not of this span.
    fn number(&self, position: Position) -> Option<u128> {
        let offset = position.checked_sub(self.start)?;
        let rank = self.rank + offset;
        (offset <= self.reach).then_some(if self.avoid_buggy {
            ((rank / 254) << 8) + rank % 254 + 1
        } else {
            rank
        })
    }
}

/// Whether nobody wants the address.
fn leaves_out(number: u128, avoid_buggy: bool) -> bool {
    avoid_buggy && matches!(number & 0xff, 0 | 0xff)
}

/// How many usable addresses of the whole family lie below this one.
fn rank(number: u128, avoid_buggy: bool) -> u128 {
    if !avoid_buggy {
        return number;
    }
    // Each block of 256 has 254 usable ones, .1 to .254.
    (number >> 8) * 254 + (number & 0xff).saturating_sub(1).min(254)
}

/// The usable addresses of one pool and family, in order.
#[derive(Debug)]
pub(super) struct Order {
    family: Family,
    /// In listed order, hence ascending by `start`.
    spans: Vec<Span>,
    size: u128,
}

impl Order {
    pub(super) fn new(pool: &Pool, family: Family) -> Self {
        let avoid_buggy = pool.avoid_buggy_ips && family == Family::IPv4;
        let (mut spans, mut size) = (Vec::new(), 0u128);
        let ranges = pool.entries.iter().map(|entry| entry.range);
        for range in ranges.filter(|range| range.family() == family) {
            let (first, last) = (number(range.first()), number(range.last()));
            if let Some(span) = Span::new(first, last, size, avoid_buggy) {
                size = size.saturating_add(span.reach).saturating_add(1);
                spans.push(span);
            }
        }
        Self {
            family,
            spans,
            size,
        }
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    pub(super) fn address(&self, position: Position) -> Option<IpAddr> {
        let after = self.spans.partition_point(|span| {
            step();
            span.start <= position
        });
        let span = self.spans.get(after.checked_sub(1)?)?;
        Some(address(self.family, span.number(position)?))
    }

    pub(super) fn size(&self) -> u128 {
        self.size
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
        // A number of this family came from 32 bits.
        Family::IPv4 => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
        Family::IPv6 => IpAddr::V6(number.into()),
    }
}
