// SPDX-License-Identifier: Apache-2.0
//! The sockets of the heartbeat and where its beats are sent from.
//!
//! The other nodes count a beat only from an InternalIP of this node, so that is what it is sent from, whatever
//! other addresses the host has. Where the host does not have it, the kernel chooses, and the log says so.
//!
//! A node without power does not resolve, and what is sent to it waits in the kernel until ARP gives up. Of each
//! family there is a socket for the nodes that are not heard, so that this never fills the one for the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    task::Poll,
};

use ferrolb_members::Datagram;
use ferrolb_netio::udp::{Buffers, Datagrams, is_no_family, may_be_source};
use ferrolb_telemetry::metrics::Counter;

/// What the kernel is asked to keep of what waits, in octets: it counts a short datagram as some 800, so this is
/// what a thousand nodes send in a second.
const WAITING: usize = 4 << 20;

/// Receives, and sends to the nodes that are heard: a beat to each of a thousand, should the link be slow.
const HEARD: Buffers = Buffers {
    receive: WAITING,
    send: 1 << 20,
};

/// Sends to the nodes that are not heard. From which port a beat comes is of no matter to anybody, so its own
/// is any, and nothing is expected there.
const UNHEARD: Buffers = Buffers {
    receive: 0,
    send: WAITING,
};

/// The sockets of one family.
#[derive(Debug)]
struct Pair {
    heard: Datagrams,
    unheard: Datagrams,
}

impl Pair {
    fn open(at: IpAddr, port: u16) -> io::Result<Self> {
        Ok(Self {
            heard: Datagrams::open(SocketAddr::new(at, port), HEARD)?,
            unheard: Datagrams::open(SocketAddr::new(at, 0), UNHEARD)?,
        })
    }
}

/// The sockets of both families.
#[derive(Debug)]
pub(super) struct Sockets {
    port: u16,
    /// The address that was asked for: the socket of its family receives there and sends from there.
    bind: Option<IpAddr>,
    v4: Pair,
    /// Absent where the host does not have IPv6.
    v6: Option<Pair>,
    /// The family served last: the other one is served first next time.
    served_v4: bool,
    /// Own addresses that beats cannot be sent from, and to whom not.
    refused: BTreeMap<IpAddr, BTreeSet<IpAddr>>,
    unsent: Counter,
}

impl Sockets {
    /// Opens them; beats to nodes that are heard and are not sent are counted.
    pub(super) fn open(port: u16, bind: Option<IpAddr>, unsent: Counter) -> io::Result<Self> {
        let open = |any: IpAddr| {
            let at = bind.filter(|bind| bind.is_ipv4() == any.is_ipv4());
            Pair::open(at.unwrap_or(any), port)
        };
        let v4 = open(Ipv4Addr::UNSPECIFIED.into())?;
        let v6 = match open(Ipv6Addr::UNSPECIFIED.into()) {
            Err(error) if is_no_family(&error) && !bind.is_some_and(|bind| bind.is_ipv6()) => None,
            opened => Some(opened?),
        };
        let granted = v4.heard.receive_buffer()?;
        if granted < WAITING {
            tracing::debug!(
                granted,
                "net.core.rmem_max bounds the beats that may wait, which matters with very many nodes"
            );
        }
        Ok(Self {
            port,
            bind,
            v4,
            v6,
            served_v4: false,
            refused: BTreeMap::new(),
            unsent,
        })
    }

    /// Receives the next datagram of either family.
    pub(super) async fn receive(&mut self, buf: &mut [u8]) -> io::Result<(usize, IpAddr)> {
        let (v4, v6) = (Some(&self.v4), self.v6.as_ref());
        let order = if self.served_v4 { [v6, v4] } else { [v4, v6] };
        let received = std::future::poll_fn(|cx| {
            for pair in order.into_iter().flatten() {
                if let Poll::Ready(received) = pair.heard.poll_receive(cx, buf) {
                    return Poll::Ready(received);
                }
            }
            Poll::Pending
        })
        .await;
        self.served_v4 = received.as_ref().is_ok_and(|(_, source)| source.is_ipv4());
        received
    }

    /// Sends a beat, without waiting for room: one that is not sent is a beat that is lost.
    pub(super) fn send(&mut self, beat: &Datagram) {
        if let Err(error) = self.try_send(beat) {
            self.unsent.add(u64::from(beat.is_heard));
            tracing::debug!(node.address = %beat.to, %error, "heartbeat not sent");
        }
    }

    fn try_send(&mut self, beat: &Datagram) -> io::Result<()> {
        let socket = self.socket(beat)?;
        let to = SocketAddr::new(beat.to, self.port);
        // A socket that is bound to an address sends from there.
        let is_bound = self
            .bind
            .is_some_and(|bind| bind.is_ipv4() == beat.to.is_ipv4());
        let Some(from) = beat.from.filter(|_| !is_bound) else {
            return socket.send(&beat.bytes, to, None);
        };
        match socket.send(&beat.bytes, to, Some(from)) {
            Err(error) if may_be_source(&error) => {
                socket.send(&beat.bytes, to, None)?;
                self.note_refused(from, beat.to, &error);
            }
            result => {
                result?;
                self.note_sent(from, beat.to);
            }
        }
        Ok(())
    }

    fn socket(&self, beat: &Datagram) -> io::Result<&Datagrams> {
        let pair = match beat.to {
            IpAddr::V4(_) => Some(&self.v4),
            IpAddr::V6(_) => self.v6.as_ref(),
        };
        let pair = pair.ok_or_else(|| io::Error::other("this host does not have IPv6"))?;
        Ok(if beat.is_heard {
            &pair.heard
        } else {
            &pair.unheard
        })
    }

    fn note_refused(&mut self, from: IpAddr, to: IpAddr, error: &io::Error) {
        let targets = self.refused.entry(from).or_default();
        if targets.is_empty() {
            tracing::warn!(
                address = %from, %error,
                "beats cannot be sent from this node's InternalIP, so the kernel chooses the address; the other \
                 nodes count them only from an InternalIP"
            );
        }
        targets.insert(to);
    }

    fn note_sent(&mut self, from: IpAddr, to: IpAddr) {
        let Some(targets) = self.refused.get_mut(&from) else {
            return;
        };
        targets.remove(&to);
        if targets.is_empty() {
            self.refused.remove(&from);
            tracing::info!(address = %from, "beats are sent from this node's InternalIP");
        }
    }

    /// Takes the own addresses as the others know them, and the others, and says where that does not go
    /// together with where beats are sent from.
    pub(super) fn set_nodes(&mut self, own: &[IpAddr], others: &super::Nodes) {
        let all: BTreeSet<&IpAddr> = others.values().flatten().collect();
        self.refused.retain(|from, targets| {
            targets.retain(|to| all.contains(to));
            own.contains(from) && !targets.is_empty()
        });
        if let Some(fault) = fault(self.bind, own, others.is_empty()) {
            tracing::warn!(bind = ?self.bind, internal_ips = ?own, "{fault}");
        }
    }
}

/// What keeps the others from counting the beats of this node, as far as it can be told from here.
fn fault(bind: Option<IpAddr>, own: &[IpAddr], is_alone: bool) -> Option<&'static str> {
    if is_alone {
        return None;
    }
    if own.is_empty() {
        return Some(
            "no InternalIP of this node is known: the kernel chooses the address of its beats, and the \
             other nodes count none of them",
        );
    }
    let bind = bind?;
    let first = own.iter().find(|own| own.is_ipv4() == bind.is_ipv4());
    (first != Some(&bind)).then_some(
        "--ml-bindaddr is not this node's first InternalIP of that family: the other nodes send to that one, \
         and count beats only from an InternalIP",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_others_from_counting_the_beats_of_this_node() {
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        type Row<'a> = (Option<&'a str>, &'a [&'a str], Option<&'a str>);
        let table: [Row<'_>; 7] = [
            (None, &["10.0.0.1"], None),
            (None, &[], Some("no InternalIP")),
            (Some("10.0.0.1"), &["10.0.0.1"], None),
            (Some("10.0.0.1"), &["fd::1", "10.0.0.1"], None),
            (
                Some("10.0.0.1"),
                &["10.0.0.2", "10.0.0.1"],
                Some("--ml-bindaddr"),
            ),
            (Some("10.0.0.1"), &["fd::1"], Some("--ml-bindaddr")),
            (Some("10.0.0.1"), &[], Some("no InternalIP")),
        ];
        for (bind, own, starts) in table {
            let own: Vec<IpAddr> = own.iter().map(|own| ip(own)).collect();
            assert_eq!(fault(bind.map(ip), &own, true), None, "it is alone");
            let found = fault(bind.map(ip), &own, false);
            assert_eq!(found.is_some(), starts.is_some(), "{bind:?} {own:?}");
            let begins = |found: &str| starts.is_some_and(|starts| found.starts_with(starts));
            assert!(found.is_none_or(begins), "{bind:?} {own:?}: {found:?}");
        }
    }
}
