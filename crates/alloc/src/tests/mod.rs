// SPDX-License-Identifier: Apache-2.0
//! Tests of the crate as a whole: the numbered cases of the behaviour reference, arbitrary histories,
//! and what operations cost.

mod build;
mod cases;
mod cases_changes;
mod cases_pools;
mod cost;
mod histories;
mod rivals;
mod spaces;
mod tables;
mod unseen;
