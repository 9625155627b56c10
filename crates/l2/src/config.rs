// SPDX-License-Identifier: Apache-2.0
//! The timings of the responder.

use std::time::Duration;

/// How often ownership is made known, and how fast. The defaults suit a mixed cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a burst of announcements lasts from its first round on.
    pub burst: Duration,
    /// The pause between two rounds of a burst.
    pub interval: Duration,
    /// The pause between two rounds outside of bursts; `None` sends none.
    pub refresh: Option<Duration>,
    /// The unit in which unasked frames are rationed. A switch polices ARP: thousands of addresses
    /// taken over at once must not arrive as one spike.
    pub tick: Duration,
    /// How many unasked frames may leave in a tick. At least 2 are granted.
    pub frames_per_tick: u32,
    /// How long another claimant of an owned address is watched before the claim is defended. In a
    /// take-over the former owner withdraws within this time and keeps silent.
    pub defend_delay: Duration,
    /// The pause between two defences of one address on one interface, and between two reports of
    /// a conflict (RFC 5227 `DEFEND_INTERVAL`).
    pub defend_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            burst: Duration::from_secs(5),
            interval: Duration::from_millis(1100),
            refresh: Some(Duration::from_secs(60)),
            tick: Duration::from_millis(10),
            frames_per_tick: 128,
            defend_delay: Duration::from_secs(2),
            defend_interval: Duration::from_secs(10),
        }
    }
}
