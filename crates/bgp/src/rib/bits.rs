// SPDX-License-Identifier: Apache-2.0
//! A growing set of small numbers, one bit each.

/// The set.
#[derive(Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// Whether `n` is in the set.
    pub(super) fn has(&self, n: u32) -> bool {
        let (word, mask) = Self::place(n);
        self.0.get(word).is_some_and(|bits| bits & mask != 0)
    }

    /// Puts `n` in. Says whether it was missing.
    pub(super) fn insert(&mut self, n: u32) -> bool {
        let (word, mask) = Self::place(n);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        match self.0.get_mut(word) {
            Some(bits) if *bits & mask == 0 => {
                *bits |= mask;
                true
            }
            _ => false,
        }
    }

    /// Takes `n` out. Says whether it was there.
    pub(super) fn remove(&mut self, n: u32) -> bool {
        let (word, mask) = Self::place(n);
        match self.0.get_mut(word) {
            Some(bits) if *bits & mask != 0 => {
                *bits &= !mask;
                true
            }
            _ => false,
        }
    }

    fn place(n: u32) -> (usize, u64) {
        ((n >> 6) as usize, 1 << (n & 63))
    }
}
