// SPDX-License-Identifier: Apache-2.0
//! Small numbers for things that many indexes point at, and the table behind them.

use std::marker::PhantomData;

/// A place in a [`Slab`].
pub(crate) trait Id: Copy {
    /// The id of place `n`.
    fn new(n: u32) -> Self;
    /// The place.
    fn index(self) -> usize;
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub(crate) struct $name(u32);

            impl Id for $name {
                fn new(n: u32) -> Self {
                    Self(n)
                }

                fn index(self) -> usize {
                    self.0 as usize
                }
            }
        )*
    };
}

id! {
    /// A node known by name.
    NodeId
    /// A Service known by key, from its own object or from an EndpointSlice.
    SlotId
    /// An EndpointSlice.
    SliceId
    /// A set of candidates many Services have in common.
    ClassId
    /// A BGP advertisement in use.
    OfferId
}

impl SlotId {
    /// Sorts before every other.
    pub(crate) const MIN: Self = Self(0);
    /// Sorts after every other.
    pub(crate) const MAX: Self = Self(u32::MAX);
}

/// Places made at once.
const CHUNK: usize = 64;

/// A table whose places are re-used after removal. It grows by pieces: nothing is moved, and never is
/// half of it room for more.
#[derive(Debug)]
pub(crate) struct Slab<I, T> {
    /// All but the last are full.
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    id: PhantomData<I>,
}

impl<I, T> Default for Slab<I, T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            id: PhantomData,
        }
    }
}

impl<I: Id, T> Slab<I, T> {
    /// Stores a value at a free place.
    pub(crate) fn insert(&mut self, item: T) -> I {
        if let Some(n) = self.free.pop() {
            let id = I::new(n);
            if let Some(place) = self.place(id) {
                *place = Some(item);
            }
            return id;
        }
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => {
                last.push(Some(item));
                Self::id(full + last.len() - 1)
            }
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(Some(item));
                self.chunks.push(chunk);
                Self::id((self.chunks.len() - 1) * CHUNK)
            }
        }
    }

    /// Four billion objects do not fit a process.
    fn id(index: usize) -> I {
        I::new(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn place(&mut self, id: I) -> Option<&mut Option<T>> {
        let chunk = self.chunks.get_mut(id.index() / CHUNK)?;
        chunk.get_mut(id.index() % CHUNK)
    }

    /// The value at a place.
    pub(crate) fn get(&self, id: I) -> Option<&T> {
        let chunk = self.chunks.get(id.index() / CHUNK)?;
        chunk.get(id.index() % CHUNK)?.as_ref()
    }

    /// The value at a place, to change it.
    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.place(id)?.as_mut()
    }

    /// Frees a place.
    pub(crate) fn remove(&mut self, id: I) -> Option<T> {
        let item = self.place(id)?.take()?;
        self.free
            .push(u32::try_from(id.index()).unwrap_or(u32::MAX));
        Some(item)
    }

    /// Every value, in the order of the places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        let places = self.chunks.iter().flatten().enumerate();
        places.filter_map(|(n, item)| Some((Self::id(n), item.as_ref()?)))
    }

    /// Every place in use, as of now.
    pub(crate) fn ids(&self) -> Vec<I> {
        self.iter().map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_re_used_and_keep_their_numbers() {
        let mut slab: Slab<SlotId, usize> = Slab::default();
        let ids: Vec<SlotId> = (0..3 * CHUNK).map(|n| slab.insert(n)).collect();
        assert!(
            ids.iter()
                .enumerate()
                .all(|(n, id)| slab.get(*id) == Some(&n))
        );
        assert_eq!(slab.ids(), ids);
        let middle = ids[CHUNK];
        assert_eq!(
            (slab.remove(middle), slab.remove(middle)),
            (Some(CHUNK), None)
        );
        assert_eq!(
            (slab.get(middle), slab.iter().count()),
            (None, 3 * CHUNK - 1)
        );
        assert_eq!((slab.insert(7), slab.get(middle)), (middle, Some(&7)));
        assert_eq!(slab.insert(8).index(), 3 * CHUNK);
    }
}
