// SPDX-License-Identifier: Apache-2.0
//! A hash table of small numbers: open addressing with linear probing.
//!
//! A slot is one word, the hash of what the number stands for beside the number: a search meets one
//! line of memory before it asks what a number stands for, and hardly ever asks in vain. The hash also
//! tells a slot's place in a larger table, so growing looks at nothing else. Removal moves those that
//! follow back into the gap, so there are no leftovers that slow down later searches.

use crate::steps::step;

/// Marks a slot without a number.
const EMPTY: u32 = u32::MAX;

/// The smallest table that holds anything.
const SMALLEST: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    number: u32,
}

impl Slot {
    const FREE: Self = Self {
        hash: 0,
        number: EMPTY,
    };

    fn is_free(self) -> bool {
        self.number == EMPTY
    }
}

/// Numbers below `u32::MAX` by hash. There may be several with one hash.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// None, or a power of two; at most three quarters are used, so every search ends.
    slots: Vec<Slot>,
    used: usize,
}

impl Table {
    /// The number with this hash that is the one meant.
    pub(crate) fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let (_, slot) = self.search(hash, is)?;
        Some(slot.number)
    }

    /// Adds a number.
    pub(crate) fn insert(&mut self, hash: u32, number: u32) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.used += 1;
        self.place(Slot { hash, number });
    }

    /// Takes out the number with this hash that is the one meant.
    pub(crate) fn remove(&mut self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let (at, slot) = self.search(hash, is)?;
        self.used -= 1;
        self.close(at);
        Some(slot.number)
    }

    fn search(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<(usize, Slot)> {
        let mut at = self.home(hash)?;
        loop {
            step();
            let slot = *self.slots.get(at)?;
            if slot.is_free() {
                return None;
            }
            if slot.hash == hash && is(slot.number) {
                return Some((at, slot));
            }
            at = self.after(at);
        }
    }

    fn place(&mut self, new: Slot) {
        let Some(mut at) = self.home(new.hash) else {
            return;
        };
        while let Some(slot) = self.slots.get_mut(at) {
            step();
            if slot.is_free() {
                *slot = new;
                return;
            }
            at = self.after(at);
        }
    }

    /// Empties a slot, after moving into it whoever could not be placed so far to the front.
    fn close(&mut self, mut gap: usize) {
        let mut at = self.after(gap);
        while let Some(slot) = self.slots.get(at).copied().filter(|s| !s.is_free()) {
            step();
            let wanted = self.home(slot.hash).unwrap_or(at);
            if self.distance(wanted, at) >= self.distance(gap, at) {
                self.put(gap, slot);
                gap = at;
            }
            at = self.after(at);
        }
        self.put(gap, Slot::FREE);
    }

    fn put(&mut self, at: usize, slot: Slot) {
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(SMALLEST);
        let old = std::mem::replace(&mut self.slots, vec![Slot::FREE; size]);
        for slot in old.into_iter().filter(|slot| !slot.is_free()) {
            self.place(slot);
        }
    }

    /// Where a hash belongs; `None` in a table without slots.
    fn home(&self, hash: u32) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        Some(hash as usize & mask)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// How far `to` comes after `from`.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.slots.len() - 1)
    }
}
