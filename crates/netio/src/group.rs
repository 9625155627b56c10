// SPDX-License-Identifier: Apache-2.0
//! IPv6 multicast memberships, with the listener reports (RFC 3810) that snooping switches need.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    net::Ipv6Addr,
};

use socket2::{Domain, Protocol, Socket, Type};

/// The memberships of this process. Dropping it leaves all groups.
///
/// The kernel bounds the memory that one socket's memberships take (`net.core.optmem_max`, some
/// hundreds to thousands of groups), so that a further socket is opened where one is full.
#[derive(Debug, Default)]
pub struct Memberships {
    sockets: Vec<Socket>,
    joined: BTreeMap<(u32, Ipv6Addr), usize>,
}

impl Memberships {
    /// Member of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Joins a group on an interface; joining again changes nothing.
    ///
    /// # Errors
    /// What the kernel says: `ENODEV` where there is no such interface.
    pub fn join(&mut self, ifindex: u32, group: Ipv6Addr) -> io::Result<()> {
        let Entry::Vacant(entry) = self.joined.entry((ifindex, group)) else {
            return Ok(());
        };
        let last = self.sockets.len().saturating_sub(1);
        match self
            .sockets
            .last()
            .map(|socket| socket.join_multicast_v6(&group, ifindex))
        {
            Some(Ok(())) => {
                entry.insert(last);
                return Ok(());
            }
            Some(Err(error)) if !is_full(&error) => return Err(error),
            Some(Err(_)) | None => {}
        }
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
        socket.join_multicast_v6(&group, ifindex)?;
        entry.insert(self.sockets.len());
        self.sockets.push(socket);
        Ok(())
    }

    /// Leaves a group; one that was not joined, or whose interface is gone, is no error.
    pub fn leave(&mut self, ifindex: u32, group: Ipv6Addr) {
        let Some(at) = self.joined.remove(&(ifindex, group)) else {
            return;
        };
        let result = self
            .sockets
            .get(at)
            .map(|socket| socket.leave_multicast_v6(&group, ifindex));
        if let Some(Err(error)) = result {
            tracing::debug!(ifindex, %group, %error, "group not left: the interface is gone");
        }
    }

    /// How many groups are joined, counted per interface.
    #[must_use]
    pub fn len(&self) -> usize {
        self.joined.len()
    }

    /// Whether no group is joined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }
}

/// Whether this socket can take no more memberships.
fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::ENOMEM))
}
