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

/// A table whose places are re-used after removal.
#[derive(Debug)]
pub(crate) struct Slab<I, T> {
    items: Vec<Option<T>>,
    free: Vec<u32>,
    id: PhantomData<I>,
}

impl<I, T> Default for Slab<I, T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
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
            if let Some(place) = self.items.get_mut(id.index()) {
                *place = Some(item);
            }
            return id;
        }
        // Four billion objects do not fit a process; the last place is then re-used.
        let n = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(Some(item));
        I::new(n)
    }

    /// The value at a place.
    pub(crate) fn get(&self, id: I) -> Option<&T> {
        self.items.get(id.index())?.as_ref()
    }

    /// The value at a place, to change it.
    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.items.get_mut(id.index())?.as_mut()
    }

    /// Frees a place.
    pub(crate) fn remove(&mut self, id: I) -> Option<T> {
        let item = self.items.get_mut(id.index())?.take()?;
        self.free
            .push(u32::try_from(id.index()).unwrap_or(u32::MAX));
        Some(item)
    }

    /// Every value, in the order of the places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.items
            .iter()
            .enumerate()
            .filter_map(|(n, item)| Some((I::new(u32::try_from(n).ok()?), item.as_ref()?)))
    }

    /// Every place in use, as of now.
    pub(crate) fn ids(&self) -> Vec<I> {
        self.iter().map(|(id, _)| id).collect()
    }
}
