// SPDX-License-Identifier: Apache-2.0
//! Who is alive, for layer 2.
//!
//! The machine here is a plain heartbeat between nodes that know each other's addresses from their
//! Node objects. It owns no socket and no clock: datagrams and the time go in, datagrams and changes
//! come out. Whatever replaces it keeps the same outward value: the set of nodes that are alive.

mod heartbeat;
mod wire;

pub use heartbeat::{Datagram, Heartbeat, Output, Timing, Unlisted};
pub use wire::{Beat, Kind, LONGEST, WireError, room_for_facts};
