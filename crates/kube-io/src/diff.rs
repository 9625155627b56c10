// SPDX-License-Identifier: Apache-2.0
//! What was told of a collection: per object its key and a number for its resourceVersion. A whole list is
//! compared with it, so that after a gap only differences are told.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

/// The objects that were told.
#[derive(Debug, Default)]
pub(crate) struct Diff {
    known: HashMap<Box<str>, Known>,
    round: u32,
}

#[derive(Debug)]
struct Known {
    /// The resourceVersion as a number; texts are only ever compared for being equal.
    version: u64,
    /// The list it was last seen in.
    round: u32,
}

impl Diff {
    /// A list begins, or begins anew.
    pub(crate) fn begin(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    /// An object, of a list or a watch. False: nothing new.
    pub(crate) fn see(&mut self, namespace: &str, name: &str, version: &str) -> bool {
        let known = Known {
            version: number(version),
            round: self.round,
        };
        let key = key(namespace, name);
        match self.known.get_mut(&key) {
            Some(old) if old.version == known.version => {
                old.round = self.round;
                false
            }
            Some(old) => {
                *old = known;
                true
            }
            None => self.known.insert(key, known).is_none(),
        }
    }

    /// An object that is gone. False: nobody was ever told of it.
    pub(crate) fn gone(&mut self, namespace: &str, name: &str) -> bool {
        self.known.remove(&key(namespace, name)).is_some()
    }

    /// The list is complete: namespace and name of what it did not hold, and what therefore is gone.
    pub(crate) fn end(&mut self) -> Vec<(String, String)> {
        let round = self.round;
        let mut gone = Vec::new();
        self.known.retain(|key, known| {
            let stays = known.round == round;
            if !stays {
                let (namespace, name) = key.split_once('/').unwrap_or(("", key));
                gone.push((namespace.to_owned(), name.to_owned()));
            }
            stays
        });
        gone
    }
}

/// Neither part can hold a slash.
fn key(namespace: &str, name: &str) -> Box<str> {
    format!("{namespace}/{name}").into()
}

fn number(version: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_list_tells_differences_alone() {
        let mut diff = Diff::default();
        diff.begin();
        for (name, version) in [("a", "1"), ("b", "2"), ("c", "3")] {
            assert!(diff.see("shop", name, version));
        }
        assert_eq!(diff.end(), []);
        diff.begin();
        assert!(!diff.see("shop", "a", "1"));
        assert!(diff.see("shop", "b", "9"));
        assert_eq!(diff.end(), [("shop".to_owned(), "c".to_owned())]);
        assert!(!diff.gone("shop", "c"), "told already");
        assert!(diff.gone("shop", "a"));
    }

    #[test]
    fn a_list_begun_anew_forgets_what_the_first_half_saw() {
        let mut diff = Diff::default();
        diff.begin();
        diff.see("", "gone-meanwhile", "1");
        diff.begin();
        diff.see("", "stays", "2");
        assert_eq!(diff.end(), [(String::new(), "gone-meanwhile".to_owned())]);
    }
}
