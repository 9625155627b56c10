// SPDX-License-Identifier: Apache-2.0
//! The speaker on a real API server, with real routers and clients as judges: what it announces of the
//! API's objects, what it tells there, and what faults of the API server change, which is nothing.
//!
//! Speakers run in the namespaces of their nodes under the rules of `deploy/`, once under MetalLB's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "values made where they are handed over"
)]

#[path = "../common/mod.rs"]
mod common;

mod bgp;
mod configuration;
mod confined;
mod faults;
mod lab;
mod layer2;
mod metallb;
mod objects;
mod rivals;
mod seen;
mod speaker;
mod spokesman;
mod standby;
mod statuses;
mod together;
