// SPDX-License-Identifier: Apache-2.0
//! The reason codes: stable names for everything FerroLB refuses, warns of, or decides against.
//!
//! A code is `FLB-` with a letter for the area and three digits. In the areas `P`, `C`, `B`, `A` and
//! `S` the digits are the number of the rule in the behaviour reference (P5 is `FLB-P005`), so that
//! code, tests and reference can be searched by one word. A code is never re-used for another meaning.

use std::fmt;

/// A reason code and what it stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    id: &'static str,
    title: &'static str,
}

impl Code {
    /// The code as text: `FLB-P005`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.id
    }

    /// What it stands for, in one short clause.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.title
    }

    /// Finds a code by its text, upper or lower case.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        all().find(|code| code.id.eq_ignore_ascii_case(id))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

/// Declares the codes of one area: a constant each, and `ALL`.
macro_rules! codes {
    ($($name:ident $title:literal)*) => {
        $(
            #[doc = $title]
            pub const $name: super::Code =
                super::Code { id: concat!("FLB-", stringify!($name)), title: $title };
        )*
        /// Every code of this area, in order.
        pub const ALL: &[super::Code] = &[$($name),*];
    };
}

pub mod advertisement;
pub mod allocation;
pub mod announce;
pub mod command;
pub mod community;
pub mod file;
pub mod peer;
pub mod pool;
pub mod schema;
pub mod selector;
pub mod session;
pub mod state;
pub mod webhook;

/// Every code there is, area by area.
pub fn all() -> impl Iterator<Item = Code> {
    [
        file::ALL,
        schema::ALL,
        pool::ALL,
        community::ALL,
        peer::ALL,
        advertisement::ALL,
        selector::ALL,
        allocation::ALL,
        announce::ALL,
        session::ALL,
        state::ALL,
        webhook::ALL,
        command::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique() {
        let mut ids: Vec<_> = all().map(Code::id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
