// SPDX-License-Identifier: Apache-2.0
//! What was said before: which Event stands for a note, and how much noise an object may still make.
//! Both are bounded; who is forgotten merely gets a new Event.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use tokio::time::Instant;

use super::{Note, Subject};

/// Notes and objects remembered: what fits a hash table of 4096 places.
const REMEMBERED: usize = 3584;

/// Notes an object may make at once.
const BURST: u32 = 25;

/// One more after this time.
const REFILL: Duration = Duration::from_secs(60);

/// After this time without a repeat the Event may have run out: the next one is new.
const FRESH: Duration = Duration::from_secs(50 * 60);

/// An Event that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// What its name ends with.
    pub tail: u64,
    /// How often the note was made.
    pub count: i32,
    /// When last.
    at: Instant,
}

impl Told {
    pub(super) fn new(tail: u64) -> Self {
        Self {
            tail,
            count: 1,
            at: Instant::now(),
        }
    }

    pub(super) fn once_more(self) -> Self {
        Self {
            tail: self.tail,
            count: self.count.saturating_add(1),
            at: Instant::now(),
        }
    }
}

/// What identifies a note: object, type, reason and message, as one number.
pub(super) type Key = u64;

/// Everything remembered.
#[derive(Debug)]
pub(super) struct Tally {
    notes: Bounded<Standing>,
    noise: Bounded<Noise>,
}

#[derive(Debug)]
enum Standing {
    /// Being written for the first time, or again; notes made meanwhile are the same one.
    UnderWay(Option<Told>),
    Stands(Told),
}

#[derive(Debug)]
struct Noise {
    left: u32,
    since: Instant,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            notes: Bounded::new(),
            noise: Bounded::new(),
        }
    }

    /// Whether the note is to be written, and the Event that stands for it. `told` must follow.
    pub(super) fn admit(&mut self, subject: &Subject, note: &Note) -> Option<(Key, Option<Told>)> {
        let object = number(&(
            &subject.uid,
            &subject.namespace,
            &subject.name,
            &subject.kind,
        ));
        let key = number(&(object, note.warning, &note.reason, &note.message));
        if matches!(self.notes.get(key), Some(Standing::UnderWay(_))) || !self.may_speak(object) {
            return None;
        }
        let standing = match self.notes.get(key) {
            Some(Standing::Stands(told)) if told.at.elapsed() < FRESH => Some(*told),
            _ => None,
        };
        self.notes.set(key, Standing::UnderWay(standing));
        Some((key, standing))
    }

    /// The note is written, or given up.
    pub(super) fn told(&mut self, key: &Key, told: Option<Told>) {
        match (told, self.notes.get(*key)) {
            (Some(told), _) => self.notes.set(*key, Standing::Stands(told)),
            (None, Some(Standing::UnderWay(Some(old)))) => {
                let old = *old;
                self.notes.set(*key, Standing::Stands(old));
            }
            (None, _) => self.notes.remove(*key),
        }
    }

    fn may_speak(&mut self, object: Key) -> bool {
        let fresh = || Noise {
            left: BURST,
            since: Instant::now(),
        };
        let noise = self.noise.get_or(object, fresh);
        let refills =
            u32::try_from(noise.since.elapsed().as_secs() / REFILL.as_secs()).unwrap_or(u32::MAX);
        if refills > 0 {
            noise.left = noise.left.saturating_add(refills).min(BURST);
            noise.since = Instant::now();
        }
        let may = noise.left > 0;
        noise.left = noise.left.saturating_sub(1);
        may
    }
}

fn number(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A map that forgets what came first.
#[derive(Debug)]
struct Bounded<V> {
    map: HashMap<u64, V>,
    order: VecDeque<u64>,
}

impl<V> Bounded<V> {
    fn new() -> Self {
        Self {
            map: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    fn get(&self, key: u64) -> Option<&V> {
        self.map.get(&key)
    }

    fn set(&mut self, key: u64, value: V) {
        if self.map.insert(key, value).is_none() {
            self.remember(key);
        }
    }

    fn get_or(&mut self, key: u64, make: impl FnOnce() -> V) -> &mut V {
        if !self.map.contains_key(&key) {
            self.remember(key);
        }
        match self.map.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(make()),
        }
    }

    fn remove(&mut self, key: u64) {
        self.map.remove(&key);
    }

    fn remember(&mut self, key: u64) {
        self.order.push_back(key);
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.map.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> Subject {
        Subject::service(&ferrolb_types::ServiceKey::new("shop", name), "u")
    }

    fn note(message: &str) -> Note {
        Note {
            warning: true,
            reason: "AllocationFailed".into(),
            message: message.into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_note_again_raises_the_count() {
        let mut tally = Tally::new();
        let (key, standing) = tally
            .admit(&subject("web"), &note("full"))
            .expect("the first");
        assert_eq!(standing, None);
        assert!(
            tally.admit(&subject("web"), &note("full")).is_none(),
            "one is under way"
        );
        tally.told(&key, Some(Told::new(1)));
        let (again, standing) = tally
            .admit(&subject("web"), &note("full"))
            .expect("a repeat");
        assert_eq!(again, key);
        assert_eq!(standing.expect("it stands").once_more().count, 2);
        let (_, other) = tally
            .admit(&subject("web"), &note("fuller"))
            .expect("another");
        assert_eq!(other, None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_may_have_run_out_is_not_counted_up() {
        let mut tally = Tally::new();
        let (key, _) = tally
            .admit(&subject("web"), &note("full"))
            .expect("the first");
        tally.told(&key, Some(Told::new(1)));
        tokio::time::advance(FRESH).await;
        let (_, standing) = tally
            .admit(&subject("web"), &note("full"))
            .expect("a repeat");
        assert_eq!(standing, None);
    }

    #[tokio::test(start_paused = true)]
    async fn noise_is_held_back_per_object() {
        let mut tally = Tally::new();
        let said = |tally: &mut Tally, name: &str, n: u32| {
            tally.admit(&subject(name), &note(&n.to_string())).is_some()
        };
        assert_eq!((0..100).filter(|n| said(&mut tally, "web", *n)).count(), 25);
        assert!(said(&mut tally, "other", 0));
        tokio::time::advance(REFILL * 2).await;
        assert_eq!(
            (100..200).filter(|n| said(&mut tally, "web", *n)).count(),
            2
        );
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let mut tally = Tally::new();
        for n in 0..10_000 {
            let key = tally.admit(&subject(&format!("s{n}")), &note("full"));
            tally.told(&key.expect("room").0, Some(Told::new(1)));
        }
        assert!(tally.notes.map.len() <= REMEMBERED && tally.notes.order.len() <= REMEMBERED);
        assert!(tally.noise.map.len() <= REMEMBERED);
    }
}
