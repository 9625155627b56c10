// SPDX-License-Identifier: Apache-2.0
//! Whether, and until when, writes may start.
//!
//! A write may start only if it must end, by its own time limit, before the gate's deadline; so none of
//! ours is under way when another could lead. Each term of leading has its number: what was decided in
//! one is never written in the next.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// What the gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing may be written.
    Closed,
    /// Writes must have ended by then.
    Until(Instant),
    /// No lease limits us.
    Always,
}

/// A gate, as those who write see it.
#[derive(Clone, Debug)]
pub struct Gate {
    state: watch::Receiver<(u64, State)>,
    inside: Arc<Inside>,
}

/// The other side: who opens and closes it.
#[derive(Debug)]
pub(crate) struct GateKeeper {
    state: watch::Sender<(u64, State)>,
    inside: Arc<Inside>,
}

/// How many are inside.
#[derive(Debug, Default)]
struct Inside {
    count: AtomicUsize,
    left: Notify,
}

/// The right to write, while it lives.
#[derive(Debug)]
pub(crate) struct Pass(Arc<Inside>);

impl Drop for Pass {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.left.notify_waiters();
        }
    }
}

/// A gate and its keeper, closed at first.
pub(crate) fn gate() -> (GateKeeper, Gate) {
    let (sender, receiver) = watch::channel((0, State::Closed));
    let inside = Arc::new(Inside::default());
    let keeper = GateKeeper {
        state: sender,
        inside: Arc::clone(&inside),
    };
    (
        keeper,
        Gate {
            state: receiver,
            inside,
        },
    )
}

impl Gate {
    /// A gate that is always open: for whoever needs no lease.
    #[must_use]
    pub fn open() -> Self {
        let (_, receiver) = watch::channel((1, State::Always));
        Self {
            state: receiver,
            inside: Arc::default(),
        }
    }

    /// The number of the present term: each time the gate opens it is another.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.state.borrow().0
    }

    /// Enters for a write that takes at most `limit`, waiting while the time left is too short.
    /// `None`: the term is over, the write must not happen.
    pub(crate) async fn enter(&self, term: u64, limit: Duration) -> Option<Pass> {
        let mut state = self.state.clone();
        loop {
            // Counted before looking: whoever closes the gate and then counts misses nobody.
            let pass = self.pass();
            let (now_term, now) = *state.borrow_and_update();
            let may = match now {
                _ if now_term != term => return None,
                State::Closed => return None,
                State::Always => true,
                State::Until(deadline) => Instant::now() + limit <= deadline,
            };
            if may {
                return Some(pass);
            }
            drop(pass);
            state.changed().await.ok()?;
        }
    }

    fn pass(&self) -> Pass {
        self.inside.count.fetch_add(1, Ordering::AcqRel);
        Pass(Arc::clone(&self.inside))
    }
}

impl GateKeeper {
    /// Opens it, or moves its deadline.
    pub(crate) fn open(&self, state: State) {
        self.state.send_modify(|(term, now)| {
            if *now == State::Closed {
                *term += 1;
            }
            *now = state;
        });
    }

    /// Closes it. Who is inside may still end.
    pub(crate) fn close(&self) {
        self.state
            .send_if_modified(|(_, now)| std::mem::replace(now, State::Closed) != State::Closed);
    }

    /// Waits until nobody is inside, at most for `limit`.
    pub(crate) async fn empty(&self, limit: Duration) -> bool {
        let wait = async {
            loop {
                let left = self.inside.left.notified();
                if self.inside.count.load(Ordering::Acquire) == 0 {
                    return;
                }
                left.await;
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_write_enters_only_if_it_must_end_in_time() {
        let (keeper, gate) = gate();
        assert!(gate.enter(gate.term(), LIMIT).await.is_none(), "closed");
        keeper.open(State::Until(Instant::now() + Duration::from_secs(6)));
        let term = gate.term();
        assert!(gate.enter(term, LIMIT).await.is_some());
        tokio::time::advance(Duration::from_secs(2)).await;
        let late = tokio::time::timeout(Duration::from_secs(1), gate.enter(term, LIMIT)).await;
        assert!(late.is_err(), "it waits for a renewal");
        keeper.open(State::Until(Instant::now() + Duration::from_secs(6)));
        assert!(gate.enter(term, LIMIT).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_term_decided_the_next_does_not_write() {
        let (keeper, gate) = gate();
        keeper.open(State::Always);
        let term = gate.term();
        keeper.close();
        assert!(gate.enter(term, LIMIT).await.is_none());
        keeper.open(State::Always);
        assert!(gate.enter(term, LIMIT).await.is_none());
        assert!(gate.enter(gate.term(), LIMIT).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_turned_away_when_it_closes() {
        let (keeper, gate) = gate();
        keeper.open(State::Until(Instant::now()));
        let waiting = {
            let gate = gate.clone();
            tokio::spawn(async move { gate.enter(gate.term(), LIMIT).await.is_none() })
        };
        tokio::task::yield_now().await;
        keeper.close();
        assert!(waiting.await.expect("no panic"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_keeper_sees_the_last_one_out() {
        let (keeper, gate) = gate();
        keeper.open(State::Always);
        let pass = gate.enter(gate.term(), LIMIT).await.expect("open");
        keeper.close();
        assert!(!keeper.empty(Duration::from_secs(1)).await);
        drop(pass);
        assert!(keeper.empty(Duration::from_secs(1)).await);
    }

    #[tokio::test]
    async fn without_a_keeper_an_open_gate_stays_open() {
        let gate = Gate::open();
        assert!(gate.enter(gate.term(), LIMIT).await.is_some());
    }
}
