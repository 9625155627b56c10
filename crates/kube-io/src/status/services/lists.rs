// SPDX-License-Identifier: Apache-2.0
//! Lists of peers or interfaces. Nearly every Service of a node has the same one, so each is kept once.

use std::{collections::HashSet, sync::Arc};

/// Names, sorted, each once. Two lists that say the same are equal.
pub(in crate::status) type List = Arc<[String]>;

/// Lists kept before those are looked for that nobody has any more.
const FEW: usize = 64;

/// Every list in use.
#[derive(Debug, Default)]
pub(super) struct Lists {
    known: HashSet<List>,
    /// How many there may be before the next look.
    most: usize,
}

impl Lists {
    /// The one list with these names.
    pub(super) fn share(&mut self, mut names: Vec<String>) -> List {
        names.sort_unstable();
        names.dedup();
        if let Some(known) = self.known.get(names.as_slice()) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.most.max(FEW) {
            self.known.retain(|list| Arc::strong_count(list) > 1);
            self.most = 2 * self.known.len();
        }
        let list = List::from(names);
        self.known.insert(Arc::clone(&list));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_are_one() {
        let mut lists = Lists::default();
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let one = lists.share(names(&["b", "a", "b"]));
        assert!(Arc::ptr_eq(&one, &lists.share(names(&["a", "b"]))));
        assert_eq!(*one, ["a", "b"]);
    }

    #[test]
    fn what_nobody_has_is_forgotten() {
        let mut lists = Lists::default();
        let kept = lists.share(vec!["kept".into()]);
        for n in 0..10_000 {
            lists.share(vec![n.to_string()]);
        }
        assert!(lists.known.len() <= FEW);
        assert!(Arc::ptr_eq(&kept, &lists.share(vec!["kept".into()])));
    }
}
