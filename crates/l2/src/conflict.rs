// SPDX-License-Identifier: Apache-2.0
//! When to report another claimant of an owned address, and when to defend it (RFC 5227 section 2.4).
//!
//! A defence waits: during a take-over the former owner sees the announcements of the new one before
//! it learns that it lost, and must not take the traffic back. Who still owns the
//! address after the delay defends it, once per interval.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::schedule::Key;

/// The conflicts in progress.
#[derive(Debug)]
pub(crate) struct Conflicts {
    delay: Duration,
    interval: Duration,
    states: BTreeMap<Key, State>,
    pending: BTreeSet<(Instant, Key)>,
}

#[derive(Debug)]
struct State {
    reported_at: Option<Instant>,
    claims: u64,
    defend_at: Option<Instant>,
    defended_at: Option<Instant>,
}

impl Conflicts {
    /// No conflict yet.
    pub(crate) fn new(delay: Duration, interval: Duration) -> Self {
        Self {
            delay,
            interval,
            states: BTreeMap::new(),
            pending: BTreeSet::new(),
        }
    }

    /// A claim was seen. Gives the number of claims to report, where it is time to report.
    pub(crate) fn seen(&mut self, now: Instant, key: Key) -> Option<u64> {
        let state = self.states.entry(key).or_insert(State {
            reported_at: None,
            claims: 0,
            defend_at: None,
            defended_at: None,
        });
        if state.defend_at.is_none() {
            let allowed = state.defended_at.map_or(now, |at| at + self.interval);
            let at = allowed.max(now + self.delay);
            state.defend_at = Some(at);
            self.pending.insert((at, key));
        }
        state.claims = state.claims.saturating_add(1);
        if state.reported_at.is_some_and(|at| now < at + self.interval) {
            return None;
        }
        state.reported_at = Some(now);
        Some(std::mem::take(&mut state.claims))
    }

    /// The next address to defend at this time.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Key> {
        let (at, key) = self.pending.first().copied()?;
        if at > now {
            return None;
        }
        self.pending.pop_first();
        if let Some(state) = self.states.get_mut(&key) {
            state.defend_at = None;
            state.defended_at = Some(now);
        }
        Some(key)
    }

    /// The address is no longer announced there.
    pub(crate) fn forget(&mut self, key: Key) {
        if let Some(State {
            defend_at: Some(at),
            ..
        }) = self.states.remove(&key)
        {
            self.pending.remove(&(at, key));
        }
    }

    /// When [`Self::due`] will next have something.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.pending.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key {
            ifindex: 1,
            address: "192.0.2.1".parse().unwrap(),
        }
    }

    #[test]
    fn reports_and_defends_once_per_interval() {
        let second = Duration::from_secs(1);
        let (mut conflicts, start) = (Conflicts::new(2 * second, 10 * second), Instant::now());
        assert_eq!(conflicts.seen(start, key()), Some(1));
        assert_eq!(conflicts.seen(start + second, key()), None);
        assert_eq!(conflicts.due(start + second), None);
        assert_eq!(conflicts.due(start + 2 * second), Some(key()));
        assert_eq!(conflicts.seen(start + 3 * second, key()), None);
        assert_eq!(conflicts.deadline(), Some(start + 12 * second));
        assert_eq!(conflicts.seen(start + 10 * second, key()), Some(3));
    }

    #[test]
    fn who_withdraws_in_time_does_not_defend() {
        let (mut conflicts, start) = (
            Conflicts::new(Duration::ZERO, Duration::ZERO),
            Instant::now(),
        );
        conflicts.seen(start, key());
        conflicts.forget(key());
        assert_eq!((conflicts.deadline(), conflicts.due(start)), (None, None));
    }
}
