// SPDX-License-Identifier: Apache-2.0
//! Who says what about addresses on a LAN: ARP replies and neighbor advertisements, as tcpdump
//! shows them.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::Result;

use crate::{
    link::End,
    process::{Process, Spec},
};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// One frame in which a station claims an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Seconds since 1970, by the kernel's stamp.
    pub at: f64,
    /// The address claimed.
    pub address: IpAddr,
    /// The sender's hardware address.
    pub mac: String,
    /// Whether it went to everybody.
    pub broadcast: bool,
}

/// A capture of claims; dropping it ends it.
pub struct Sniffer {
    process: Process,
}

impl Sniffer {
    /// Starts capturing on an interface, and returns once the capture runs.
    ///
    /// # Errors
    /// tcpdump cannot be started.
    pub fn start(end: End<'_>) -> Result<Self> {
        let name = format!("sniff{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let filter = "arp or (icmp6 and ip6[40] = 136)";
        let arguments = [
            "-l",
            "-n",
            "-e",
            "-tt",
            "-vv",
            "--immediate-mode",
            "-i",
            end.interface,
            filter,
        ];
        let spec = Spec::new(&name, "tcpdump", arguments);
        let process = Process::start(end.namespace, &spec)?;
        process.wait_for_log("listening on", Duration::from_secs(5))?;
        Ok(Self { process })
    }

    /// The claims seen so far.
    #[must_use]
    pub fn claims(&self) -> Vec<Claim> {
        parse(&self.process.log())
    }

    /// The hardware addresses that claimed an address.
    #[must_use]
    pub fn claimants(&self, address: IpAddr) -> BTreeSet<String> {
        self.claims()
            .into_iter()
            .filter(|claim| claim.address == address)
            .map(|claim| claim.mac)
            .collect()
    }
}

/// Reads tcpdump's text; with `-vv` a packet's details follow its first line, indented.
fn parse(text: &str) -> Vec<Claim> {
    let mut packets: Vec<String> = Vec::new();
    for line in text.lines() {
        match packets.last_mut() {
            Some(packet) if line.starts_with([' ', '\t']) => packet.push_str(line),
            _ => packets.push(line.to_owned()),
        }
    }
    packets.iter().filter_map(|packet| claim(packet)).collect()
}

fn claim(packet: &str) -> Option<Claim> {
    let mut words = packet.split_whitespace();
    let at = words.next()?.parse().ok()?;
    let source = words.next()?;
    let target = words.nth(1)?.trim_end_matches(',');
    let address = claimed_by_arp(packet).or_else(|| claimed_by_ndp(packet))?;
    Some(Claim {
        at,
        address,
        mac: source.to_owned(),
        broadcast: target == "ff:ff:ff:ff:ff:ff" || target.starts_with("33:33:"),
    })
}

/// A reply, or an announcement in the form of a request for the sender's own address (RFC 5227 2.3).
fn claimed_by_arp(packet: &str) -> Option<IpAddr> {
    if let Some((_, rest)) = packet.split_once(" Reply ") {
        return word(rest);
    }
    let (_, rest) = packet.split_once(" Request who-has ")?;
    let (target, rest) = rest.split_once(' ')?;
    let (_, sender) = rest.split_once("tell ")?;
    let (target, sender) = (word(target)?, word(sender)?);
    (target == sender).then_some(sender)
}

fn claimed_by_ndp(packet: &str) -> Option<IpAddr> {
    packet
        .split_once("tgt is ")
        .and_then(|(_, rest)| word(rest))
}

fn word(text: &str) -> Option<IpAddr> {
    let word = text.split([' ', ',']).next()?;
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
tcpdump: listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes
1795245600.000001 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Ethernet (len 6), IPv4 (len 4), Request who-has 192.0.2.200 tell 192.0.2.100, length 28
1795245600.000101 02:00:00:00:00:02 > 02:00:00:00:00:01, ethertype ARP (0x0806), length 42: Ethernet (len 6), IPv4 (len 4), Reply 192.0.2.200 is-at 02:00:00:00:00:02, length 28
1795245600.500000 02:00:00:00:00:03 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Ethernet (len 6), IPv4 (len 4), Request who-has 192.0.2.200 (ff:ff:ff:ff:ff:ff) tell 192.0.2.200, length 28
1795245601.000000 02:00:00:00:00:03 > 33:33:00:00:00:01, ethertype IPv6 (0x86dd), length 86: (hlim 255, next-header ICMPv6 (58) payload length: 32) fe80::1 > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is 2001:db8:1::200, Flags [override]
\t  destination link-address option (2), length 8 (1): 02:00:00:00:00:03
";

    #[test]
    fn finds_replies_and_announcements_but_no_questions() {
        let claims = parse(TEXT);
        let said: Vec<_> = claims
            .iter()
            .map(|c| (c.address.to_string(), c.mac.as_str(), c.broadcast))
            .collect();
        assert_eq!(
            said,
            [
                ("192.0.2.200".to_owned(), "02:00:00:00:00:02", false),
                ("192.0.2.200".to_owned(), "02:00:00:00:00:03", true),
                ("2001:db8:1::200".to_owned(), "02:00:00:00:00:03", true),
            ]
        );
    }
}
