// SPDX-License-Identifier: Apache-2.0
//! What a running process says of itself: the report, its tables, and the socket it is asked on.

mod render;
pub mod report;
pub mod socket;
pub(crate) mod table;

pub use render::render;
pub(crate) use render::{claimed, duration};
pub use report::Report;
