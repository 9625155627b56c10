// SPDX-License-Identifier: Apache-2.0
//! Datagrams of one family, each sent from an address of the caller's choice.
//!
//! The kernel prefers a source by route and scope (RFC 6724), which on a host with several addresses need
//! not be the one the receiver knows it by. So the source goes with each datagram, in a control message
//! (`IP_PKTINFO`, RFC 3542 section 6.1 `IPV6_PKTINFO`): an address that comes later than the socket, or goes
//! and comes back, needs no other socket.
//!
//! Nothing here waits for room to send: one neighbour that does not resolve keeps what was sent to it charged
//! to the socket for seconds, and whoever waited for that would wait with all it has to send to others.

use std::{
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    task::{Context, Poll, ready},
};

use socket2::{Domain, MsgHdr, Protocol, SockRef, Socket, Type};
use tokio::{io::ReadBuf, net::UdpSocket};

/// How much may wait in a socket, in octets; the kernel grants at most `net.core.rmem_max` and
/// `net.core.wmem_max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// To be received.
    pub receive: usize,
    /// To be sent, what waits for the address of a neighbour included.
    pub send: usize,
}

/// A socket for datagrams of one family.
#[derive(Debug)]
pub struct Datagrams {
    socket: UdpSocket,
}

impl Datagrams {
    /// Opens a socket at an address and a port.
    ///
    /// # Errors
    /// What the kernel says; [`is_no_family`] where the host does not have the family.
    pub fn open(at: SocketAddr, buffers: Buffers) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(at),
            Type::DGRAM.nonblocking(),
            Some(Protocol::UDP),
        )?;
        if at.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_recv_buffer_size(buffers.receive)?;
        socket.set_send_buffer_size(buffers.send)?;
        socket.bind(&at.into())?;
        Ok(Self {
            socket: UdpSocket::from_std(socket.into())?,
        })
    }

    /// Where it receives.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The size of the receive buffer, in octets as [`Datagrams::open`] takes them.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn receive_buffer(&self) -> io::Result<usize> {
        // The kernel sets twice what it is asked for, and tells what it set (socket(7)).
        Ok(SockRef::from(&self.socket).recv_buffer_size()? / 2)
    }

    /// Receives a datagram into the buffer; gives its length and who sent it. One that is longer than the
    /// buffer is cut.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, IpAddr)>> {
        let mut buf = ReadBuf::new(buf);
        let source = ready!(self.socket.poll_recv_from(cx, &mut buf))?;
        Poll::Ready(Ok((buf.filled().len(), source.ip())))
    }

    /// Sends a datagram, from the given address or from one the kernel chooses, now or not at all.
    ///
    /// # Errors
    /// What the kernel says; [`may_be_source`] where `from` is no address of this host,
    /// [`io::ErrorKind::WouldBlock`] where there is no room.
    pub fn send(&self, bytes: &[u8], to: SocketAddr, from: Option<IpAddr>) -> io::Result<()> {
        let (to, control) = (to.into(), from.map(source).unwrap_or_default());
        let buffers = [IoSlice::new(bytes)];
        let mut message = MsgHdr::new().with_addr(&to).with_buffers(&buffers);
        if !control.is_empty() {
            message = message.with_control(&control);
        }
        SockRef::from(&self.socket).sendmsg(&message, 0)?;
        Ok(())
    }
}

/// Whether a datagram may have been refused for its source. For IPv4 the kernel says no more than that there
/// is no such way; only another attempt without a source tells whether there is one.
#[must_use]
pub fn may_be_source(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::ENETUNREACH | libc::EADDRNOTAVAIL)
    )
}

/// Whether it was refused for the reason that the host does not have the address family.
#[must_use]
pub fn is_no_family(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)
    )
}

/// The control message that names the source: `cmsghdr`, then `in_pktinfo` or `in6_pktinfo`, with the
/// interface left to the kernel.
fn source(from: IpAddr) -> Vec<u8> {
    let (level, kind, info) = match from {
        IpAddr::V4(from) => {
            // | interface 0 | source | destination, of no meaning here |
            let info = [[0; 4], from.octets(), [0; 4]].concat();
            (libc::IPPROTO_IP, libc::IP_PKTINFO, info)
        }
        IpAddr::V6(from) => {
            // | source | interface 0 |
            let info = [from.octets().as_slice(), &[0; 4]].concat();
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
        }
    };
    let header = size_of::<usize>() + 2 * size_of::<libc::c_int>();
    let mut bytes = (header + info.len()).to_ne_bytes().to_vec();
    bytes.extend(level.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(info);
    bytes.resize(bytes.len().next_multiple_of(size_of::<usize>()), 0);
    bytes
}
