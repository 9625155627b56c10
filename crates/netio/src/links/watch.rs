// SPDX-License-Identifier: Apache-2.0
//! Reads link and address messages from a netlink socket.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, SockRef, Socket, Type};
use tokio::io::{Interest, unix::AsyncFd};

use super::{
    LinkEvent, Links,
    message::{self, Envelope, Message},
};

/// Room for events while the reader is busy: some hundred changes.
const RECEIVE_BUFFER: usize = 1 << 20;

/// The kernel fills at most 32 KiB in a dump.
const DATAGRAM: usize = 1 << 16;

/// Follows the interfaces of the network namespace in which it was opened.
#[derive(Debug)]
pub struct LinkWatch {
    fd: AsyncFd<OwnedFd>,
    links: Links,
    phase: Phase,
    sequence: u32,
    interrupted: bool,
    receive_buffer: usize,
    buf: Vec<u8>,
}

/// What the kernel is asked for at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Links,
    Addresses,
    Live,
}

impl LinkWatch {
    /// Opens the socket and asks for the complete list. Needs no privilege.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open() -> io::Result<Self> {
        Self::with_receive_buffer(RECEIVE_BUFFER)
    }

    /// As [`Self::open`], with room for so many bytes of unread events. When it overflows the table is read
    /// as a whole again: a small buffer costs work, not correctness.
    ///
    /// # Errors
    /// As there.
    pub fn with_receive_buffer(receive_buffer: usize) -> io::Result<Self> {
        let mut watch = Self {
            fd: open(receive_buffer)?,
            links: Links::default(),
            phase: Phase::Live,
            sequence: 0,
            interrupted: false,
            receive_buffer,
            buf: vec![0; DATAGRAM],
        };
        watch.request_links()?;
        Ok(watch)
    }

    /// The interfaces as far as told by now.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Waits for the next changes. May be dropped while waiting without losing any.
    ///
    /// # Errors
    /// What the kernel says, a loss of events excepted: that is made good by a new dump.
    pub async fn next(&mut self) -> io::Result<Vec<LinkEvent>> {
        loop {
            let events = match self.receive().await {
                Ok(length) => self.read(length)?,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    self.resync()?;
                    Vec::new()
                }
                Err(error) => return Err(error),
            };
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }

    async fn receive(&mut self) -> io::Result<usize> {
        loop {
            let mut guard = self.fd.readable().await?;
            if let Ok(result) = guard.try_io(|fd| receive_from_kernel(fd.get_ref(), &mut self.buf))
            {
                return result;
            }
        }
    }

    fn read(&mut self, length: usize) -> io::Result<Vec<LinkEvent>> {
        let envelopes = message::parse(self.buf.get(..length).unwrap_or_default());
        let mut events = Vec::new();
        for Envelope {
            sequence,
            interrupted,
            message,
        } in envelopes
        {
            let is_reply = sequence == self.sequence && self.phase != Phase::Live;
            self.interrupted |= is_reply && interrupted;
            match message {
                Message::Done if is_reply => events.extend(self.on_done()?),
                Message::Error(code) if is_reply && code != 0 => {
                    return Err(io::Error::from_raw_os_error(code.saturating_neg()));
                }
                message => events.extend(self.links.apply(message)),
            }
        }
        Ok(events)
    }

    fn on_done(&mut self) -> io::Result<Vec<LinkEvent>> {
        match self.phase {
            Phase::Links => self.request(Phase::Addresses, libc::RTM_GETADDR)?,
            Phase::Addresses if self.interrupted => self.request_links()?,
            Phase::Addresses => {
                self.phase = Phase::Live;
                return Ok(self.links.end_dump());
            }
            Phase::Live => {}
        }
        Ok(Vec::new())
    }

    /// Events were lost: the table is read anew, over a new socket, since the old one may still be in
    /// the middle of a dump.
    fn resync(&mut self) -> io::Result<()> {
        tracing::warn!("netlink events were lost; reading all interfaces again");
        self.fd = open(self.receive_buffer)?;
        self.request_links()
    }

    fn request_links(&mut self) -> io::Result<()> {
        self.links.begin_dump();
        self.interrupted = false;
        self.request(Phase::Links, libc::RTM_GETLINK)
    }

    fn request(&mut self, phase: Phase, kind: u16) -> io::Result<()> {
        self.phase = phase;
        // Zero marks events.
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        SockRef::from(&self.fd)
            .send(&message::dump(kind, self.sequence))
            .map(drop)
    }
}

fn open(receive_buffer: usize) -> io::Result<AsyncFd<OwnedFd>> {
    let kind = Type::RAW.nonblocking().cloexec();
    let route = Protocol::from(libc::NETLINK_ROUTE);
    let socket = Socket::new_raw(Domain::from(libc::AF_NETLINK), kind, Some(route))?;
    socket.set_recv_buffer_size(receive_buffer)?;
    let groups = libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR;
    socket.bind(&netlink_address(groups.cast_unsigned())?)?;
    crate::fd::register(socket, Interest::READABLE)
}

fn netlink_address(groups: u32) -> io::Result<SockAddr> {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_nl` is a socket address type of this platform.
    let address = unsafe { storage.view_as::<libc::sockaddr_nl>() };
    address.nl_family = u16::try_from(libc::AF_NETLINK).map_err(io::Error::other)?;
    address.nl_groups = groups;
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_nl>());
    let length = length.map_err(io::Error::other)?;
    // SAFETY: the storage holds a `sockaddr_nl` with its family set, and this is its length.
    Ok(unsafe { SockAddr::new(storage, length) })
}

/// Receives one datagram; one that another process sent counts as empty.
fn receive_from_kernel(fd: &OwnedFd, buf: &mut [u8]) -> io::Result<usize> {
    // SAFETY: all zeroes is a valid `sockaddr_nl`.
    let mut from: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_nl>());
    let mut length = length.map_err(io::Error::other)?;
    // SAFETY: the descriptor is borrowed and so open; the buffer and the address are valid for
    // writes of the lengths given, for the length of the call.
    let received = unsafe {
        libc::recvfrom(
            fd.as_raw_fd(),
            buf.as_mut_ptr().cast(),
            buf.len(),
            0,
            (&raw mut from).cast(),
            &raw mut length,
        )
    };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    Ok(if from.nl_pid == 0 { received } else { 0 })
}
