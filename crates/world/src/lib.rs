// SPDX-License-Identifier: Apache-2.0
//! The index of everything known, and who announces what to whom, and why.
//!
//! [`World`] takes objects in, one kind at a time, and gives changes out: addresses to answer for in
//! layer 2, routes for BGP, peers to speak with. Decisions for the own node are kept and brought up to
//! date by what changed alone; [`World::decide`] and [`World::explain`] compute those of any node with
//! the same functions. No I/O, no clock, no randomness: the same objects give the same decisions,
//! whatever the order they came in.
//!
//! Calling it: apply what came in, then take everything [`World::poll`] gives before waiting again.

mod answers;
mod bgp;
mod candidates;
mod change;
mod classes;
mod decision;
mod election;
mod explain;
mod facts;
mod holders;
mod inputs;
mod install;
mod interfaces;
mod layer2;
mod nodes;
mod overruled;
mod reason;
mod record;
mod refresh;
mod render;
mod routes;
mod sentence;
mod services;
mod slab;
#[cfg(test)]
mod tests;
mod world;

pub use bgp::carries;
pub use change::Change;
pub use decision::{
    Announced, BgpAnnouncement, Decision, L2Announcement, Owner, RouteOffer, Rule, Verdict,
};
pub use explain::{
    AddressLine, CandidateLine, ElectionLine, Explanation, NodeLine, PeerLine, Refusal,
};
pub use facts::{Liveness, NodeFacts, pool_mark};
pub use inputs::Options;
pub use interfaces::Interfaces;
pub use reason::{Protocol, Reason};
pub use world::{Kind, World};
