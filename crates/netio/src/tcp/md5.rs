// SPDX-License-Identifier: Apache-2.0
//! TCP MD5 signature keys (RFC 2385), tcp(7).

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::fd::AsFd,
};

use ferrolb_types::Secret;
use socket2::SockAddr;

use crate::sockopt;

const TCP_MD5SIG: libc::c_int = 14;
const LONGEST_KEY: usize = 80;

/// `struct tcp_md5sig` of linux/tcp.h, which libc does not have.
#[repr(C)]
#[derive(Clone, Copy)]
struct Key {
    address: libc::sockaddr_storage,
    flags: u8,
    prefix_length: u8,
    key_length: u16,
    ifindex: libc::c_int,
    key: [u8; LONGEST_KEY],
}

// SAFETY: `repr(C)`, every field plain, and without padding: 128 + 1 + 1 + 2 + 4 + 80 bytes.
unsafe impl sockopt::Plain for Key {}
const _: () = assert!(size_of::<Key>() == 216);

/// Sets the key for segments to and from the peer, or removes it.
pub(super) fn set_key(socket: &impl AsFd, peer: IpAddr, key: Option<&Secret>) -> io::Result<()> {
    let bytes = key.map_or(&[][..], Secret::expose);
    let mut storage = SockAddr::from(SocketAddr::new(peer, 0)).as_storage();
    // SAFETY: `sockaddr_storage` is the most general socket address type of this platform.
    let address = *unsafe { storage.view_as::<libc::sockaddr_storage>() };
    let mut option = Key {
        address,
        flags: 0,
        prefix_length: 0,
        key_length: 0,
        ifindex: 0,
        key: [0; LONGEST_KEY],
    };
    let too_long = || {
        let text = format!(
            "it has {} bytes, the kernel takes at most {LONGEST_KEY}",
            bytes.len()
        );
        io::Error::new(io::ErrorKind::InvalidInput, text)
    };
    option
        .key
        .get_mut(..bytes.len())
        .ok_or_else(too_long)?
        .copy_from_slice(bytes);
    option.key_length = u16::try_from(bytes.len()).map_err(|_| too_long())?;
    match sockopt::set(socket, libc::IPPROTO_TCP, TCP_MD5SIG, &option) {
        // There was no key to remove.
        Err(error) if key.is_none() && error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        result => result,
    }
}
