// SPDX-License-Identifier: Apache-2.0
//! The interfaces an address is announced on.

use std::{collections::BTreeSet, sync::Arc};

use ferrolb_config::compiled::L2Advertisement;

/// Interfaces to answer on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Interfaces {
    /// Every eligible one.
    All,
    /// Those of these names; never empty.
    Named(Arc<BTreeSet<String>>),
}

impl Interfaces {
    /// The union over advertisements; one that names none stands for all.
    pub(crate) fn union<'a>(ads: impl Iterator<Item = &'a Arc<L2Advertisement>>) -> Self {
        let mut names = BTreeSet::new();
        for ad in ads {
            if ad.interfaces.is_empty() {
                return Self::All;
            }
            names.extend(ad.interfaces.iter().cloned());
        }
        Self::Named(Arc::new(names))
    }

    /// Both together.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Named(a), Self::Named(b)) if a == b => self.clone(),
            (Self::Named(a), Self::Named(b)) => {
                Self::Named(Arc::new(a.union(b).cloned().collect()))
            }
            _ => Self::All,
        }
    }
}

impl std::fmt::Display for Interfaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all interfaces"),
            Self::Named(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}
