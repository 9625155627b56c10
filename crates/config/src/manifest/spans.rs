// SPDX-License-Identifier: Apache-2.0
//! Where each field of an object stands in its file: twelve bytes a field.
//!
//! Fields are found by a hash of their path. Two paths of one object with the same hash would show each
//! other's place in a message, nothing worse.

use std::sync::Arc;

use ferrolb_types::{FieldPath, Position, Segment};

use super::{fault::position, tree::Mark};

/// The places of an object's fields.
#[derive(Clone, Debug)]
pub struct Spans {
    file: Arc<str>,
    /// Sorted by hash.
    places: Box<[Place]>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    path: PathHash,
    at: Mark,
}

/// The hash of a path, built step by step (FNV-1a).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathHash(u32);

impl PathHash {
    pub const ROOT: Self = Self(0x811c_9dc5);

    pub fn key(self, key: &str) -> Self {
        key.bytes().fold(self.step(b'.'), Self::step)
    }

    pub fn index(self, index: usize) -> Self {
        index
            .to_le_bytes()
            .into_iter()
            .fold(self.step(b'['), Self::step)
    }

    fn step(self, byte: u8) -> Self {
        Self((self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }

    fn segment(self, segment: &Segment) -> Self {
        match segment {
            Segment::Key(key) => self.key(key),
            Segment::Index(index) => self.index(*index),
        }
    }
}

/// Collects places while an object is read.
#[derive(Default)]
pub(super) struct Collector(Vec<Place>);

impl Collector {
    pub fn add(&mut self, path: PathHash, at: Mark) {
        self.0.push(Place { path, at });
    }

    pub fn finish(mut self, file: &Arc<str>) -> Spans {
        self.0.sort_unstable_by_key(|place| place.path);
        Spans {
            file: Arc::clone(file),
            places: self.0.into(),
        }
    }
}

impl Spans {
    /// The file the object stands in.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Where a field stands; where it is absent, the innermost part around it that is there. A scalar's
    /// place is its value, that of a list or mapping its key.
    #[must_use]
    pub fn position(&self, path: &FieldPath) -> Option<Position> {
        let mut hash = PathHash::ROOT;
        let mut found = self.place(hash);
        for segment in path.segments() {
            hash = hash.segment(segment);
            match self.place(hash) {
                Some(at) => found = Some(at),
                None => break,
            }
        }
        found.map(|at| position(&self.file, at))
    }

    fn place(&self, path: PathHash) -> Option<Mark> {
        let at = self
            .places
            .binary_search_by_key(&path, |place| place.path)
            .ok()?;
        self.places.get(at).map(|place| place.at)
    }
}
