// SPDX-License-Identifier: Apache-2.0
//! How long to wait before the next try: doubling, with chance mixed in so that many do not come back at once.

use std::time::Duration;

/// A doubling wait between two bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// First wait.
    pub first: Duration,
    /// Longest wait.
    pub most: Duration,
}

impl Backoff {
    /// The wait after `failures` failures in a row: between half of and the whole of the doubled time.
    pub(crate) fn after(self, failures: u32) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1_u32.checked_shl(failures.min(20)).unwrap_or(u32::MAX));
        let whole = doubled.min(self.most);
        let half = whole / 2;
        half + half.mul_f64(f64::from(chance()) / 65_536.0)
    }
}

/// A number that two processes will hardly share; nothing secret hangs on it.
fn chance() -> u16 {
    let mut bytes = [0_u8; 2];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u16::from_ne_bytes(bytes),
        Err(_) => 32_768,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_its_bound() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            most: Duration::from_secs(5),
        };
        for (failures, whole) in [(0, 100), (1, 200), (3, 800), (6, 5_000), (400, 5_000)] {
            let wait = backoff.after(failures).as_millis();
            assert!((whole / 2..=whole).contains(&wait), "{failures}: {wait}");
        }
    }
}
