// SPDX-License-Identifier: Apache-2.0
//! Which solicited-node groups are needed on which interface.
//!
//! Several addresses can share a group, so memberships are counted; joins and leaves come out only
//! where a count leaves or reaches zero.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    net::Ipv6Addr,
};

/// The members per interface and group.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    members: BTreeMap<(u32, Ipv6Addr), usize>,
}

impl Groups {
    /// One address more needs the group; true where it must be joined.
    pub(crate) fn add(&mut self, ifindex: u32, group: Ipv6Addr) -> bool {
        let count = self.members.entry((ifindex, group)).or_insert(0);
        *count = count.saturating_add(1);
        *count == 1
    }

    /// One address less needs the group; true where it must be left.
    pub(crate) fn remove(&mut self, ifindex: u32, group: Ipv6Addr) -> bool {
        let Entry::Occupied(mut entry) = self.members.entry((ifindex, group)) else {
            return false;
        };
        *entry.get_mut() = entry.get().saturating_sub(1);
        let is_last = *entry.get() == 0;
        if is_last {
            entry.remove();
        }
        is_last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_group_is_joined_and_left_once_per_interface() {
        let (mut groups, group) = (Groups::default(), "ff02::1:ff00:1".parse().unwrap());
        assert_eq!(
            [
                groups.add(1, group),
                groups.add(1, group),
                groups.add(2, group)
            ],
            [true, false, true]
        );
        assert_eq!(
            [groups.remove(1, group), groups.remove(1, group)],
            [false, true]
        );
        assert!(
            !groups.remove(1, group),
            "nothing is left that was not joined"
        );
        assert!(groups.remove(2, group));
    }
}
