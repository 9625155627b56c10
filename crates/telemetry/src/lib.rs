// SPDX-License-Identifier: Apache-2.0
//! Metrics, their text form, and the log.
//!
//! Names, labels and types are those of MetalLB's controller and speaker (for BGP and BFD those of its
//! `frr` mode), so that dashboards and alerts go on drawing; what is our own begins with `ferrolb_`.
//! Nothing here opens a socket or decides anything.
//!
//! | module | what it owns |
//! |---|---|
//! | [`text`] | the text format 0.0.4 |
//! | [`metrics`] | every metric of a process, and how it is told |
//! | [`log`] | the one subscriber of the process |
//!
//! Why the text is written here and not by a library: the libraries in good care write OpenMetrics,
//! which puts `_total` behind the name of each counter, and a dozen of MetalLB's counters have none.

pub mod log;
pub mod metrics;
pub mod text;

pub use metrics::Metrics;
