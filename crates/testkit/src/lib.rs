// SPDX-License-Identifier: Apache-2.0
//! What simulations of the protocol machines share: a virtual clock, a seeded source of chance and
//! links with latency and faults.
//!
//! Nothing here knows a protocol. Everything is a function of its seed: a failing simulation is
//! repeated by repeating its seed, so tests print it.

mod chance;
mod clock;
mod datagrams;
mod stream;

pub use chance::Chance;
pub use clock::Clock;
pub use datagrams::Datagrams;
pub use stream::Stream;
