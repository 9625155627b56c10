// SPDX-License-Identifier: Apache-2.0
//! The frames of one protocol on one interface, through a packet socket.
//!
//! Neighbour discovery goes through a packet socket too, not through raw ICMPv6: a solicitation sent to
//! the service address itself (a neighbour's reachability check) reaches a raw socket only if the
//! address is bound on the host, whereas here it is seen always. The groups must be joined
//! apart, see [`crate::group`].

use std::{
    io,
    os::fd::OwnedFd,
    task::{Context, Poll, ready},
};

use socket2::{Domain, Protocol as Number, SockAddr, SockAddrStorage, SockRef, Socket, Type};
use tokio::io::{Interest, unix::AsyncFd};

use crate::filter;

/// What a [`PacketSocket`] receives and sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// ARP requests and replies.
    Arp,
    /// Neighbour solicitations and advertisements with hop limit 255.
    Ndp,
}

impl Protocol {
    fn ethertype(self) -> u16 {
        let number = match self {
            Self::Arp => libc::ETH_P_ARP,
            Self::Ndp => libc::ETH_P_IPV6,
        };
        u16::try_from(number).unwrap_or_default()
    }

    fn filter(self) -> &'static [socket2::SockFilter] {
        match self {
            Self::Arp => filter::ARP,
            Self::Ndp => filter::NDP,
        }
    }
}

/// Sends and receives whole Ethernet frames, from the Ethernet header on.
#[derive(Debug)]
pub struct PacketSocket {
    fd: AsyncFd<OwnedFd>,
}

impl PacketSocket {
    /// Opens a socket on the interface. Needs `CAP_NET_RAW`.
    ///
    /// # Errors
    /// What the kernel says; `ENODEV` where there is no such interface.
    pub fn open(ifindex: u32, protocol: Protocol) -> io::Result<Self> {
        // Protocol 0 receives nothing: no frame slips in before the filter is in place.
        let socket = Socket::new(
            Domain::PACKET,
            Type::RAW.nonblocking(),
            Some(Number::from(0)),
        )?;
        socket.attach_filter(protocol.filter())?;
        socket.bind(&link_address(ifindex, protocol.ethertype())?)?;
        Ok(Self {
            fd: crate::fd::register(socket, Interest::READABLE)?,
        })
    }

    /// Receives one frame into the buffer; gives its length. A frame longer than the buffer is cut.
    ///
    /// # Errors
    /// What the kernel says. That the interface went down is none: netlink tells it.
    pub fn poll_receive(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.fd.poll_read_ready(cx))?;
            let read = |fd: &AsyncFd<OwnedFd>| io::Read::read(&mut &*SockRef::from(fd), buf);
            match guard.try_io(read) {
                // Noted while the interface was down, told once.
                Ok(Err(error)) if is_down(&error) => {}
                Ok(result) => return Poll::Ready(result),
                Err(_would_block) => {}
            }
        }
    }

    /// Receives one frame, as [`Self::poll_receive`].
    ///
    /// # Errors
    /// As there.
    pub async fn receive(&self, buf: &mut [u8]) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_receive(cx, buf)).await
    }

    /// Sends one frame. It never waits: where the interface's queue is full the frame is lost, as it
    /// could be on the wire.
    ///
    /// # Errors
    /// What the kernel says: `ENETDOWN`, `ENXIO` where the interface is gone, `ENOBUFS` or
    /// `WouldBlock` where the queue is full.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        let socket = SockRef::from(&self.fd);
        match socket.send(frame) {
            // It may have been noted earlier, and the interface be up again.
            Err(error) if is_down(&error) => socket.send(frame).map(drop),
            result => result.map(drop),
        }
    }
}

fn is_down(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENETDOWN)
}

/// The link-layer socket address of an interface and EtherType.
fn link_address(ifindex: u32, ethertype: u16) -> io::Result<SockAddr> {
    let ifindex = i32::try_from(ifindex).map_err(io::Error::other)?;
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is a socket address type of this platform.
    let link = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    link.sll_family = u16::try_from(libc::AF_PACKET).map_err(io::Error::other)?;
    link.sll_protocol = ethertype.to_be();
    link.sll_ifindex = ifindex;
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>());
    let length = length.map_err(io::Error::other)?;
    // SAFETY: the storage holds a `sockaddr_ll` with its family set, and this is its length.
    Ok(unsafe { SockAddr::new(storage, length) })
}
