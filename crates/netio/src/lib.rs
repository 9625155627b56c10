// SPDX-License-Identifier: Apache-2.0
//! Sockets and netlink: everything FerroLB asks of the kernel, and all of its unsafe code.
//!
//! | module | what it gives |
//! |---|---|
//! | [`packet`] | ARP and neighbour discovery frames of one interface, filtered in the kernel |
//! | [`group`] | IPv6 multicast memberships |
//! | [`links`] | interfaces and their addresses, followed through netlink events |
//! | [`tcp`] | connections and listeners for BGP: MD5 keys, TTL, source address, device |
//! | [`udp`] | datagrams, each from an address of the caller's choice |
//! | [`netns`] | entering a network namespace |
//! | [`memory`] | what is freed, given back |
//!
//! It takes and gives types of its own, so that the crates under it can change. It decides nothing:
//! who is answered, which interface qualifies and whom to connect to is said by the callers.
//! Everything asynchronous must be made inside a tokio runtime. Linux only.

mod fd;
mod filter;
pub mod group;
pub mod links;
pub mod memory;
pub mod netns;
pub mod packet;
mod sockopt;
pub mod tcp;
pub mod udp;
