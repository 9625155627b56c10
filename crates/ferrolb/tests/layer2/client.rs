// SPDX-License-Identifier: Apache-2.0
//! A client on the node's link: what it asks, and what it hears.

use std::{
    net::IpAddr,
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use ferrolb_l2::{
    MacAddress,
    wire::{arp, ethernet, ndp},
};
use ferrolb_netio::packet::{PacketSocket, Protocol};

use crate::{
    CLIENT,
    common::{Namespace, connect},
    node::Node,
};

/// A client on a cable to the node's `device`, with addresses of the services' networks.
pub fn client(node: &Node, device: &str) -> Namespace {
    let client = Namespace::new();
    connect(&node.namespace, &client, device);
    client.ip(&format!("link set {device} address {CLIENT}"));
    client.ip(&format!("address add 192.0.2.1/24 dev {device}"));
    client.ip(&format!("address add 2001:db8::1/64 dev {device} nodad"));
    client
}

pub fn arping(client: &Namespace, device: &str, address: &str) -> bool {
    client
        .exec(&["arping", "-c", "1", "-w", "1", "-I", device, address])
        .status
        .success()
}

/// Whether the client's kernel finds the IPv6 address. (ndisc6 takes no answer from a link-local
/// source, not even from a proxying kernel.)
pub fn discovers(client: &Namespace, device: &str, address: &str) -> bool {
    client.ip(&format!("neigh flush to {address} dev {device}"));
    client.exec(&["ping", "-c", "1", "-W", "1", address]);
    client
        .ip(&format!("neigh show {address} dev {device}"))
        .contains("lladdr")
}

/// Listens on the client for what concerns a service address, until dropped.
pub struct Ears(Receiver<Heard>);

/// A claim heard, and where it was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub address: IpAddr,
    pub mac: MacAddress,
    pub destination: MacAddress,
    pub flags: Option<ndp::Flags>,
}

impl Ears {
    pub fn open(client: &Namespace, device: &str) -> Self {
        let (ready, wait) = channel();
        let (heard, ears) = channel();
        let ifindex = client.ifindex(device);
        client.spawn(move || async move {
            let arp = PacketSocket::open(ifindex, Protocol::Arp).unwrap();
            let ndp = PacketSocket::open(ifindex, Protocol::Ndp).unwrap();
            ready.send(()).unwrap();
            let (mut a, mut b) = ([0; 256], [0; 256]);
            loop {
                let frame = tokio::select! {
                    length = arp.receive(&mut a) => length.map(|length| &a[..length]),
                    length = ndp.receive(&mut b) => length.map(|length| &b[..length]),
                    () = tokio::time::sleep(Duration::from_secs(8)) => return,
                };
                let Ok(frame) = frame else { return };
                if claim(frame).is_some_and(|claim| heard.send(claim).is_err()) {
                    return;
                }
            }
        });
        wait.recv().unwrap();
        Self(ears)
    }

    /// Waits for a claim to the address.
    pub fn hear(&self, address: &str, within: Duration) -> Option<Heard> {
        let address: IpAddr = address.parse().unwrap();
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.checked_duration_since(Instant::now())?;
            let heard = self.0.recv_timeout(left).ok()?;
            if heard.address == address {
                return Some(heard);
            }
        }
    }

    /// Takes all that comes in the time.
    pub fn all(&self, address: &str, within: Duration) -> Vec<Heard> {
        let deadline = Instant::now() + within;
        let left = || deadline.saturating_duration_since(Instant::now());
        std::iter::from_fn(|| self.hear(address, left())).collect()
    }
}

fn claim(frame: &[u8]) -> Option<Heard> {
    let (header, body) = ethernet::Header::parse(frame).ok()?;
    let destination = header.destination;
    if header.ethertype == ethernet::ARP {
        let packet = arp::Packet::parse(body).ok()?;
        let (address, mac) = (packet.sender.into(), packet.sender_mac);
        return Some(Heard {
            address,
            mac,
            destination,
            flags: None,
        });
    }
    match ndp::Packet::parse(body).ok()??.message {
        ndp::Message::Advertisement {
            target,
            flags,
            target_link,
        } => {
            let (address, mac) = (target.into(), target_link?);
            Some(Heard {
                address,
                mac,
                destination,
                flags: Some(flags),
            })
        }
        ndp::Message::Solicitation { .. } => None,
    }
}

/// Sends frames from the client.
pub fn send(client: &Namespace, device: &str, protocol: Protocol, frames: Vec<Vec<u8>>) {
    let ifindex = client.ifindex(device);
    client.run(move || async move {
        let socket = PacketSocket::open(ifindex, protocol).unwrap();
        for frame in frames {
            // A cable's queue takes some hundred frames at once.
            while socket.send(&frame).is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
}
