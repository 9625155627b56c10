// SPDX-License-Identifier: Apache-2.0
//! Where each address stands: the entries of all pools in ascending order.

use std::net::IpAddr;

use ferrolb_types::Family;

use crate::{
    space::{Position, Span, number},
    steps::step,
    stock::Stock,
};

/// Where an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which of the stocks.
    pub(super) stock: usize,
    pub(super) position: Position,
}

/// The entries of all pools, which do not overlap.
#[derive(Debug, Default)]
pub(super) struct Atlas {
    v4: Sheet,
    v6: Sheet,
}

/// The entries of one family.
#[derive(Debug, Default)]
struct Sheet {
    /// The first address of each, ascending; apart from the rest, so that a search stays in few lines.
    firsts: Vec<u128>,
    /// The same entries, each with the stock it belongs to.
    spans: Vec<(Span, usize)>,
}

impl Atlas {
    pub(super) fn of(stocks: &[Stock]) -> Self {
        Self {
            v4: Sheet::of(stocks, Family::IPv4),
            v6: Sheet::of(stocks, Family::IPv6),
        }
    }

    /// The place of an address; `None` if it lies in no pool, or is left out there.
    pub(super) fn locate(&self, address: IpAddr) -> Option<Place> {
        match Family::of(address) {
            Family::IPv4 => self.v4.locate(number(address)),
            Family::IPv6 => self.v6.locate(number(address)),
        }
    }
}

impl Sheet {
    fn of(stocks: &[Stock], family: Family) -> Self {
        let mut spans: Vec<(Span, usize)> = Vec::new();
        for (index, stock) in stocks.iter().enumerate() {
            let own = stock.space(family).spans();
            spans.extend(own.iter().map(|span| (*span, index)));
        }
        spans.sort_unstable_by_key(|(span, _)| span.first());
        Self {
            firsts: spans.iter().map(|(span, _)| span.first()).collect(),
            spans,
        }
    }

    fn locate(&self, number: u128) -> Option<Place> {
        let after = self.firsts.partition_point(|first| {
            step();
            *first <= number
        });
        let (span, stock) = self.spans.get(after.checked_sub(1)?)?;
        let position = span.position(number)?;
        Some(Place {
            stock: *stock,
            position,
        })
    }
}
