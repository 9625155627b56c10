// SPDX-License-Identifier: Apache-2.0
//! What the log was told of faults that last. Each is tried again every second, and told when it is new or
//! has another cause, and once it is over.

use std::collections::BTreeMap;

/// Faults by what they concern.
#[derive(Debug)]
pub(super) struct Said<K>(BTreeMap<K, String>);

impl<K> Default for Said<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Said<K> {
    /// Whether this fault is to be told.
    pub(super) fn is_news(&mut self, what: K, cause: &impl ToString) -> bool {
        let cause = cause.to_string();
        let before = self.0.insert(what, cause.clone());
        before.is_none_or(|before| before != cause)
    }

    /// It works, or nobody wants it any more: whether a fault of it was told.
    pub(super) fn is_over(&mut self, what: &K) -> bool {
        self.0.remove(what).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_news_once_until_its_cause_changes_or_it_is_over() {
        let mut said = Said::default();
        assert!(said.is_news("eth0", &"not permitted"));
        assert!(!said.is_news("eth0", &"not permitted"));
        assert!(said.is_news("eth1", &"not permitted"));
        assert!(said.is_news("eth0", &"no buffers"));
        assert!(said.is_over(&"eth0"));
        assert!(!said.is_over(&"eth0"));
        assert!(said.is_news("eth0", &"no buffers"));
    }
}
