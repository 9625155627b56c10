// SPDX-License-Identifier: Apache-2.0
//! Which positions are taken, by whom, and which free one is the lowest.
//!
//! Positions lie in [`pages`](super::pages) of 64, so a sparse space costs a page for each holder at
//! worst and a dense one a few bytes. The lowest free position is the lowest zero bit of the lowest page
//! with room; taking it and giving it back touch one page, and the notes of which pages have room only
//! when that page fills up or was full.

use super::{
    Position,
    pages::{Page, Pages, SLOTS},
};
use crate::tenancy::Occupant;

const PAGE: u128 = SLOTS as u128;

/// What is taken of the positions below a size.
#[derive(Debug)]
pub(super) struct Occupancy {
    size: Position,
    taken: u64,
    pages: Pages,
}

impl Occupancy {
    pub(super) fn new(size: Position) -> Self {
        let last = size.checked_sub(1).map(|last| last / PAGE);
        Self {
            size,
            taken: 0,
            pages: last.map(Pages::up_to).unwrap_or_default(),
        }
    }

    pub(super) fn first_free(&self) -> Option<Position> {
        let number = self.pages.first_open()?;
        let taken = self.pages.get(number).map_or(0, Page::taken);
        Some(number * PAGE + Position::from(taken.trailing_ones()))
    }

    pub(super) fn is_full(&self) -> bool {
        Position::from(self.taken) == self.size
    }

    pub(super) fn occupant(&self, position: Position) -> Option<Occupant> {
        let (number, slot) = split(position);
        self.pages.get(number)?.occupant(slot)
    }

    /// Takes a position; false if it was taken before.
    pub(super) fn take(&mut self, position: Position, occupant: Occupant) -> bool {
        if position >= self.size {
            return false;
        }
        let (number, slot) = split(position);
        let took = self
            .pages
            .take(number, slot, room(self.size, number), occupant);
        self.taken += u64::from(took);
        took
    }

    /// Gives a position back; false if it was free.
    pub(super) fn give(&mut self, position: Position) -> bool {
        let (number, slot) = split(position);
        let gave = self.pages.give(number, slot, room(self.size, number));
        self.taken -= u64::from(gave);
        gave
    }

    /// Every position that is taken, in order, with its occupant.
    pub(super) fn held(&self) -> impl Iterator<Item = (Position, Occupant)> + '_ {
        self.pages.iter().flat_map(|(number, page)| {
            let occupants = page.occupants();
            occupants.map(move |(slot, occupant)| (number * PAGE + slot as u128, occupant))
        })
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }
}

/// The bits of a page that stand for positions: all, but for the last page of a space.
fn room(size: Position, number: u128) -> u64 {
    let left = size.saturating_sub(number * PAGE);
    if left >= PAGE {
        u64::MAX
    } else {
        (1 << left) - 1
    }
}

/// The page of a position, and its place there.
fn split(position: Position) -> (u128, usize) {
    let slot = usize::try_from(position % PAGE);
    (position / PAGE, slot.unwrap_or_default())
}
