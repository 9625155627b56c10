// SPDX-License-Identifier: Apache-2.0
//! Who goes first. Writes that Services wait for are counted; Events and status objects, which only tell
//! of them, wait until those are through, though not for ever.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

/// Longest time the low ones make way for the high ones.
const PATIENCE: Duration = Duration::from_secs(10);

/// A write that matters.
#[derive(Debug)]
pub(crate) struct Urgent(Load);

impl Drop for Urgent {
    fn drop(&mut self) {
        let inner = &self.0.0;
        if inner.urgent.fetch_sub(1, Ordering::AcqRel) == 1 {
            inner.quiet.notify_waiters();
        }
    }
}

/// The count of writes that matter and are not through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    urgent: AtomicUsize,
    quiet: Notify,
}

impl Load {
    /// One more write that matters, for as long as what is returned lives.
    pub(crate) fn urgent_one(&self) -> Urgent {
        self.0.urgent.fetch_add(1, Ordering::AcqRel);
        Urgent(self.clone())
    }

    /// How many there are.
    pub(crate) fn urgent(&self) -> usize {
        self.0.urgent.load(Ordering::Acquire)
    }

    /// Waits until none are left, or until it has waited long enough.
    pub(crate) async fn make_way(&self) {
        let wait = async {
            loop {
                let quiet = self.0.quiet.notified();
                if self.urgent() == 0 {
                    return;
                }
                quiet.await;
            }
        };
        let _patience_ended = tokio::time::timeout(PATIENCE, wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn low_ones_wait_for_the_high_ones_but_not_for_ever() {
        let load = Load::default();
        load.make_way().await;
        let urgent = [load.urgent_one(), load.urgent_one()];
        let begun = tokio::time::Instant::now();
        load.make_way().await;
        assert_eq!(begun.elapsed(), PATIENCE);
        let other = load.clone();
        let waiting = tokio::spawn(async move { other.make_way().await });
        tokio::task::yield_now().await;
        drop(urgent);
        waiting.await.expect("no panic");
        assert_eq!(begun.elapsed(), PATIENCE);
    }
}
