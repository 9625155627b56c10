// SPDX-License-Identifier: Apache-2.0
//! The attempt to connect: none, waited for, or under way.

use std::time::{Duration, Instant};

use crate::{
    ConnId,
    timers::{CONNECT_TIMEOUT, Timer},
};

/// Where the attempt stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Connector {
    /// None is wanted.
    Idle,
    /// The next one is made when the timer is due (ConnectRetryTimer).
    Waiting(Timer),
    /// One is under way; it is given up when the timer is due.
    Connecting(ConnId, Timer),
}

/// What became due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It is time for an attempt.
    Attempt,
    /// The attempt takes too long.
    TooLong(ConnId),
}

impl Connector {
    /// Waits for the next attempt.
    pub(super) fn wait(now: Instant, pause: Duration) -> Self {
        Self::Waiting(Timer::after(now, pause))
    }

    /// An attempt is under way.
    pub(super) fn connecting(now: Instant, conn: ConnId) -> Self {
        Self::Connecting(conn, Timer::after(now, CONNECT_TIMEOUT))
    }

    /// Whether this attempt is the one under way.
    pub(super) fn is(&self, conn: ConnId) -> bool {
        matches!(self, Self::Connecting(id, _) if *id == conn)
    }

    /// What is due at `now`; the connector is then idle.
    pub(super) fn on_timeout(&mut self, now: Instant) -> Option<Due> {
        let due = match self {
            Self::Idle => None,
            Self::Waiting(timer) => timer.expire(now).then_some(Due::Attempt),
            Self::Connecting(conn, timer) => timer.expire(now).then_some(Due::TooLong(*conn)),
        };
        if due.is_some() {
            *self = Self::Idle;
        }
        due
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Idle => None,
            Self::Waiting(timer) | Self::Connecting(_, timer) => timer.at(),
        }
    }
}
