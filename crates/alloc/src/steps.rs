// SPDX-License-Identifier: Apache-2.0
//! Counting of comparisons and visited elements, so that a test can prove what an operation costs.
//!
//! Outside tests a step costs nothing.

use std::cmp::Ordering;

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts one step.
#[inline]
pub(crate) fn step() {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// The steps that `work` takes on this thread.
#[cfg(test)]
pub(crate) fn count<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let before = STEPS.with(std::cell::Cell::get);
    let result = work();
    (STEPS.with(std::cell::Cell::get) - before, result)
}

/// A key of an ordered collection; each comparison is a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted<T>(pub(crate) T);

impl<T: Ord> Ord for Counted<T> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        step();
        self.0.cmp(&other.0)
    }
}

impl<T: Ord> PartialOrd for Counted<T> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
