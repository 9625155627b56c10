// SPDX-License-Identifier: Apache-2.0
//! The interfaces of the host and their addresses, followed through rtnetlink events.
//!
//! [`Link`] says what the kernel says of one interface; [`Links`] is the table, kept right by applying
//! messages to it; [`LinkWatch`] reads the messages: first a complete dump, then changes, and a
//! dump again whenever the kernel had to drop some. Which interfaces are used is for the
//! caller to say.
//!
//! The messages are read here and not by a general netlink crate: of the hundred attributes of an
//! interface three are needed, and a new kind of attribute must not make an interface unreadable.

mod link;
mod message;
mod next_hop;
mod table;
mod watch;

pub use link::{Link, LinkAddress};
pub use next_hop::{NextHops, next_hops, next_hops_after};
pub use table::{LinkEvent, Links};
pub use watch::LinkWatch;
