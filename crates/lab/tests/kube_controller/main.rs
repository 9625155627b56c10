// SPDX-License-Identifier: Apache-2.0
//! The controller against a real API server, under the rules we ship: the cases of the behaviour
//! reference as tables, and what can go wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod case;
mod lab;
mod objects;
mod requests;
mod site;
