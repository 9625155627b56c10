// SPDX-License-Identifier: Apache-2.0
//! A clock that stands still until it is told to move.

use std::time::{Duration, Instant};

/// Virtual time. Its origin is arbitrary; only differences mean something.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    now: Instant,
}

impl Clock {
    /// A clock at its origin.
    #[must_use]
    pub fn new() -> Self {
        let origin = Instant::now();
        Self {
            origin,
            now: origin,
        }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The time since the origin.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.duration_since(self.origin)
    }

    /// Moves on by `step`.
    pub fn advance(&mut self, step: Duration) {
        self.now += step;
    }

    /// Moves on to `at`; a moment in the past changes nothing.
    pub fn advance_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let mut clock = Clock::new();
        let start = clock.now();
        clock.advance(Duration::from_secs(30));
        clock.advance_to(start);
        assert_eq!(clock.elapsed(), Duration::from_secs(30));
    }
}
