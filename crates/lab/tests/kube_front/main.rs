// SPDX-License-Identifier: Apache-2.0
//! What the roles show to the outside, on a real API server: webhooks that it calls over TLS, metrics and
//! health for those who may, and the commands that look at a cluster.
//!
//! Each test has a network of its own: the API server on a host, the processes on others. They log in
//! with the rules we ship, never as the administrator.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "objects are made where they are handed over"
)]

mod canary;
mod certificates;
mod confined;
mod conversion;
mod extras;
mod hostile;
mod inherited;
mod kinds;
mod looking;
mod modes;
mod older;
mod plugin;
mod scraping;
mod series;
mod stand;
mod tls;
mod verdicts;
mod webhooks;

use std::time::Duration;

/// The namespace of the `metallb.io` objects.
pub const OURS: &str = "metallb-system";

/// How long anything may take here.
pub const SOON: Duration = Duration::from_secs(20);
