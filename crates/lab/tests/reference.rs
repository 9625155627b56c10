// SPDX-License-Identifier: Apache-2.0
//! The reference sender delivers, and what it used is read.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use common::{SOON, able};
use ferrolb_lab::{Run, reference::Bench};

#[test]
fn bird_sends_every_route_and_its_use_is_read() {
    if !able(&[]) {
        return;
    }
    let run = Run::new().unwrap();
    let bench = Bench::new(&run).unwrap();
    let transfer = bench.bird_sends(5_000, SOON).unwrap();
    assert!(transfer.sender.cpu > Duration::ZERO);
    assert!(transfer.sender.cpu >= transfer.before_session);
    assert!(transfer.sender.peak_kib >= transfer.sender.resident_kib);
    // The sender is gone, and its routes with it.
    bench.received(0, SOON).unwrap();
}
