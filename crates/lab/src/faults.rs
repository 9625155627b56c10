// SPDX-License-Identifier: Apache-2.0
//! Faults of processes and links, each with its undoing.

use std::time::Duration;

use anyhow::Result;

use crate::{
    link::{self, End},
    process::Process,
    wait,
};

/// How long a carrier may take to come back.
const CARRIER: Duration = Duration::from_secs(5);

/// Ends a process without a chance to say goodbye (SIGKILL).
///
/// # Errors
/// The system cannot wait for it.
pub fn kill(process: &Process) -> Result<()> {
    process.kill()
}

/// Stops a process in its tracks; its sockets stay open (SIGSTOP).
///
/// # Errors
/// The process is gone.
pub fn freeze(process: &Process) -> Result<()> {
    process.signal("STOP")
}

/// Lets a frozen process go on (SIGCONT).
///
/// # Errors
/// The process is gone.
pub fn thaw(process: &Process) -> Result<()> {
    process.signal("CONT")
}

/// Pulls a cable: both ends lose their carrier.
///
/// # Errors
/// No such interface.
pub fn unplug(end: End<'_>) -> Result<()> {
    link::set_down(end)
}

/// Puts a cable back, and returns once the kernel has noticed: it looks at carriers once a second.
///
/// # Errors
/// No such interface, or the other end is off.
pub fn plug(end: End<'_>) -> Result<()> {
    link::set_up(end)?;
    wait::until("the carrier is back", CARRIER, || link::is_up(end)).map(drop)
}

/// Makes a switch port drop every frame in both directions while both ends keep their carrier: the
/// fault nobody is told of.
///
/// # Errors
/// The interface is no port of a bridge.
pub fn mute(port: End<'_>) -> Result<()> {
    port_state(port, "0")
}

/// Ends [`mute`].
///
/// # Errors
/// The interface is no port of a bridge.
pub fn unmute(port: End<'_>) -> Result<()> {
    port_state(port, "3")
}

/// Bridge port states as in bridge(8): 0 is disabled, 3 is forwarding.
fn port_state(port: End<'_>, state: &str) -> Result<()> {
    let arguments = ["link", "set", "dev", port.interface, "state", state];
    port.namespace.exec("bridge", &arguments).map(drop)
}
