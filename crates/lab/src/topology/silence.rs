// SPDX-License-Identifier: Apache-2.0
//! Proof that nobody answers for an address.

use std::{net::IpAddr, thread, time::Duration};

use anyhow::{Context, Result, bail};

use super::{
    Topology,
    host::{Host, LAN},
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(4);

impl Topology {
    /// Asks the LAN who has each address, as its client, and wants no answer: the check to make
    /// before a test of announcements, with every speaker stopped. Takes about one second.
    ///
    /// # Errors
    /// Somebody answers; the message says who.
    pub fn assert_silent(&self, addresses: &[IpAddr]) -> Result<()> {
        let client = &self.client;
        thread::scope(|scope| {
            let asked: Vec<_> = addresses
                .iter()
                .map(|&address| (address, scope.spawn(move || who_has(client, address))))
                .collect();
            for (address, asked) in asked {
                match asked.join().ok().context("the question was cut off")?? {
                    Some(answer) => bail!("{address} is answered for:\n{answer}"),
                    None => continue,
                }
            }
            Ok(())
        })
    }
}

/// Asks the LAN of `host` who has an address; returns what was answered.
///
/// # Errors
/// The question cannot be asked.
fn who_has(host: &Host, address: IpAddr) -> Result<Option<String>> {
    match address {
        IpAddr::V4(_) => arp(host, &address.to_string()),
        IpAddr::V6(_) => neighbor_discovery(host, address),
    }
}

fn arp(host: &Host, address: &str) -> Result<Option<String>> {
    let arguments = ["-c", "2", "-w", "1", "-I", LAN, address];
    let done = host.namespace().capture("arping", &arguments, PATIENCE)?;
    // arping ends with 1 when fewer than all questions were answered, so its count decides.
    match done.status.code() {
        Some(0 | 1) => {
            let silent = done.stdout.contains("Received 0 response(s)");
            Ok((!silent).then_some(done.stdout))
        }
        _ => bail!("arping {address}: {}{}", done.stderr, done.stdout),
    }
}

/// Has the kernel resolve the address anew: ndisc6 passes over advertisements that come from a
/// link-local address for a global one.
fn neighbor_discovery(host: &Host, address: IpAddr) -> Result<Option<String>> {
    let namespace = host.namespace();
    namespace.ip(&format!("-6 neigh flush to {address} dev {LAN}"))?;
    let arguments = ["-c", "1", "-w", "1", &address.to_string()];
    namespace.capture("ping", &arguments, PATIENCE)?;
    host.neighbour(address)
}
