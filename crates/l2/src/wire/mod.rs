// SPDX-License-Identifier: Apache-2.0
//! The frames of layer 2: Ethernet, ARP, and the two neighbour discovery messages that matter here.
//!
//! Each format is a value with `parse` and `emit`; the bit diagram stands above it. Received bytes are
//! read through a cursor that refuses to run past the end, so that no input can make this
//! module panic. What it never does: decide whether a frame deserves an answer.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod arp;
pub mod ethernet;
mod frame;
pub mod ipv6;
mod mac;
pub mod ndp;
mod reader;

pub use frame::Frame;
pub use mac::MacAddress;

/// Why received bytes are not what they claim to be. Such a frame is dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end inside a field.
    #[error("the frame ends inside a field")]
    Truncated,
    /// A type or length field names another protocol than expected.
    #[error("the frame is of another protocol")]
    Protocol,
    /// The checksum does not match.
    #[error("the checksum does not match")]
    Checksum,
    /// The hop limit is below 255: the packet came through a router (RFC 4861 7.1).
    #[error("the hop limit is not 255")]
    HopLimit,
    /// A field holds a value that the protocol forbids.
    #[error("a field holds a forbidden value")]
    Forbidden,
}
