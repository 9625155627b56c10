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

/// The count of writes that matter and are not through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    urgent: AtomicUsize,
    quiet: Notify,
}

impl Load {
    /// One more write that matters.
    pub(crate) fn begin(&self) {
        self.0.urgent.fetch_add(1, Ordering::AcqRel);
    }

    /// `count` of them are through, or given up.
    pub(crate) fn end(&self, count: usize) {
        if count > 0 && self.0.urgent.fetch_sub(count, Ordering::AcqRel) == count {
            self.0.quiet.notify_waiters();
        }
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
        load.begin();
        load.begin();
        let begun = tokio::time::Instant::now();
        load.make_way().await;
        assert_eq!(begun.elapsed(), PATIENCE);
        let other = load.clone();
        let waiting = tokio::spawn(async move { other.make_way().await });
        tokio::task::yield_now().await;
        load.end(2);
        waiting.await.expect("no panic");
        assert_eq!(begun.elapsed(), PATIENCE);
    }
}
