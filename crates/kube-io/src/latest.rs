// SPDX-License-Identifier: Apache-2.0
//! A queue of work by key: the newest of a key wins, one key is worked on by one worker at a time, and
//! what failed waits its turn. It holds at most one waiting value per key, so it cannot grow beyond the
//! number of objects.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// Room that is kept when nothing waits.
const FEW: usize = 64;

/// The queue. Clones share it.
#[derive(Debug)]
pub(crate) struct Latest<K, V>(Arc<Shared<K, V>>);

impl<K, V> Clone for Latest<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Shared<K, V> {
    state: Mutex<State<K, V>>,
    more: Notify,
}

#[derive(Debug)]
struct State<K, V> {
    waiting: HashMap<K, Entry<V>>,
    ready: VecDeque<K>,
    later: BTreeMap<(Instant, u64), K>,
    busy: HashSet<K>,
    serial: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    failures: u32,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// In `ready`.
    Ready,
    /// In `later`, under this key.
    Later(Instant, u64),
    /// Its key is being worked on.
    Parked,
}

/// Something to do.
#[derive(Debug)]
pub(crate) struct Job<K, V> {
    /// Its key.
    pub key: K,
    /// What to do.
    pub value: V,
    /// How often it failed.
    pub failures: u32,
}

impl<K: Clone + Eq + Hash, V> Latest<K, V> {
    pub(crate) fn new() -> Self {
        let state = State {
            waiting: HashMap::new(),
            ready: VecDeque::new(),
            later: BTreeMap::new(),
            busy: HashSet::new(),
            serial: 0,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            more: Notify::new(),
        }))
    }

    /// Queues `value`; an older one waiting under the key is given back and never done.
    pub(crate) fn put(&self, key: K, value: V) -> Option<V> {
        let older = self.lock().put(key, value);
        self.0.more.notify_one();
        older
    }

    /// How many keys wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// The next thing to do; its key is busy until `done` or `retry`.
    pub(crate) async fn next(&self) -> Job<K, V> {
        loop {
            let more = self.0.more.notified();
            let wake = {
                let mut state = self.lock();
                if let Some(job) = state.take(Instant::now()) {
                    // One notification may stand for several things put.
                    if !state.ready.is_empty() {
                        self.0.more.notify_one();
                    }
                    return job;
                }
                state.later.keys().next().map(|(at, _)| *at)
            };
            match wake {
                Some(at) => drop(tokio::time::timeout_at(at, more).await),
                None => more.await,
            }
        }
    }

    /// The work under `key` is through.
    pub(crate) fn done(&self, key: &K) {
        self.lock().release(key);
        self.0.more.notify_one();
    }

    /// The work failed: again after `delay`. Where something newer waits, this is given back and never done.
    pub(crate) fn retry(&self, job: Job<K, V>, delay: Duration) -> Option<V> {
        let older = self.lock().retry(job, delay);
        self.0.more.notify_one();
        older
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, V> State<K, V> {
    fn put(&mut self, key: K, value: V) -> Option<V> {
        let busy = self.busy.contains(&key);
        let old = self.waiting.remove(&key);
        let place = match old.as_ref().map(|entry| entry.place) {
            Some(Place::Ready) => Place::Ready,
            Some(Place::Later(at, serial)) => {
                self.later.remove(&(at, serial));
                self.ready.push_back(key.clone());
                Place::Ready
            }
            Some(Place::Parked) => Place::Parked,
            None if busy => Place::Parked,
            None => {
                self.ready.push_back(key.clone());
                Place::Ready
            }
        };
        let failures = old.as_ref().map_or(0, |entry| entry.failures);
        self.waiting.insert(
            key,
            Entry {
                value,
                failures,
                place,
            },
        );
        old.map(|entry| entry.value)
    }

    fn take(&mut self, now: Instant) -> Option<Job<K, V>> {
        while let Some(first) = self
            .later
            .first_entry()
            .filter(|first| first.key().0 <= now)
        {
            let key = first.remove();
            if let Some(entry) = self.waiting.get_mut(&key) {
                entry.place = Place::Ready;
            }
            self.ready.push_back(key);
        }
        let key = self.ready.pop_front()?;
        let entry = self.waiting.remove(&key)?;
        if self.waiting.is_empty() {
            // After a wave of work the room for it is given back.
            self.waiting.shrink_to(FEW);
            self.ready.shrink_to(FEW);
        }
        self.busy.insert(key.clone());
        Some(Job {
            key,
            value: entry.value,
            failures: entry.failures,
        })
    }

    fn release(&mut self, key: &K) {
        self.busy.remove(key);
        if let Some(entry) = self.waiting.get_mut(key) {
            entry.place = Place::Ready;
            self.ready.push_back(key.clone());
        }
    }

    fn retry(&mut self, job: Job<K, V>, delay: Duration) -> Option<V> {
        let failures = job.failures.saturating_add(1);
        if let Some(newer) = self.waiting.get_mut(&job.key) {
            newer.failures = failures;
            self.release(&job.key);
            return Some(job.value);
        }
        self.busy.remove(&job.key);
        self.serial += 1;
        let at = (Instant::now() + delay, self.serial);
        self.later.insert(at, job.key.clone());
        let place = Place::Later(at.0, at.1);
        let entry = Entry {
            value: job.value,
            failures,
            place,
        };
        self.waiting.insert(job.key, entry);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(10);

    async fn nothing(queue: &Latest<&'static str, u32>) -> bool {
        tokio::time::timeout(SOON, queue.next()).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_wins_and_keeps_its_place() {
        let queue = Latest::new();
        assert_eq!(queue.put("a", 1), None);
        assert_eq!(queue.put("b", 2), None);
        assert_eq!(queue.put("a", 3), Some(1));
        let first = queue.next().await;
        assert_eq!((first.key, first.value), ("a", 3));
        assert_eq!(queue.next().await.value, 2);
        assert!(nothing(&queue).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_worked_on_once_at_a_time() {
        let queue = Latest::new();
        queue.put("a", 1);
        let first = queue.next().await;
        queue.put("a", 2);
        assert!(nothing(&queue).await);
        queue.done(&first.key);
        assert_eq!(queue.next().await.value, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_waits_its_turn() {
        let queue = Latest::new();
        queue.put("a", 1);
        let job = queue.next().await;
        assert_eq!(queue.retry(job, Duration::from_secs(5)), None);
        queue.put("b", 2);
        assert_eq!(queue.next().await.value, 2);
        let before = Instant::now();
        let job = queue.next().await;
        assert_eq!((job.value, job.failures), (1, 1));
        assert_eq!(before.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn something_newer_replaces_what_failed_at_once() {
        let queue = Latest::new();
        queue.put("a", 1);
        let job = queue.next().await;
        assert_eq!(queue.retry(job, Duration::from_secs(5)), None);
        assert_eq!(queue.put("a", 2), Some(1));
        let job = queue.next().await;
        assert_eq!((job.value, job.failures), (2, 1));
        queue.put("a", 3);
        assert_eq!(queue.retry(job, Duration::from_secs(5)), Some(2));
        assert_eq!(queue.next().await.value, 3);
        queue.done(&"a");
        assert!(nothing(&queue).await);
        assert_eq!(queue.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_queue_keeps_little_room() {
        let queue = Latest::new();
        for key in 0..10_000 {
            queue.put(key, key);
        }
        for _ in 0..10_000 {
            let job = queue.next().await;
            queue.done(&job.key);
        }
        let state = queue.lock();
        assert!(state.waiting.capacity() < 4 * FEW && state.ready.capacity() < 4 * FEW);
    }

    #[tokio::test(start_paused = true)]
    async fn many_workers_share_it() {
        let queue = Latest::new();
        let mut workers = Vec::new();
        for _ in 0..4 {
            let queue = queue.clone();
            workers.push(tokio::spawn(async move { queue.next().await.value }));
        }
        tokio::task::yield_now().await;
        for (key, value) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
            queue.put(key, value);
        }
        let mut seen = Vec::new();
        for worker in workers {
            seen.push(worker.await.expect("no panic"));
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4]);
    }
}
