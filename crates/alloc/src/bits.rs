// SPDX-License-Identifier: Apache-2.0
//! A set of small numbers as a tree of bits: a bit of a word says whether a word of the level below has
//! any. Whatever is in it, a number is found, put in or taken out in one or two words of each level, of
//! which there are three for a quarter of a million numbers.

use crate::steps::step;

const WORD: usize = u64::BITS as usize;

/// A set of numbers, of memory in proportion to the greatest it ever had.
#[derive(Debug, Default)]
pub(crate) struct Bits {
    /// The lowest level first, one word for 64 numbers; the highest level is one word.
    words: Vec<u64>,
    /// How many words are of the lowest level.
    leaves: usize,
}

impl Bits {
    pub(crate) fn insert(&mut self, number: usize) {
        if number / WORD >= self.leaves {
            self.grow(number);
        }
        let mut index = number;
        for (start, _) in levels(self.leaves) {
            step();
            let Some(word) = self.words.get_mut(start + index / WORD) else {
                return;
            };
            let was = *word;
            *word |= 1 << (index % WORD);
            if was != 0 {
                return;
            }
            index /= WORD;
        }
    }

    pub(crate) fn remove(&mut self, number: usize) {
        let mut index = number;
        for (start, size) in levels(self.leaves) {
            step();
            let place = self.words.get_mut(start + index / WORD);
            let Some(word) = place.filter(|_| index / WORD < size) else {
                return;
            };
            *word &= !(1 << (index % WORD));
            if *word != 0 {
                return;
            }
            index /= WORD;
        }
    }

    /// The lowest number that is not below this one.
    pub(crate) fn at_or_after(&self, number: usize) -> Option<usize> {
        self.search(0, self.leaves, number)
    }

    /// The lowest bit of a level that is set and not below `from`.
    fn search(&self, start: usize, size: usize, from: usize) -> Option<usize> {
        step();
        let word = |index| (index < size).then(|| self.words.get(start + index).copied())?;
        let lowest = |index: usize, word: u64| index * WORD + word.trailing_zeros() as usize;
        let index = from / WORD;
        let rest = word(index)? & (u64::MAX << (from % WORD));
        if rest != 0 {
            return Some(lowest(index, rest));
        }
        if size == 1 {
            return None;
        }
        let index = self.search(start + size, above(size), index + 1)?;
        Some(lowest(index, word(index)?))
    }

    fn grow(&mut self, number: usize) {
        let old = std::mem::take(self);
        self.leaves = (number / WORD + 1).next_power_of_two();
        self.words = vec![0; levels(self.leaves).map(|(_, size)| size).sum()];
        let mut next = old.at_or_after(0);
        while let Some(number) = next {
            self.insert(number);
            next = old.at_or_after(number + 1);
        }
    }
}

/// Where each level begins and how many words it has, the lowest first.
fn levels(leaves: usize) -> impl Iterator<Item = (usize, usize)> {
    let next = |(start, size): &(usize, usize)| (*size > 1).then(|| (start + size, above(*size)));
    std::iter::successors((leaves > 0).then_some((0, leaves)), next)
}

/// The words of the level above one of so many words.
fn above(size: usize) -> usize {
    size.div_ceil(WORD)
}
