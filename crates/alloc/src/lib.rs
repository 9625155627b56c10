// SPDX-License-Identifier: Apache-2.0
//! Address pools, allocation, sharing, and the convergence of Services. Deterministic: no clock, no
//! chance, no I/O.
//!
//! - [`Allocator`]: what is free and who holds what;
//! - [`convergence`]: what one Service keeps, loses or gets, and what is said about it;
//! - [`Engine`]: all Services, in the right order, incrementally.

mod addresses;
mod allocator;
mod bits;
pub mod convergence;
mod demand;
mod engine;
mod holders;
mod outcome;
mod refusal;
mod space;
mod steps;
mod stock;
mod tenancy;

pub use addresses::Addresses;
pub use allocator::{Allocator, Claim, Granted, Held, Reload};
pub use demand::Need;
pub use engine::{Engine, Explanation, Kind, Options, Output};
pub use outcome::{Event, EventType, Outcome, Reason, Standing, Wait};
pub use refusal::Refusal;
pub use stock::{Count, Counters};
pub use tenancy::Terms;

#[cfg(test)]
mod tests;
