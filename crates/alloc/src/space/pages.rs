// SPDX-License-Identifier: Apache-2.0
//! The pages of a space: for each 64 positions which are taken, and by whom.
//!
//! As the lowest free address is always given first, taken positions lie close together at the front:
//! the pages from the first one on that follow each other without a gap are a plain list. Pages further
//! on, which come of addresses that were asked for one by one, are found by number.

use hashbrown::HashMap;

use crate::{steps::step, tenancy::Occupant};

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
    /// Pages with higher numbers, none of them empty.
    far: HashMap<u128, Page>,
}

impl Pages {
    pub(super) fn get(&self, number: u128) -> Option<&Page> {
        step();
        match self.near(number) {
            Some(index) => self.near.get(index),
            None => self.far.get(&number),
        }
    }

    /// The page, of which something is about to be taken.
    pub(super) fn fillable(&mut self, number: u128) -> &mut Page {
        step();
        if number == self.near.len() as u128 {
            self.near.push(self.far.remove(&number).unwrap_or_default());
        }
        match self.near(number).and_then(|index| self.near.get_mut(index)) {
            Some(page) => page,
            None => self.far.entry(number).or_default(),
        }
    }

    /// Gives a slot of a page back; false if it was free.
    pub(super) fn give(&mut self, number: u128, slot: usize) -> bool {
        step();
        let near = self.near(number);
        let page = match near {
            Some(index) => self.near.get_mut(index),
            None => self.far.get_mut(&number),
        };
        let Some(page) = page else {
            return false;
        };
        let had = page.give(slot);
        if page.taken == 0 {
            match near {
                Some(_) => self.trim(),
                None => drop(self.far.remove(&number)),
            }
        }
        had
    }

    fn trim(&mut self) {
        while self.near.pop_if(|page| page.taken == 0).is_some() {
            step();
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
