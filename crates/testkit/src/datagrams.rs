// SPDX-License-Identifier: Apache-2.0
//! One direction of a datagram link: whole messages that may be lost, doubled or overtaken.

use std::time::{Duration, Instant};

use crate::Chance;

/// Messages under way from one end to the other.
#[derive(Debug)]
pub struct Datagrams<T> {
    chance: Chance,
    latency: Duration,
    jitter: Duration,
    loss_percent: u32,
    double_percent: u32,
    under_way: Vec<(Instant, T)>,
}

impl<T: Clone> Datagrams<T> {
    /// A faultless link.
    #[must_use]
    pub fn new(seed: u64, latency: Duration) -> Self {
        Self {
            chance: Chance::new(seed),
            latency,
            jitter: Duration::ZERO,
            loss_percent: 0,
            double_percent: 0,
            under_way: Vec::new(),
        }
    }

    /// Adds up to this much to the latency of each message, so that they overtake each other.
    #[must_use]
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Loses about this share of the messages from now on.
    pub fn set_loss(&mut self, percent: u32) {
        self.loss_percent = percent;
    }

    /// Delivers about this share of the messages twice from now on.
    pub fn set_doubling(&mut self, percent: u32) {
        self.double_percent = percent;
    }

    /// Sends a message.
    pub fn send(&mut self, now: Instant, message: T) {
        if self.chance.percent(self.loss_percent) {
            return;
        }
        if self.chance.percent(self.double_percent) {
            self.put(now, message.clone());
        }
        self.put(now, message);
    }

    /// The message that has been waiting longest at `now`, if any.
    pub fn receive(&mut self, now: Instant) -> Option<T> {
        let (at, index) = self.earliest()?;
        (at <= now).then(|| self.under_way.remove(index).1)
    }

    /// When the next message arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        self.earliest().map(|(at, _)| at)
    }

    fn put(&mut self, now: Instant, message: T) {
        let delay = self.latency + self.chance.below(self.jitter);
        self.under_way.push((now + delay, message));
    }

    fn earliest(&self) -> Option<(Instant, usize)> {
        self.under_way
            .iter()
            .enumerate()
            .map(|(index, (at, _))| (*at, index))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    fn drain(link: &mut Datagrams<u32>, clock: &mut Clock) -> Vec<u32> {
        let mut got = Vec::new();
        while let Some(at) = link.next_arrival() {
            clock.advance_to(at);
            got.extend(link.receive(clock.now()));
        }
        got
    }

    #[test]
    fn a_faultless_link_keeps_order_and_latency() {
        let mut clock = Clock::new();
        let mut link = Datagrams::new(1, Duration::from_millis(2));
        (0..50).for_each(|n| link.send(clock.now(), n));
        assert_eq!(link.receive(clock.now()), None);
        assert_eq!(drain(&mut link, &mut clock), (0..50).collect::<Vec<_>>());
        assert_eq!(clock.elapsed(), Duration::from_millis(2));
    }

    #[test]
    fn faults_are_about_as_frequent_as_asked() {
        let mut clock = Clock::new();
        let mut link = Datagrams::new(3, Duration::ZERO);
        link.set_loss(50);
        (0..1000).for_each(|n| link.send(clock.now(), n));
        let survivors = drain(&mut link, &mut clock).len();
        assert!((400..600).contains(&survivors), "{survivors}");
        link.set_loss(0);
        link.set_doubling(100);
        link.send(clock.now(), 7);
        assert_eq!(drain(&mut link, &mut clock), [7, 7]);
    }

    #[test]
    fn jitter_reorders() {
        let mut clock = Clock::new();
        let mut link = Datagrams::new(5, Duration::ZERO).jitter(Duration::from_millis(10));
        (0..50).for_each(|n| link.send(clock.now(), n));
        let got = drain(&mut link, &mut clock);
        assert_eq!(got.len(), 50);
        assert!(!got.is_sorted());
    }
}
