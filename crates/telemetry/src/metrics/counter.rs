// SPDX-License-Identifier: Apache-2.0
//! What is counted where it happens.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::lock;
use crate::text::Family;

/// A count. A clone counts on the same one.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// One more.
    pub fn inc(&self) {
        self.add(1);
    }

    /// `more` more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl From<Arc<AtomicU64>> for Counter {
    /// Somebody else's count.
    fn from(count: Arc<AtomicU64>) -> Self {
        Self(count)
    }
}

/// Counts told apart by `N` labels. The values of the labels must be few: none of them ever goes.
#[derive(Debug)]
pub struct Counters<const N: usize> {
    names: [&'static str; N],
    counts: Mutex<BTreeMap<[Cow<'static, str>; N], Counter>>,
}

impl<const N: usize> Counters<N> {
    pub(super) fn new(names: [&'static str; N]) -> Self {
        Self {
            names,
            counts: Mutex::default(),
        }
    }

    /// The count of these label values, to be held where it is hot.
    #[must_use]
    pub fn of(&self, values: [impl Into<Cow<'static, str>>; N]) -> Counter {
        let values = values.map(Into::into);
        lock(&self.counts).entry(values).or_default().clone()
    }

    pub(super) fn write(&self, family: &mut Family) {
        for (values, counter) in lock(&self.counts).iter() {
            let labels: Vec<(&str, &str)> = self
                .names
                .iter()
                .zip(values)
                .map(|(name, value)| (*name, value.as_ref()))
                .collect();
            family.add(&labels, counter.get());
        }
    }
}

/// Yes or no. A clone is the same switch.
#[derive(Clone, Debug, Default)]
pub struct Switch(Arc<AtomicBool>);

impl Switch {
    /// Says which.
    pub fn set(&self, on: bool) {
        self.0.store(on, Ordering::Relaxed);
    }

    /// Which it is.
    #[must_use]
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
