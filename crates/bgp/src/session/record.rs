// SPDX-License-Identifier: Apache-2.0
//! What is remembered of a peer across its connections.

use std::time::Instant;

use crate::{Inbound, Messages, Problem, State};

/// Counters and the last trouble.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) state: State,
    pub(super) since: Instant,
    pub(super) sent: Messages,
    pub(super) received: Messages,
    pub(super) inbound: Inbound,
    pub(super) flaps: u64,
    /// Why the session is not up; gone once it is.
    pub(super) trouble: Option<Problem>,
    pub(super) last_error: Option<(Instant, Problem)>,
    pub(super) last_loss: Option<(Instant, Problem)>,
}

impl Record {
    /// Nothing has happened yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state: State::Idle,
            since: now,
            sent: Messages::default(),
            received: Messages::default(),
            inbound: Inbound::default(),
            flaps: 0,
            trouble: None,
            last_error: None,
            last_loss: None,
        }
    }

    /// The session is in this state now.
    pub(super) fn enter(&mut self, now: Instant, state: State) {
        if state != self.state {
            self.state = state;
            self.since = now;
        }
    }

    /// The established session is lost.
    pub(super) fn lost(&mut self, now: Instant, problem: &Problem) {
        self.flaps += 1;
        self.last_loss = Some((now, problem.clone()));
    }

    /// Something went wrong.
    pub(super) fn failed(&mut self, now: Instant, problem: &Problem) {
        self.trouble = Some(problem.clone());
        self.last_error = Some((now, problem.clone()));
    }
}
