// SPDX-License-Identifier: Apache-2.0
//! Answers of the last seconds.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::Verdict;

/// Answers kept.
const MOST: usize = 256;

/// A yes may be taken back; a no is asked again soon, for somebody is probably mending it.
const YES: Duration = Duration::from_secs(30);
const NO: Duration = Duration::from_secs(5);

/// A hash of token, verb and path.
pub(super) type Key = [u8; 32];

#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<Key, (Verdict, Instant)>>);

impl Cache {
    pub(super) fn get(&self, key: &Key) -> Option<Verdict> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers
            .get(key)
            .filter(|(_, until)| Instant::now() < *until)
            .map(|(verdict, _)| *verdict)
    }

    pub(super) fn put(&self, key: Key, verdict: Verdict) {
        let now = Instant::now();
        let until = now + if verdict == Verdict::Allowed { YES } else { NO };
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST {
            answers.retain(|_, (_, until)| now < *until);
        }
        if answers.len() >= MOST {
            // A flood of bad tokens: the good ones stay.
            answers.retain(|_, (verdict, _)| *verdict == Verdict::Allowed);
        }
        if answers.len() < MOST {
            answers.insert(key, (verdict, until));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u16) -> Key {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&n.to_be_bytes());
        key
    }

    #[tokio::test(start_paused = true)]
    async fn answers_grow_old() {
        let cache = Cache::default();
        cache.put(key(1), Verdict::Allowed);
        cache.put(key(2), Verdict::Denied);
        tokio::time::advance(NO).await;
        assert_eq!(
            (cache.get(&key(1)), cache.get(&key(2))),
            (Some(Verdict::Allowed), None)
        );
        tokio::time::advance(YES).await;
        assert_eq!(cache.get(&key(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_bad_tokens_pushes_no_good_one_out() {
        let cache = Cache::default();
        cache.put(key(0), Verdict::Allowed);
        for n in 1..2000 {
            cache.put(key(n), Verdict::Unauthenticated);
        }
        assert_eq!(cache.get(&key(0)), Some(Verdict::Allowed));
        assert!(cache.0.lock().expect("whole").len() <= MOST);
    }
}
