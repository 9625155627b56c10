// SPDX-License-Identifier: Apache-2.0
//! ARP requests answered by the driver over a cable between two namespaces, one after the other.
//! Prints requests per second and the spread of the round trip. Needs root.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../netio/tests/common/mod.rs"]
mod common;

use std::{
    net::Ipv4Addr,
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use common::{Namespace, connect, is_able};
use ferrolb::drivers::layer2::{Layer2, Settings};
use ferrolb_l2::{
    MacAddress, Scope,
    wire::arp::{Operation, Packet},
};
use ferrolb_netio::packet::{PacketSocket, Protocol};
use tokio_util::sync::CancellationToken;

const CLIENT: MacAddress = MacAddress([2, 0, 0, 0, 0, 0xc]);
const ADDRESSES: u16 = 1000;
const REQUESTS: usize = 20_000;

fn address(n: u16) -> Ipv4Addr {
    let [high, low] = n.to_be_bytes();
    Ipv4Addr::new(198, 18, high, low)
}

fn main() {
    if !is_able() {
        return;
    }
    let (node, client) = (Namespace::new(), Namespace::new());
    connect(&node, &client, "eth0");
    client.ip(&format!("link set eth0 address {CLIENT}"));
    let stop = CancellationToken::new();
    let (ready, wait) = channel();
    let token = stop.clone();
    let answering = node.spawn(move || async move {
        let layer2 = Layer2::start(&Settings::default(), token.clone()).unwrap();
        for n in 0..ADDRESSES {
            layer2.handle.announce(address(n).into(), Scope::All).await;
        }
        layer2.handle.status().await.unwrap();
        ready.send(()).unwrap();
        token.cancelled().await;
        layer2.finished().await;
    });
    wait.recv().unwrap();
    // The burst is over by then.
    std::thread::sleep(Duration::from_secs(6));
    let ifindex = client.ifindex("eth0");
    let mut times = client.run(move || ask(ifindex));
    stop.cancel();
    answering.join().unwrap();
    times.sort_unstable();
    let total: Duration = times.iter().sum();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!(
        "arp round trip over veth: {:.0}/s, p50 {:?}, p99 {:?}, max {:?}",
        times.len() as f64 / total.as_secs_f64(),
        at(50),
        at(99),
        at(100)
    );
}

/// Asks for one address after the other, each as soon as the last is answered.
async fn ask(ifindex: u32) -> Vec<Duration> {
    let socket = PacketSocket::open(ifindex, Protocol::Arp).unwrap();
    let (mut times, mut buf) = (Vec::with_capacity(REQUESTS), [0; 256]);
    for n in 0..REQUESTS {
        let target = address((n % usize::from(ADDRESSES)) as u16);
        let request = Packet {
            operation: Operation::Request,
            sender_mac: CLIENT,
            sender: Ipv4Addr::new(198, 18, 255, 1),
            target_mac: MacAddress::ZERO,
            target,
        };
        let asked = Instant::now();
        socket
            .send(request.emit(MacAddress::BROADCAST).as_bytes())
            .unwrap();
        loop {
            let length = socket.receive(&mut buf).await.unwrap();
            let answer = Packet::parse(&buf[14..length]).unwrap();
            if answer.sender == target && answer.target_mac == CLIENT {
                break;
            }
        }
        times.push(asked.elapsed());
    }
    times
}
