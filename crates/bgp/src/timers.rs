// SPDX-License-Identifier: Apache-2.0
//! Timers as plain moments, jitter, and the growing pause between attempts to connect.
//!
//! RFC 4271 section 10 (timers and their jitter).

use std::time::{Duration, Instant};

/// How long a peer may take to accept the connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The hold time until the peer's OPEN has come (RFC 4271 section 8.2.2 suggests four minutes).
pub(crate) const OPEN_HOLD_TIME: Duration = Duration::from_secs(240);
/// How long the last NOTIFICATION may take to leave before the connection is closed without it.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest pause between attempts when `connectTime` is unset.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// Keepalives must not be sent more often (RFC 4271 section 4.4).
pub(crate) const SHORTEST_KEEPALIVE: Duration = Duration::from_secs(1);
/// The shortest a send hold timer may be (RFC 9687 section 4.3).
const SHORTEST_SEND_HOLD: Duration = Duration::from_secs(480);
/// A session that was up for less than this does not make the next pauses short again.
const STABLE_AFTER: Duration = Duration::from_secs(30);

/// A moment at which something is due, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timer(Option<Instant>);

impl Timer {
    /// A timer due `after` now.
    pub(crate) fn after(now: Instant, after: Duration) -> Self {
        Self(now.checked_add(after))
    }

    /// Is due `after` now; `None` stops it.
    pub(crate) fn set(&mut self, now: Instant, after: Option<Duration>) {
        self.0 = after.and_then(|after| now.checked_add(after));
    }

    /// Never is due.
    pub(crate) fn stop(&mut self) {
        self.0 = None;
    }

    /// When it is due.
    pub(crate) fn at(self) -> Option<Instant> {
        self.0
    }

    /// Whether it is due; if so it stops.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let due = self.0.is_some_and(|at| at <= now);
        if due {
            self.0 = None;
        }
        due
    }
}

/// The earliest of some timers.
pub(crate) fn earliest(timers: impl IntoIterator<Item = Timer>) -> Option<Instant> {
    timers.into_iter().filter_map(Timer::at).min()
}

/// The send hold time that goes with a negotiated hold time (RFC 9687 section 4.3); none without one.
pub(crate) fn send_hold_time(hold: Option<Duration>) -> Option<Duration> {
    hold.map(|hold| (hold * 2).max(SHORTEST_SEND_HOLD))
}

/// Repeatable jitter; the caller hands in the seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    /// The sequence of `seed`, told apart from others of the same seed by `salt`.
    pub(crate) fn new(seed: u64, salt: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(salt.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, mix))
    }

    /// The time to the next keepalive: between three quarters and the whole of `period`, but no less than
    /// what keepalives need between them.
    pub(crate) fn between_keepalives(&mut self, period: Duration) -> Duration {
        self.jittered(period).max(SHORTEST_KEEPALIVE)
    }

    /// Between three quarters and the whole of `period` (RFC 4271 section 10).
    fn jittered(&mut self, period: Duration) -> Duration {
        // SplitMix64: the upper bits are as good as any.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let share = u32::try_from(z >> 40).unwrap_or(0) % 1024;
        period.mul_f64(1.0 - f64::from(share) / 4096.0)
    }
}

/// The pauses between attempts to connect: none, then 1 s, 2 s, 4 s and so on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The pause before the next attempt, `connect_time` (else 120 s) at most.
    pub(crate) fn next(&mut self, connect_time: Option<Duration>, jitter: &mut Jitter) -> Duration {
        let longest = connect_time.unwrap_or(LONGEST_PAUSE);
        let pause = match self.attempts {
            0 => Duration::ZERO,
            n => Duration::from_secs(1 << (n - 1).min(16)),
        };
        self.attempts = self.attempts.saturating_add(1);
        jitter.jittered(pause.min(longest))
    }

    /// A session was up for this long. If it was stable, the next attempt is made at once.
    pub(crate) fn session_lasted(&mut self, time: Duration) {
        if time >= STABLE_AFTER {
            self.attempts = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let mut jitter = Jitter::new(1, "r1");
        let mut pauses = |limit: Option<u64>, count: usize| -> Vec<f64> {
            let mut backoff = Backoff::default();
            let limit = limit.map(Duration::from_secs);
            (0..count)
                .map(|_| backoff.next(limit, &mut jitter).as_secs_f64())
                .collect()
        };
        let check = |got: Vec<f64>, want: &[f64]| {
            for (got, want) in got.iter().zip(want) {
                assert!(*got <= *want && *got >= 0.75 * *want, "{got} for {want}");
            }
        };
        check(
            pauses(None, 10),
            &[0., 1., 2., 4., 8., 16., 32., 64., 120., 120.],
        );
        check(pauses(Some(5), 6), &[0., 1., 2., 4., 5., 5.]);
    }

    #[test]
    fn keepalives_are_a_second_apart_or_more() {
        let mut jitter = Jitter::new(1, "r1");
        let mut all = |seconds: f64| -> Vec<f64> {
            let period = Duration::from_secs_f64(seconds);
            let times = (0..1000).map(|_| jitter.between_keepalives(period).as_secs_f64());
            times.collect()
        };
        assert!(all(1.0).iter().all(|time| *time == 1.0));
        for period in [1.2, 4.0, 30.0] {
            let times = all(period);
            let apart = |time: &f64| *time >= 1.0 && *time >= period * 0.75 && *time <= period;
            assert!(times.iter().all(apart), "{period}: {times:?}");
            assert!(times.iter().any(|time| *time < period), "no jitter");
        }
    }

    #[test]
    fn only_a_stable_session_shortens_the_pauses() {
        let mut jitter = Jitter::new(1, "r1");
        let mut backoff = Backoff::default();
        (0..5).for_each(|_| _ = backoff.next(None, &mut jitter));
        backoff.session_lasted(Duration::from_secs(2));
        assert!(backoff.next(None, &mut jitter) >= Duration::from_secs(12));
        backoff.session_lasted(Duration::from_secs(60));
        assert_eq!(backoff.next(None, &mut jitter), Duration::ZERO);
    }

    #[test]
    fn a_timer_expires_once() {
        let now = Instant::now();
        let mut timer = Timer::after(now, Duration::from_secs(1));
        assert!(!timer.expire(now));
        assert!(timer.expire(now + Duration::from_secs(1)));
        assert_eq!(timer.at(), None);
    }
}
