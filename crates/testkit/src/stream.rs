// SPDX-License-Identifier: Apache-2.0
//! One direction of a reliable byte stream, as TCP gives it: no byte is lost or out of order, but the
//! boundaries of writes mean nothing, and a lost packet shows as a pause.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::Chance;

/// Bytes under way from one end to the other.
#[derive(Debug)]
pub struct Stream {
    chance: Chance,
    latency: Duration,
    loss_percent: u32,
    window: usize,
    under_way: VecDeque<(Instant, Vec<u8>)>,
    buffered: usize,
    last_arrival: Option<Instant>,
}

impl Stream {
    /// How long a lost packet holds up everything behind it.
    const RETRANSMISSION: Duration = Duration::from_millis(200);

    /// A stream without loss whose pieces arrive `latency` after they were written.
    #[must_use]
    pub fn new(seed: u64, latency: Duration) -> Self {
        Self {
            chance: Chance::new(seed),
            latency,
            loss_percent: 0,
            window: usize::MAX,
            under_way: VecDeque::new(),
            buffered: 0,
            last_arrival: None,
        }
    }

    /// Loses about this share of the pieces once; they arrive late.
    #[must_use]
    pub fn lossy(mut self, percent: u32) -> Self {
        self.loss_percent = percent;
        self
    }

    /// Takes at most this many bytes that nobody has read yet.
    #[must_use]
    pub fn window(mut self, bytes: usize) -> Self {
        self.window = bytes;
        self
    }

    /// How many bytes can be written now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.window.saturating_sub(self.buffered)
    }

    /// Writes as much as there is room for and says how much that was.
    pub fn write(&mut self, now: Instant, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room());
        let mut rest = bytes.get(..taken).unwrap_or_default();
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(self.chance.within(1..1461).min(rest.len()));
            let arrival = self.arrival(now);
            self.under_way.push_back((arrival, piece.to_vec()));
            rest = tail;
        }
        self.buffered += taken;
        taken
    }

    /// Everything that has arrived by `now`, cut at a boundary of chance.
    pub fn read(&mut self, now: Instant) -> Vec<u8> {
        let mut got = Vec::new();
        while let Some((_, piece)) = self.under_way.pop_front_if(|(at, _)| *at <= now) {
            got.extend(piece);
            if self.chance.percent(30) {
                break;
            }
        }
        self.buffered -= got.len();
        got
    }

    /// When the next bytes arrive.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        self.under_way.front().map(|(at, _)| *at)
    }

    fn arrival(&mut self, now: Instant) -> Instant {
        let lost = self.chance.percent(self.loss_percent);
        let delay = if lost {
            Self::RETRANSMISSION
        } else {
            Duration::ZERO
        };
        let at = (now + self.latency + delay).max(self.last_arrival.unwrap_or(now));
        self.last_arrival = Some(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    #[test]
    fn bytes_arrive_complete_and_in_order_whatever_is_lost() {
        for seed in 0..20 {
            let mut clock = Clock::new();
            let mut stream = Stream::new(seed, Duration::from_millis(3)).lossy(30);
            let sent: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
            assert_eq!(stream.write(clock.now(), &sent), sent.len());
            assert!(
                stream.read(clock.now()).is_empty(),
                "nothing arrives before the latency"
            );
            let mut got = Vec::new();
            while let Some(at) = stream.next_arrival() {
                clock.advance_to(at);
                got.extend(stream.read(clock.now()));
            }
            assert_eq!(got, sent, "seed {seed}");
        }
    }

    #[test]
    fn a_full_window_takes_no_more_until_it_is_read() {
        let clock = Clock::new();
        let mut stream = Stream::new(1, Duration::ZERO).window(10);
        assert_eq!(stream.write(clock.now(), &[0; 15]), 10);
        assert_eq!(stream.room(), 0);
        while stream.next_arrival().is_some() {
            stream.read(clock.now());
        }
        assert_eq!(stream.room(), 10);
    }
}
