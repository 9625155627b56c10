// SPDX-License-Identifier: Apache-2.0
//! What the responder is told, and what it reports.

use std::net::IpAddr;

use crate::{Interface, MacAddress, Scope};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A frame came in, from the Ethernet header on. Frames sent by this host must not be fed.
    Frame {
        /// Where it came in.
        ifindex: u32,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// An interface appeared, or something about it changed.
    Interface(Interface),
    /// An interface is gone.
    InterfaceGone {
        /// Which one.
        ifindex: u32,
    },
    /// From now on this node owns the address. Said again with another scope, it moves the address
    /// to those interfaces; said again with the same scope, it changes nothing.
    Announce {
        /// The address.
        address: IpAddr,
        /// Where it may be announced.
        scope: Scope,
    },
    /// This node no longer owns the address: it falls silent about it at once.
    Withdraw {
        /// The address.
        address: IpAddr,
    },
    /// The deadline has passed.
    Timeout,
}

/// Something worth telling the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another station says that an owned address is its own. Told at most once per
    /// [`crate::Config::defend_interval`] for each address and interface.
    Conflict {
        /// The address both claim.
        address: IpAddr,
        /// Where the claim was seen.
        ifindex: u32,
        /// Who claims it.
        mac: MacAddress,
        /// How many claims were seen since the last report, this one included.
        claims: u64,
    },
}
