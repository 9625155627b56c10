// SPDX-License-Identifier: Apache-2.0
//! What is done to a connection that stands.

use std::{io, net::Shutdown, net::SocketAddr};

use socket2::SockRef;
use tokio::net::TcpStream;

/// Sets the time to live (or hop limit) of what is sent from now on.
///
/// # Errors
/// What the kernel says.
pub fn set_ttl(stream: &TcpStream, ttl: u8) -> io::Result<()> {
    let socket = SockRef::from(stream);
    match stream.local_addr()? {
        SocketAddr::V4(_) => socket.set_ttl_v4(ttl.into()),
        SocketAddr::V6(_) => socket.set_unicast_hops_v6(ttl.into()),
    }
}

/// Ends what we send; what was written before is still delivered.
///
/// # Errors
/// What the kernel says, above all that the connection is gone already.
pub fn shut_down_writing(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).shutdown(Shutdown::Write)
}
