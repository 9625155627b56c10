// SPDX-License-Identifier: Apache-2.0
//! Who sends beats from an address that is none of its node's.

use std::{collections::BTreeSet, net::IpAddr};

use ferrolb_types::NodeName;

/// Senders that are kept in mind. Anybody can make up more of them, so beyond that none is named.
const MOST: usize = 64;

/// The senders that were named already.
#[derive(Debug, Default)]
pub(super) struct Strangers(BTreeSet<(NodeName, IpAddr)>);

impl Strangers {
    /// Whether the sender is to be named: it was not before, and there is room to keep it in mind.
    pub(super) fn is_news(&mut self, node: &NodeName, source: IpAddr) -> bool {
        let sender = (node.clone(), source);
        if self.0.contains(&sender) || self.0.len() >= MOST {
            return false;
        }
        self.0.insert(sender)
    }

    /// Forgets those that are strangers no more: they are named again should they become it again.
    pub(super) fn retain(&mut self, is_stranger: impl Fn(&NodeName, IpAddr) -> bool) {
        self.0.retain(|(node, source)| is_stranger(node, *source));
    }
}
