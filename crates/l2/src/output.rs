// SPDX-License-Identifier: Apache-2.0
//! What the responder wants done.

use std::net::Ipv6Addr;

use crate::{Event, wire::Frame};

/// One thing to do, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send an ARP frame.
    SendArp {
        /// Where.
        ifindex: u32,
        /// What.
        frame: Frame,
    },
    /// Send a neighbour advertisement.
    SendNdp {
        /// Where.
        ifindex: u32,
        /// What.
        frame: Frame,
    },
    /// Become a member of a multicast group. Each group is joined once per interface.
    JoinGroup {
        /// Where.
        ifindex: u32,
        /// The group.
        group: Ipv6Addr,
    },
    /// Leave a group that was joined; the interface may be gone already.
    LeaveGroup {
        /// Where.
        ifindex: u32,
        /// The group.
        group: Ipv6Addr,
    },
    /// Tell the operator.
    Event(Event),
}
