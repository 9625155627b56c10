// SPDX-License-Identifier: Apache-2.0
//! When ownership is made known without being asked.
//!
//! An address that begins to be announced on an interface gets a burst there: one round at once,
//! then one per interval until the burst ends; afterwards a slow refresh, spread out over its period. All rounds
//! share one [`Pace`]; first rounds go before repeated ones, since they carry the traffic
//! over. What it never does: build frames.

mod pace;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
    time::{Duration, Instant},
};

use crate::Config;
use pace::Pace;

/// An address on an interface: the unit of announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) ifindex: u32,
    pub(crate) address: IpAddr,
}

impl Key {
    /// The frames of one round: ARP says it in two ways (request and reply), NDP in one.
    fn frames(self) -> u32 {
        if self.address.is_ipv4() { 2 } else { 1 }
    }
}

/// Where an announcement stands.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The next round, and whether it goes before the repeated ones.
    next: Option<(Urgency, Instant)>,
    /// The end of the burst; `None` until its first round has left.
    burst_ends: Option<Instant>,
}

impl Entry {
    fn is_urgent(&self) -> bool {
        matches!(self.next, Some((Urgency::First, _)))
    }
}

#[derive(Clone, Copy, Debug)]
enum Urgency {
    First,
    Repeated,
}

/// The announcements of all addresses on all interfaces.
#[derive(Debug)]
pub(crate) struct Schedule {
    burst: Duration,
    interval: Duration,
    refresh: Option<Duration>,
    pace: Pace,
    entries: BTreeMap<Key, Entry>,
    first: BTreeSet<(Instant, Key)>,
    repeated: BTreeSet<(Instant, Key)>,
}

impl Schedule {
    /// Nothing to announce yet.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            burst: config.burst,
            interval: config.interval,
            refresh: config.refresh,
            pace: Pace::new(config.tick, config.frames_per_tick),
            entries: BTreeMap::new(),
            first: BTreeSet::new(),
            repeated: BTreeSet::new(),
        }
    }

    /// Begins a burst, or begins it anew where the hardware address changed.
    pub(crate) fn start(&mut self, now: Instant, key: Key) {
        self.set(
            key,
            Entry {
                next: Some((Urgency::First, now)),
                burst_ends: None,
            },
        );
    }

    /// Brings the next round forward to now, without changing what comes after.
    pub(crate) fn hasten(&mut self, now: Instant, key: Key) {
        let entry = self.entries.get(&key).copied();
        if let Some(entry) = entry.filter(|entry| !entry.is_urgent()) {
            self.set(
                key,
                Entry {
                    next: Some((Urgency::First, now)),
                    ..entry
                },
            );
        }
    }

    /// Ends all announcements of the address there.
    pub(crate) fn stop(&mut self, key: Key) {
        if let Some(entry) = self.entries.remove(&key) {
            self.dequeue(key, entry);
        }
    }

    /// The next round that is due and within the pace. The caller sends it.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Key> {
        let (at, key) = self.head(now)?;
        if at > now || !self.pace.take(now, key.frames()) {
            return None;
        }
        let entry = self.entries.get(&key).copied()?;
        let burst_ends = entry.burst_ends.unwrap_or(now + self.burst);
        let next = self
            .after(now, key, burst_ends)
            .map(|at| (Urgency::Repeated, at));
        self.set(
            key,
            Entry {
                next,
                burst_ends: Some(burst_ends),
            },
        );
        Some(key)
    }

    /// When [`Self::due`] may next have something.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let queues = [&self.first, &self.repeated];
        let earliest = queues.iter().filter_map(|queue| queue.first()).min()?;
        Some(
            self.pace
                .blocked_until()
                .map_or(earliest.0, |until| earliest.0.max(until)),
        )
    }

    /// The round to look at: a due first round before any repeated one.
    fn head(&self, now: Instant) -> Option<(Instant, Key)> {
        let first = self.first.first().copied();
        match (first, self.repeated.first().copied()) {
            (Some(first), Some(repeated)) if first.0 > now => Some(first.min(repeated)),
            (Some(first), _) => Some(first),
            (None, repeated) => repeated,
        }
    }

    /// The time of the round after one that leaves now.
    fn after(&self, now: Instant, key: Key, burst_ends: Instant) -> Option<Instant> {
        let next = now + self.interval;
        if next < burst_ends {
            return Some(next);
        }
        let refresh = self.refresh?;
        let is_end_of_burst = now < burst_ends;
        Some(if is_end_of_burst {
            now + spread(key, refresh)
        } else {
            now + refresh
        })
    }

    fn set(&mut self, key: Key, entry: Entry) {
        if let Some(before) = self.entries.insert(key, entry) {
            self.dequeue(key, before);
        }
        match entry.next {
            Some((Urgency::First, at)) => self.first.insert((at, key)),
            Some((Urgency::Repeated, at)) => self.repeated.insert((at, key)),
            None => false,
        };
    }

    fn dequeue(&mut self, key: Key, entry: Entry) {
        match entry.next {
            Some((Urgency::First, at)) => self.first.remove(&(at, key)),
            Some((Urgency::Repeated, at)) => self.repeated.remove(&(at, key)),
            None => false,
        };
    }
}

/// Between half a period and a whole one, by the key alone: addresses taken over together do not stay
/// together.
fn spread(key: Key, period: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 1024).unwrap_or_default();
    period / 2 + period / 2 * share / 1024
}
