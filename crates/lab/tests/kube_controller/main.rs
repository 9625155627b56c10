// SPDX-License-Identifier: Apache-2.0
//! The controller against a real API server, under the rules we ship: the cases of the behaviour
//! reference as tables, and what can go wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod broken;
mod case;
mod changes;
mod kills;
mod lab;
mod leaders;
mod leaving;
mod many;
mod metallb;
mod objects;
mod outages;
mod pools;
mod races;
mod requests;
mod scenes;
mod sharing;
mod site;
mod statuses;
