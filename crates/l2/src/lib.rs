// SPDX-License-Identifier: Apache-2.0
//! Layer 2: answers ARP and NDP for the addresses this node owns, and makes its ownership known.
//!
//! [`wire`] reads and writes the frames; [`Responder`] is the machine. Neither has a socket, a clock
//! or a task: frames, interface changes and the time go in, frames, group memberships and events
//! come out. The calling discipline:
//!
//! 1. feed one [`Input`] to [`Responder::handle`], with the present time;
//! 2. drain [`Responder::poll`] until it gives `None`, and do what each [`Output`] says;
//! 3. wait for the next input, but no longer than [`Responder::deadline`], then feed
//!    [`Input::Timeout`].
//!
//! Standards: RFC 826 (ARP), RFC 5227 (IPv4 address conflict detection), RFC 4861 and RFC 4862
//! (neighbour discovery, duplicate address detection).

mod config;
mod conflict;
mod event;
mod groups;
mod interface;
mod output;
mod responder;
mod schedule;
pub mod wire;

pub use config::Config;
pub use event::{Event, Input};
pub use interface::{Interface, Scope};
pub use output::Output;
pub use responder::{Counters, Responder};
pub use wire::MacAddress;
