// SPDX-License-Identifier: Apache-2.0
//! The sockets of the interfaces, and the memberships in multicast groups.
//!
//! What the kernel refuses is kept in mind and tried again, never in a tight loop, and told once.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::Ipv6Addr,
    ops::Bound,
    task::{Context, Poll},
};

use ferrolb_netio::{
    group::Memberships,
    packet::{PacketSocket, Protocol},
};

use super::said::Said;

/// A socket, by what it is for.
pub(super) type Port = (u32, Protocol);

/// The open sockets and joined groups.
#[derive(Debug, Default)]
pub(super) struct Ports {
    sockets: BTreeMap<Port, PacketSocket>,
    faults: BTreeMap<Port, String>,
    memberships: Memberships,
    not_joined: BTreeSet<(u32, Ipv6Addr)>,
    said_of_sockets: Said<Port>,
    said_of_groups: Said<(u32, Ipv6Addr)>,
    /// The socket served last: the next search begins behind it, so that none starves.
    served: Option<Port>,
}

impl Ports {
    /// Opens or closes a socket as wanted; says whether it is open now.
    pub(super) fn set(&mut self, port: Port, wanted: bool) -> bool {
        if !wanted {
            self.sockets.remove(&port);
            self.faults.remove(&port);
            self.said_of_sockets.is_over(&port);
            return false;
        }
        if self.sockets.contains_key(&port) {
            return true;
        }
        match PacketSocket::open(port.0, port.1) {
            Ok(socket) => {
                self.sockets.insert(port, socket);
                self.faults.remove(&port);
                if self.said_of_sockets.is_over(&port) {
                    tracing::info!(ifindex = port.0, protocol = ?port.1, "socket opened at last");
                }
                true
            }
            Err(error) => {
                if self.said_of_sockets.is_news(port, &error) {
                    tracing::warn!(ifindex = port.0, protocol = ?port.1, %error, "socket not opened; trying again");
                }
                self.faults.insert(port, error.to_string());
                false
            }
        }
    }

    /// What the kernel said against the sockets of an interface.
    pub(super) fn fault(&self, ifindex: u32) -> Option<String> {
        let range = (ifindex, Protocol::Arp)..=(ifindex, Protocol::Ndp);
        self.faults
            .range(range)
            .next()
            .map(|(_, fault)| fault.clone())
    }

    /// The interfaces with a socket that failed or could not be opened.
    pub(super) fn faulty(&self) -> BTreeSet<u32> {
        self.faults.keys().map(|(ifindex, _)| *ifindex).collect()
    }

    /// Whether something is to be tried again.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.faults.is_empty() || !self.not_joined.is_empty()
    }

    /// Receives the next frame on any socket. A socket that fails is closed and counts as a fault.
    pub(super) async fn receive(&mut self, buf: &mut [u8]) -> (Port, io::Result<usize>) {
        std::future::poll_fn(|cx| self.poll_receive(cx, buf)).await
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<(Port, io::Result<usize>)> {
        let (behind, before) = match self.served {
            Some(served) => ((Bound::Excluded(served), Bound::Unbounded), Some(..=served)),
            None => ((Bound::Unbounded, Bound::Unbounded), None),
        };
        let before = before
            .into_iter()
            .flat_map(|range| self.sockets.range(range));
        for (port, socket) in self.sockets.range(behind).chain(before) {
            if let Poll::Ready(result) = socket.poll_receive(cx, buf) {
                let port = *port;
                self.served = Some(port);
                if let Err(error) = &result {
                    self.faults.insert(port, error.to_string());
                    self.sockets.remove(&port);
                }
                return Poll::Ready((port, result));
            }
        }
        Poll::Pending
    }

    /// Sends a frame; true where the kernel took it.
    pub(super) fn send(&self, port: Port, frame: &[u8]) -> bool {
        let Some(socket) = self.sockets.get(&port) else {
            return false;
        };
        let result = socket.send(frame);
        if let Err(error) = &result {
            tracing::debug!(ifindex = port.0, protocol = ?port.1, %error, "frame not sent");
        }
        result.is_ok()
    }

    /// Joins a group, now or as soon as the kernel lets it.
    pub(super) fn join(&mut self, ifindex: u32, group: Ipv6Addr) {
        let what = (ifindex, group);
        match self.memberships.join(ifindex, group) {
            Ok(()) if self.said_of_groups.is_over(&what) => {
                tracing::info!(ifindex, %group, "multicast group joined at last");
            }
            Ok(()) => {}
            Err(error) => {
                if self.said_of_groups.is_news(what, &error) {
                    tracing::warn!(ifindex, %group, %error, "multicast group not joined; trying again");
                }
                self.not_joined.insert(what);
            }
        }
    }

    /// Leaves a group.
    pub(super) fn leave(&mut self, ifindex: u32, group: Ipv6Addr) {
        self.said_of_groups.is_over(&(ifindex, group));
        if !self.not_joined.remove(&(ifindex, group)) {
            self.memberships.leave(ifindex, group);
        }
    }

    /// Tries again to join what could not be joined.
    pub(super) fn retry_groups(&mut self) {
        for (ifindex, group) in std::mem::take(&mut self.not_joined) {
            self.join(ifindex, group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tracing::{Event, Metadata, Subscriber, span};

    use super::*;

    /// Counts warnings.
    struct Warnings(Arc<AtomicUsize>);

    impl Subscriber for Warnings {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == tracing::Level::WARN
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn what_fails_each_time_is_told_once() {
        let warnings = Arc::new(AtomicUsize::new(0));
        let mut ports = Ports::default();
        // No interface has this number.
        let nowhere = 1 << 30;
        let groups = ["ff02::1:ff00:10", "ff02::1:ff00:11"];
        tracing::subscriber::with_default(Warnings(Arc::clone(&warnings)), || {
            for group in groups {
                ports.join(nowhere, group.parse().unwrap());
            }
            for _ in 0..5 {
                assert!(!ports.set((nowhere, Protocol::Arp), true));
                ports.retry_groups();
                assert!(ports.is_incomplete());
            }
        });
        assert_eq!(warnings.load(Ordering::Relaxed), 1 + groups.len());
    }
}
