// SPDX-License-Identifier: Apache-2.0
//! Socket options that neither the standard library nor socket2 knows.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
};

/// A value the kernel takes as plain bytes.
///
/// # Safety
/// The type must be `repr(C)` or a primitive, without padding that is uninitialised.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: a primitive.
unsafe impl Plain for libc::c_int {}

/// Sets a socket option.
pub(crate) fn set<T: Plain>(
    socket: &impl AsFd,
    level: libc::c_int,
    option: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the descriptor is borrowed and so open; the pointer and the length describe `value`,
    // which is plain bytes (`Plain`) and only read during the call.
    let result =
        unsafe { libc::setsockopt(fd, level, option, std::ptr::from_ref(value).cast(), length) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
