// SPDX-License-Identifier: Apache-2.0
//! Drivers: each joins one core to sockets, files or the clock, and decides nothing.

pub mod bgp;
pub mod heartbeat;
pub mod layer2;
