// SPDX-License-Identifier: Apache-2.0
//! A node: a namespace with the driver in it, on a thread of its own.

use std::{
    net::IpAddr,
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use ferrolb::drivers::layer2::{Event, Exclude, Layer2, Settings, Status};
use ferrolb_l2::{Config, MacAddress, Scope};
use tokio_util::sync::CancellationToken;

use crate::common::Namespace;

/// What a test asks of the driver's thread.
enum Ask {
    Announce(IpAddr, Scope),
    Withdraw(IpAddr),
    Status(Sender<Status>),
    Event(Sender<Option<Event>>),
}

/// A namespace with the driver in it.
pub struct Node {
    pub namespace: Namespace,
    asks: tokio::sync::mpsc::UnboundedSender<Ask>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    pub fn start(exclude: &[&str]) -> Self {
        let namespace = Namespace::new();
        let (asks, receiver) = tokio::sync::mpsc::unbounded_channel();
        let exclude = Exclude::parse(exclude).unwrap();
        let responder = Config {
            burst: Duration::from_millis(600),
            interval: Duration::from_millis(200),
            refresh: None,
            defend_delay: Duration::from_millis(300),
            ..Config::default()
        };
        let settings = Settings { exclude, responder };
        let stop = CancellationToken::new();
        let token = stop.clone();
        let thread = namespace.spawn(move || serve(settings, receiver, token));
        Self {
            namespace,
            asks,
            stop,
            thread: Some(thread),
        }
    }

    pub fn announce(&self, address: &str, scope: Scope) {
        self.asks
            .send(Ask::Announce(address.parse().unwrap(), scope))
            .unwrap();
    }

    pub fn withdraw(&self, address: &str) {
        self.asks
            .send(Ask::Withdraw(address.parse().unwrap()))
            .unwrap();
    }

    pub fn status(&self) -> Status {
        let (reply, status) = channel();
        self.asks.send(Ask::Status(reply)).unwrap();
        status.recv_timeout(Duration::from_secs(5)).unwrap()
    }

    /// Waits for a conflict.
    pub fn event(&self) -> Option<Event> {
        let (reply, event) = channel();
        self.asks.send(Ask::Event(reply)).unwrap();
        event.recv_timeout(Duration::from_secs(5)).unwrap()
    }

    /// Waits until the address is announced on these interfaces.
    pub fn await_announced(&self, address: &str, interfaces: &[&str]) {
        let address: IpAddr = address.parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let status = self.status();
            let found = status.addresses.iter().find(|a| a.address == address);
            let names: Vec<_> = found.map_or(vec![], |a| a.interfaces.clone());
            if names
                .iter()
                .map(AsRef::as_ref)
                .eq(interfaces.iter().copied())
            {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "not on {interfaces:?}: {status:#?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn mac(&self, device: &str) -> MacAddress {
        let line = self.namespace.ip(&format!("-o link show dev {device}"));
        let text = line
            .split("link/ether ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        let octets: Vec<u8> = text
            .split(':')
            .map(|o| u8::from_str_radix(o, 16).unwrap())
            .collect();
        MacAddress(octets.try_into().unwrap())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    settings: Settings,
    mut asks: tokio::sync::mpsc::UnboundedReceiver<Ask>,
    stop: CancellationToken,
) {
    let mut layer2 = Layer2::start(&settings, stop.clone()).unwrap();
    loop {
        let ask = tokio::select! {
            ask = asks.recv() => ask,
            () = stop.cancelled() => None,
        };
        match ask {
            Some(Ask::Announce(address, scope)) => layer2.handle.announce(address, scope).await,
            Some(Ask::Withdraw(address)) => layer2.handle.withdraw(address).await,
            Some(Ask::Status(reply)) => reply.send(layer2.handle.status().await.unwrap()).unwrap(),
            Some(Ask::Event(reply)) => {
                let event = tokio::time::timeout(Duration::from_secs(3), layer2.events.recv());
                reply.send(event.await.ok().flatten()).unwrap();
            }
            None => return layer2.finished().await,
        }
    }
}
