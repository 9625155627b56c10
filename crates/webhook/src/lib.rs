// SPDX-License-Identifier: Apache-2.0
//! The webhooks of the group `metallb.io`, as plain functions: bytes in, bytes out.
//!
//! [`admission`] judges objects about to be written, [`conversion`] turns a BGPPeer from one version into
//! the other, [`certificates`] issues and checks what the webhooks are served with. No sockets, no client of
//! the API server, no clock: whoever serves hands in the body, the objects of the cluster and the time.

pub mod admission;
pub mod certificates;
pub mod conversion;
mod refusal;
#[cfg(test)]
mod tests;

pub use refusal::Refusal;
