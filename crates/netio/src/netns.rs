// SPDX-License-Identifier: Apache-2.0
//! Entering a network namespace made by `ip netns add`.

use std::{fs::File, io, os::fd::AsRawFd, path::Path};

/// Where iproute2 keeps the names.
const NAMES: &str = "/run/netns";

/// Moves the calling thread, and no other, into the named network namespace. Sockets opened by it from
/// now on belong there; those it has stay where they were. Needs `CAP_SYS_ADMIN`.
///
/// # Errors
/// What the kernel says; `NotFound` where there is no such namespace.
pub fn enter(name: &str) -> io::Result<()> {
    let namespace = File::open(Path::new(NAMES).join(name))?;
    // SAFETY: the descriptor is open for the length of the call; only this thread's network
    // namespace changes, which no memory depends on.
    let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
