// SPDX-License-Identifier: Apache-2.0
//! Repeatable chance: SplitMix64, enough for simulations and for nothing that must be secret.

use std::{ops::Range, time::Duration};

/// A seeded sequence of numbers.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, every value equally likely.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range; its start where the range is empty.
    pub fn within(&mut self, range: Range<usize>) -> usize {
        let width = range.end.saturating_sub(range.start).max(1);
        range.start + (self.draw() % width as u64) as usize
    }

    /// True about `percent` times in a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.draw() % 100 < u64::from(percent)
    }

    /// A duration below `limit`.
    pub fn below(&mut self, limit: Duration) -> Duration {
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.draw() % nanos.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_differs_from_others() {
        let take = |seed| -> Vec<u64> {
            let mut chance = Chance::new(seed);
            (0..8).map(|_| chance.draw()).collect()
        };
        assert_eq!(take(7), take(7));
        assert_ne!(take(7), take(8));
    }

    #[test]
    fn ranges_hold() {
        let mut chance = Chance::new(1);
        for _ in 0..1000 {
            assert!((3..9).contains(&chance.within(3..9)));
            assert!(chance.below(Duration::from_millis(5)) < Duration::from_millis(5));
        }
        assert!(!chance.percent(0));
        assert!(chance.percent(100));
    }
}
