// SPDX-License-Identifier: Apache-2.0
//! A hash table that keeps its values in place: a search meets one word of tags and the value itself,
//! and mostly both at once. With a million values each of the two is a line of memory that no cache has,
//! and such lines are what a search costs.
//!
//! Slots lie in groups of 15. The word of a group has a tag of each slot, a few bits of the hash, and
//! counts the values that belong here and had to go on to a later group: a search goes on only while
//! there are some, and removal leaves nothing behind.
//!
//! Groups are in the order of the hashes, and some of them share a chunk of memory. Growing walks
//! through old and new chunks from the front to the back and lets go of the old ones on its way: it
//! never needs the memory of two tables, and can afford small steps that leave little unused.

use crate::steps::step;

/// The slots of a group: their tags and the count fill a word of 16 bytes.
const SLOTS: usize = 15;

/// The groups of a chunk: with values of 44 bytes their slots come to just under 64 KiB.
const CHUNK: usize = 91;

/// How many bits of a hash count.
pub(super) const HASH_BITS: u32 = 31;

/// The lowest and the highest bit of each tag.
const LOW: u128 = 0x0001_0101_0101_0101_0101_0101_0101_0101;
const HIGH: u128 = LOW << 7;

/// The tags of a group's slots from the lowest byte on, 0 of an empty one; the highest byte counts who
/// went on.
#[derive(Clone, Copy, Debug, Default)]
struct Group(u128);

impl Group {
    /// The highest bit of each tag that is this one, and of some above the first of these that are not.
    fn like(self, tag: u8) -> u128 {
        let zero = self.0 ^ (LOW * u128::from(tag));
        (zero & !(u128::from(u8::MAX) << 120)).wrapping_sub(LOW) & !zero & HIGH
    }

    /// This slot if it is empty, otherwise the first empty one.
    fn vacancy(self, wanted: usize) -> Option<usize> {
        if self.0 >> (8 * wanted) & u128::from(u8::MAX) == 0 {
            return Some(wanted);
        }
        // The first one is always right.
        slots(self.like(0)).next()
    }

    fn tag(&mut self, slot: usize, tag: u8) {
        let shift = 8 * slot;
        self.0 = self.0 & !(u128::from(u8::MAX) << shift) | u128::from(tag) << shift;
    }

    fn passed(self) -> u8 {
        self.0.to_le_bytes()[SLOTS]
    }

    fn pass(&mut self, passed: u8) {
        self.tag(SLOTS, passed);
    }
}

/// The slots of a set as [`Group::like`] gives it.
fn slots(mut set: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = (set != 0).then(|| set.trailing_zeros() as usize / 8);
        set &= set.wrapping_sub(1);
        slot
    })
}

/// A value with its hash.
#[derive(Debug)]
struct Slot<T> {
    hash: u32,
    value: T,
}

/// The slots of a chunk's groups, those of the first one first; none before something is put there.
type Chunk<T> = Box<[Option<Slot<T>>]>;

/// Values by hashes below 2^31. There may be several with one hash.
#[derive(Debug)]
pub(crate) struct Table<T> {
    groups: Vec<Group>,
    chunks: Vec<Chunk<T>>,
    used: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::with_groups(0)
    }
}

impl<T> Table<T> {
    fn with_groups(groups: usize) -> Self {
        let mut chunks = Vec::new();
        chunks.resize_with(groups.div_ceil(CHUNK), Chunk::default);
        Self {
            groups: vec![Group::default(); groups],
            chunks,
            used: 0,
        }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// The value with this hash that is the one meant.
    pub(crate) fn find(&self, hash: u32, is: impl Fn(&T) -> bool) -> Option<&T> {
        let (group, slot) = self.search(hash, is)?;
        self.slot(group, slot).map(|slot| &slot.value)
    }

    /// The same, to be changed.
    pub(crate) fn find_mut(&mut self, hash: u32, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        let (group, slot) = self.search(hash, is)?;
        let slot = self.slot_mut(group, slot)?.as_mut();
        slot.map(|slot| &mut slot.value)
    }

    /// Adds a value.
    pub(crate) fn insert(&mut self, hash: u32, value: T) {
        // An eighth stays empty, so that few have to go on.
        if (self.used + 1) * 8 > self.groups.len() * SLOTS * 7 {
            self.grow();
        }
        self.place(Slot { hash, value });
    }

    /// Takes out the value with this hash that is the one meant.
    pub(crate) fn remove(&mut self, hash: u32, is: impl Fn(&T) -> bool) -> Option<T> {
        let (group, slot) = self.search(hash, is)?;
        let taken = self.slot_mut(group, slot)?.take()?;
        self.used -= 1;
        let mut at = self.home(hash);
        while at != group {
            self.unpass(at);
            at = self.after(at);
        }
        if let Some(group) = self.groups.get_mut(group) {
            group.tag(slot, 0);
        }
        Some(taken.value)
    }

    /// The group and the slot there of the value meant.
    fn search(&self, hash: u32, is: impl Fn(&T) -> bool) -> Option<(usize, usize)> {
        let mut at = self.home(hash);
        let meant = |group, slot| {
            let slot = self.slot(group, slot);
            slot.is_some_and(|slot: &Slot<T>| slot.hash == hash && is(&slot.value))
        };
        if meant(at, favourite(hash)) {
            return Some((at, favourite(hash)));
        }
        for _ in 0..self.groups.len() {
            step();
            let group = *self.groups.get(at)?;
            if let Some(slot) = slots(group.like(tag(hash))).find(|slot| meant(at, *slot)) {
                return Some((at, slot));
            }
            if group.passed() == 0 {
                return None;
            }
            at = self.after(at);
        }
        None
    }

    /// Puts a value where it belongs; there is an empty slot somewhere.
    fn place(&mut self, new: Slot<T>) {
        let mut at = self.home(new.hash);
        while let Some(group) = self.groups.get_mut(at) {
            step();
            if let Some(slot) = group.vacancy(favourite(new.hash)) {
                group.tag(slot, tag(new.hash));
                self.fill(at, slot, new);
                return;
            }
            group.pass(group.passed().saturating_add(1));
            at = self.after(at);
        }
    }

    /// Somebody who went on from a group is gone. A count that has reached the end stays there.
    fn unpass(&mut self, at: usize) {
        if let Some(group) = self.groups.get_mut(at)
            && group.passed() != u8::MAX
        {
            group.pass(group.passed().saturating_sub(1));
        }
    }

    fn grow(&mut self) {
        let groups = self.groups.len();
        let old = std::mem::replace(self, Self::with_groups(groups + groups / 4 + 1));
        for chunk in old.chunks {
            for slot in chunk.into_iter().flatten() {
                self.place(slot);
            }
        }
    }

    fn slot(&self, group: usize, slot: usize) -> Option<&Slot<T>> {
        let chunk = self.chunks.get(group / CHUNK)?;
        chunk.get(group % CHUNK * SLOTS + slot)?.as_ref()
    }

    fn slot_mut(&mut self, group: usize, slot: usize) -> Option<&mut Option<Slot<T>>> {
        let chunk = self.chunks.get_mut(group / CHUNK)?;
        chunk.get_mut(group % CHUNK * SLOTS + slot)
    }

    fn fill(&mut self, group: usize, slot: usize, new: Slot<T>) {
        let number = group / CHUNK;
        let groups = CHUNK.min(self.groups.len() - number * CHUNK);
        if let Some(chunk) = self.chunks.get_mut(number) {
            if chunk.is_empty() {
                let empty = std::iter::repeat_with(|| None);
                *chunk = empty.take(groups * SLOTS).collect();
            }
            if let Some(place) = chunk.get_mut(group % CHUNK * SLOTS + slot) {
                *place = Some(new);
                self.used += 1;
            }
        }
    }

    /// The group where a hash belongs.
    fn home(&self, hash: u32) -> usize {
        let scaled = u64::from(hash) * self.groups.len() as u64;
        (scaled >> HASH_BITS) as usize
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 < self.groups.len() {
            at + 1
        } else {
            0
        }
    }
}

/// The slot where a value rather stands than in another of its group: it is looked for there while the
/// tags are still on their way.
fn favourite(hash: u32) -> usize {
    (hash >> u8::BITS) as usize % SLOTS
}

/// The low bits of a hash, which have little to do with its group, but not all of them 0.
fn tag(hash: u32) -> u8 {
    hash.to_le_bytes()[0].max(1)
}
