// SPDX-License-Identifier: Apache-2.0
//! The one place where a descriptor is registered with the runtime.

use std::{io, os::fd::OwnedFd};

use socket2::Socket;
use tokio::io::{Interest, unix::AsyncFd};

/// Registers a non-blocking socket with the present runtime, for the given interest.
pub(crate) fn register(socket: Socket, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    let owned = OwnedFd::from(socket);
    // SAFETY: an `OwnedFd` is open and stays the same descriptor until dropped, the `AsyncFd`
    // owns it, and nothing here replaces it.
    let registered = unsafe { AsyncFd::register_with_interest(owned, interest) };
    registered.map_err(|error| error.into_parts().1)
}
