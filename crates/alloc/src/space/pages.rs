// SPDX-License-Identifier: Apache-2.0
//! The pages of a space: for each 64 positions which are taken, and by whom.
//!
//! As the lowest free address is always given first, taken positions lie close together at the front:
//! the pages from the first one on that follow each other without a gap are a plain list, with a bit for
//! each that has room. Pages further on, which come of addresses that were asked for one by one, are
//! found by number; which of all numbers are not full there is kept as intervals.

use hashbrown::HashMap;

use super::intervals::Intervals;
use crate::{bits::Bits, steps::step, tenancy::Occupant};

/// How many positions a page has; one bit of a word each.
pub(super) const SLOTS: usize = u64::BITS as usize;

/// One page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Bit n: position n of the page is taken.
    taken: u64,
    /// Who holds the taken ones; of the others it says nothing. It lies apart, so that the bits of all
    /// pages stay close together, and only where something is taken.
    occupants: Option<Box<[Occupant; SLOTS]>>,
}

impl Page {
    /// The bits of all that is taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn occupant(&self, slot: usize) -> Option<Occupant> {
        let occupants = self.occupants.as_deref().filter(|_| self.has(slot))?;
        occupants.get(slot).copied()
    }

    /// Everything that is taken, in order.
    pub(super) fn occupants(&self) -> impl Iterator<Item = (usize, Occupant)> + '_ {
        (0..SLOTS).filter_map(|slot| Some((slot, self.occupant(slot)?)))
    }

    /// Takes a slot; false if it was taken before.
    pub(super) fn take(&mut self, slot: usize, occupant: Occupant) -> bool {
        if self.has(slot) {
            return false;
        }
        self.taken |= 1 << slot;
        let occupants = self
            .occupants
            .get_or_insert_with(|| Box::new([occupant; SLOTS]));
        if let Some(place) = occupants.get_mut(slot) {
            *place = occupant;
        }
        true
    }

    /// Gives a slot back; false if it was free.
    pub(super) fn give(&mut self, slot: usize) -> bool {
        let had = self.has(slot);
        self.taken &= !(1 << slot);
        if self.taken == 0 {
            self.occupants = None;
        } else if let Some(place) = self.occupants.as_mut().and_then(|all| all.get_mut(slot)) {
            // Nobody waits for this write, while whoever takes the slot next finds its line at hand.
            *place = Occupant::NOBODY;
        }
        had
    }

    fn has(&self, slot: usize) -> bool {
        self.taken & (1 << slot) != 0
    }
}

/// All pages of which something is taken, and perhaps some that are empty.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// Numbers 0 to `near.len() - 1`; the last one is not empty.
    near: Vec<Page>,
    /// Those of the near pages that have room.
    near_open: Bits,
    /// Pages with higher numbers, none of them empty.
    far: HashMap<u128, Page>,
    /// The numbers of all pages there may be, but for the far ones that are full.
    open: Intervals,
}

impl Pages {
    /// Empty pages with the numbers up to this one.
    pub(super) fn up_to(last: u128) -> Self {
        Self {
            open: Intervals::up_to(last),
            ..Self::default()
        }
    }

    pub(super) fn get(&self, number: u128) -> Option<&Page> {
        step();
        match self.near(number) {
            Some(index) => self.near.get(index),
            None => self.far.get(&number),
        }
    }

    /// The lowest number of a page with room.
    pub(super) fn first_open(&self) -> Option<u128> {
        match self.near_open.at_or_after(0) {
            Some(index) => Some(index as u128),
            None => self.open.at_or_after(self.near.len() as u128),
        }
    }

    /// Takes a slot of a page; false if it was taken before. `room` has the bits of all its slots.
    pub(super) fn take(
        &mut self,
        number: u128,
        slot: usize,
        room: u64,
        occupant: Occupant,
    ) -> bool {
        step();
        if number == self.near.len() as u128 {
            self.approach(number, room);
        }
        let near = self.near(number);
        let page = match near.and_then(|index| self.near.get_mut(index)) {
            Some(page) => page,
            None => self.far.entry(number).or_default(),
        };
        let took = page.take(slot, occupant);
        if took && page.taken == room {
            match near {
                Some(index) => self.near_open.remove(index),
                None => self.open.remove(number),
            }
        }
        took
    }

    /// The page behind the near ones becomes the last of them.
    fn approach(&mut self, number: u128, room: u64) {
        let page = self.far.remove(&number).unwrap_or_default();
        if page.taken == room {
            self.open.insert(number);
        } else {
            self.near_open.insert(self.near.len());
        }
        self.near.push(page);
    }

    /// Gives a slot of a page back; false if it was free. `room` has the bits of all its slots.
    pub(super) fn give(&mut self, number: u128, slot: usize, room: u64) -> bool {
        step();
        let near = self.near(number);
        let page = match near {
            Some(index) => self.near.get_mut(index),
            None => self.far.get_mut(&number),
        };
        let Some(page) = page else {
            return false;
        };
        let was_full = page.taken == room;
        let had = page.give(slot);
        let is_empty = page.taken == 0;
        match near {
            Some(index) if was_full && had => self.near_open.insert(index),
            None if was_full && had => self.open.insert(number),
            _ => {}
        }
        match near {
            Some(_) if is_empty => self.trim(),
            None if is_empty => drop(self.far.remove(&number)),
            _ => {}
        }
        had
    }

    fn trim(&mut self) {
        while self.near.pop_if(|page| page.taken == 0).is_some() {
            step();
            self.near_open.remove(self.near.len());
        }
    }

    /// All pages in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u128, &Page)> {
        let mut far: Vec<(u128, &Page)> = self.far.iter().map(|(n, page)| (*n, page)).collect();
        far.sort_unstable_by_key(|(number, _)| *number);
        (0u128..).zip(&self.near).chain(far)
    }

    fn near(&self, number: u128) -> Option<usize> {
        let index = usize::try_from(number).ok()?;
        (index < self.near.len()).then_some(index)
    }
}
