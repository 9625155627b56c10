// SPDX-License-Identifier: Apache-2.0
//! A ration of frames per tick.

use std::time::{Duration, Instant};

/// The frames of the largest round: an ARP request and an ARP reply.
const LARGEST_ROUND: u32 = 2;

/// Grants a number of frames in each tick. What a tick does not use is lost: an idle hour earns
/// no spike.
#[derive(Debug)]
pub(super) struct Pace {
    tick: Duration,
    ration: u32,
    left: u32,
    refill_at: Option<Instant>,
}

impl Pace {
    /// At least one round is granted per tick.
    pub(super) fn new(tick: Duration, ration: u32) -> Self {
        let ration = ration.max(LARGEST_ROUND);
        Self {
            tick,
            ration,
            left: ration,
            refill_at: None,
        }
    }

    /// Takes the frames of a round from the present tick; false where no whole round is left of it.
    pub(super) fn take(&mut self, now: Instant, frames: u32) -> bool {
        if self.refill_at.is_none_or(|at| now >= at) {
            self.left = self.ration;
            self.refill_at = Some(now + self.tick);
        }
        if self.left < LARGEST_ROUND {
            return false;
        }
        self.left = self.left.saturating_sub(frames);
        true
    }

    /// The end of the tick, where no whole round is left of it.
    pub(super) fn blocked_until(&self) -> Option<Instant> {
        if self.left < LARGEST_ROUND {
            self.refill_at
        } else {
            None
        }
    }
}
