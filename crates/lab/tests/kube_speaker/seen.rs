// SPDX-License-Identifier: Apache-2.0
//! What others see of the speakers: who answers a client, and what a router was told, counted.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use ferrolb_lab::{
    routers::Router,
    topology::{LAN, Topology},
};

const PATIENCE: Duration = Duration::from_secs(5);

/// The node whose hardware address answers the client for an address.
pub fn holder(net: &Topology, address: IpAddr) -> Option<String> {
    let macs = match address {
        IpAddr::V4(_) => arp(net, address, "1"),
        IpAddr::V6(_) => neighbour(net, address),
    };
    let mac = macs.into_iter().next()?;
    let holder = net.nodes.iter().find(|node| node.mac().unwrap() == mac);
    Some(holder.expect("the answer is a node's").name().to_owned())
}

/// Whether no two answer for an address. Takes a second.
pub fn is_held_once(net: &Topology, address: IpAddr) -> bool {
    address.is_ipv6() || arp(net, address, "2").len() < 2
}

/// Whether the first question for an IPv4 address is answered: the second would follow a second later.
pub fn is_held_now(net: &Topology, address: IpAddr) -> bool {
    let said = arping(net, address, "1");
    said.contains("Sent 1 probe") && said.contains("Received 1 response")
}

fn arping(net: &Topology, address: IpAddr, most: &str) -> String {
    let address = address.to_string();
    let arguments = ["-b", "-c", most, "-w", "1", "-I", LAN, &address];
    let client = net.client.namespace();
    let done = client.capture("arping", &arguments, PATIENCE).unwrap();
    assert!(done.stdout.contains("Sent"), "{done:?}");
    done.stdout
}

/// Those who answer one question first, so many of them, within a second.
fn arp(net: &Topology, address: IpAddr, most: &str) -> BTreeSet<String> {
    let said = arping(net, address, most);
    let answers = said.lines().filter_map(|line| {
        let (_, rest) = line.split_once('[')?;
        Some(rest.split_once(']')?.0.to_lowercase())
    });
    answers.collect()
}

/// What the kernel resolves anew.
fn neighbour(net: &Topology, address: IpAddr) -> BTreeSet<String> {
    let client = net.client.namespace();
    client
        .ip(&format!("-6 neigh flush to {address} dev {LAN}"))
        .unwrap();
    let text = address.to_string();
    let arguments = ["-c", "1", "-W", "0.3", &text];
    client.capture("ping", &arguments, PATIENCE).unwrap();
    net.client.neighbour(address).unwrap().into_iter().collect()
}

/// What BIRD was told in each session: since when it is up, how many updates and withdrawals came in. Equal
/// before and after means: no session went, nothing was withdrawn, nothing was announced again.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Routes announced, over all sessions.
    pub updates: u64,
    /// Routes withdrawn.
    pub withdrawals: u64,
}

/// A session as BIRD shows it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its line but the time.
    line: String,
    /// The time of day it became so, in milliseconds.
    since: i64,
}

impl PartialEq for Session {
    /// BIRD computes the time of day anew each time it shows it, and a clock that is being set moves it.
    fn eq(&self, other: &Self) -> bool {
        self.line == other.line && (self.since - other.since).abs() < 500
    }
}

impl Session {
    /// From `name BGP table state 16:42:11.199 Established`.
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (at, time) = words
            .iter()
            .enumerate()
            .find(|(_, word)| word.contains(':'))?;
        let (clock, millis) = time.split_once('.')?;
        let mut parts = clock.split(':').map(str::parse::<i64>);
        let seconds = parts.try_fold(0, |sum, part| Some(sum * 60 + part.ok()?))?;
        Some(Self {
            line: [&words[..at], &words[at + 1..]].concat().join(" "),
            since: seconds * 1000 + millis.parse::<i64>().ok()?,
        })
    }
}

/// What BIRD was told so far.
pub fn told(bird: &dyn Router) -> Told {
    let text = bird.cli("show protocols all").unwrap();
    let mut told = Told {
        sessions: Vec::new(),
        updates: 0,
        withdrawals: 0,
    };
    let mut is_session = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            is_session = line.split_whitespace().nth(1) == Some("BGP");
            if is_session {
                told.sessions
                    .push(Session::parse(line).expect("a session with its time"));
            }
        }
        if is_session {
            told.updates += count(line, "Import updates:");
            told.withdrawals += count(line, "Import withdraws:");
        }
    }
    assert!(!told.sessions.is_empty(), "{text}");
    told
}

fn count(line: &str, name: &str) -> u64 {
    let rest = line.trim().strip_prefix(name);
    let number = rest.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
