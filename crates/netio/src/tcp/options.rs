// SPDX-License-Identifier: Apache-2.0
//! Options that connections and listeners share.

use std::{io, net::IpAddr};

use socket2::{Domain, Protocol, Socket, Type};

use super::TcpError;
use crate::sockopt;

/// Precedence "internetwork control" (RFC 791), customary for routing protocols.
const CONTROL: u32 = 0xc0;

/// A non-blocking socket for the family of the address, bound to the device if one is named.
pub(super) fn socket(address: IpAddr, device: Option<&str>) -> Result<Socket, TcpError> {
    let domain = if address.is_ipv4() {
        Domain::IPV4
    } else {
        Domain::IPV6
    };
    let kind = Type::STREAM.nonblocking();
    let socket = Socket::new(domain, kind, Some(Protocol::TCP)).map_err(TcpError::Socket)?;
    socket.set_tcp_nodelay(true).map_err(TcpError::Socket)?;
    set_precedence(&socket, address);
    if let Some(device) = device {
        let bound = socket.bind_device(Some(device.as_bytes()));
        bound.map_err(|source| TcpError::Device {
            device: device.to_owned(),
            source,
        })?;
    }
    Ok(socket)
}

/// A courtesy to the network: without it the session works as well.
fn set_precedence(socket: &Socket, address: IpAddr) {
    let result = match address {
        IpAddr::V4(_) => socket.set_tos_v4(CONTROL),
        IpAddr::V6(_) => socket.set_tclass_v6(CONTROL),
    };
    if let Err(error) = result {
        tracing::debug!(%error, "no precedence for the session");
    }
}

/// Sets the time to live (or hop limit) of what is sent, and the least that is taken (RFC 5082).
pub(super) fn set_ttl(
    socket: &Socket,
    address: IpAddr,
    sent: Option<u8>,
    least: Option<u8>,
) -> Result<(), TcpError> {
    let set = || -> io::Result<()> {
        match (address, sent) {
            (_, None) => {}
            (IpAddr::V4(_), Some(ttl)) => socket.set_ttl_v4(ttl.into())?,
            (IpAddr::V6(_), Some(hops)) => socket.set_unicast_hops_v6(hops.into())?,
        }
        let Some(least) = least else { return Ok(()) };
        let (level, option) = match address {
            IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_MINTTL),
            IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT),
        };
        sockopt::set(socket, level, option, &libc::c_int::from(least))
    };
    set().map_err(TcpError::Ttl)
}
