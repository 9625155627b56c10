// SPDX-License-Identifier: Apache-2.0
//! What running speakers say of a Service: their sessions, what they answer in layer 2, and what of the
//! decisions they do not carry out.

use std::{collections::BTreeSet, net::IpAddr};

use ferrolb_types::codes;
use ferrolb_world::{Explanation, NodeLine, Refusal};
use serde::Serialize;

use crate::status::{
    Report, claimed, duration,
    report::{AddressReport, Fault, SessionReport},
};

/// A running speaker, or that it does not answer, or that there is none.
#[derive(Debug, Default, Serialize)]
pub(super) struct Live {
    /// Its socket or its Pod.
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// Why it speaks no BGP, where it refuses to.
    #[serde(rename = "bgpRefused", skip_serializing_if = "Option::is_none")]
    bgp_refused: Option<Fault>,
    sessions: Vec<SessionReport>,
    /// The addresses of the Service that it answers for in layer 2.
    addresses: Vec<AddressReport>,
    /// Objects that are refused, and that it goes on with as they last were good. Here they count for
    /// nothing.
    #[serde(rename = "lastGood", skip_serializing_if = "BTreeSet::is_empty")]
    last_good: BTreeSet<String>,
}

impl Live {
    /// A node that no speaker Pod was found on.
    pub(super) fn absent(node: &str) -> Self {
        Self {
            place: format!("node {node}"),
            silent: Some(format!("no speaker Pod found on node {node}")),
            node: Some(node.to_owned()),
            ..Self::default()
        }
    }

    /// What one process says; a controller has no sessions to tell of, and is left out without anything
    /// else.
    pub(super) fn of(
        place: String,
        report: Result<Report, String>,
        addresses: &[IpAddr],
    ) -> Option<Self> {
        let mut live = Self {
            place,
            ..Self::default()
        };
        match report {
            Ok(report) => live.take(report, addresses)?,
            Err(why) => live.silent = Some(why),
        }
        Some(live)
    }

    fn take(&mut self, report: Report, addresses: &[IpAddr]) -> Option<()> {
        let kept = report.faults.iter().filter(|fault| fault.last_good);
        self.last_good = kept.map(|fault| fault.object.clone()).collect();
        if report.node.is_none() && self.last_good.is_empty() {
            return None;
        }
        let no_bgp = codes::command::X011.to_string();
        self.bgp_refused = report.faults.into_iter().find(|fault| fault.code == no_bgp);
        let asked = |answered: &AddressReport| {
            addresses
                .iter()
                .any(|address| address.to_string() == answered.address)
        };
        self.node = report.node;
        self.sessions = report.sessions;
        self.addresses = report.addresses.into_iter().filter(asked).collect();
        Some(())
    }

    /// Takes out of an explanation what this speaker does not announce because it refuses BGP.
    pub(super) fn correct(&self, explanation: &mut Explanation) {
        let Some(why) = &self.bgp_refused else { return };
        let own = |line: &&mut NodeLine| self.node.as_deref() == Some(line.node.as_str());
        for line in explanation.nodes.iter_mut().filter(own) {
            if line.bgp.is_ok() {
                line.bgp = Err(Refusal {
                    code: codes::command::X011,
                    sentence: why.cause.clone(),
                    remedy: why.remedy.clone(),
                });
            }
        }
    }

    /// Lines of text.
    pub(super) fn text(&self) -> String {
        let node = self.node.as_deref().unwrap_or(&self.place);
        match (&self.silent, &self.node) {
            (Some(why), Some(_)) => return format!("  live: {why}\n"),
            (Some(why), None) => {
                return format!("  live: {} does not answer: {why}\n", self.place);
            }
            (None, _) => {}
        }
        let no_bgp = self.bgp_refused.iter().map(|why| {
            format!(
                "  live: {node}: BGP: {} {}; {}\n",
                why.code, why.cause, why.remedy
            )
        });
        let last_good = self.last_good.iter().map(|object| {
            format!(
                "  live: {node}: the last good version of {object} is in force, not what is computed here\n"
            )
        });
        let sessions = self
            .sessions
            .iter()
            .map(|session| session_text(node, session));
        let addresses = self
            .addresses
            .iter()
            .map(|address| address_text(node, address));
        let lines = no_bgp.chain(last_good).chain(sessions);
        lines.chain(addresses).collect()
    }
}

fn session_text(node: &str, session: &SessionReport) -> String {
    let trouble = session
        .problems
        .iter()
        .map(|p| format!("; {} {}; {}", p.code, p.cause, p.remedy));
    let trouble: String = trouble.collect();
    let last = session
        .last_error
        .as_ref()
        .filter(|_| session.problems.is_empty());
    let last = last.map(|error| format!("; last error: {} {}", error.code, error.cause));
    format!(
        "  live: {node}: session {} is {} since {}{trouble}{}\n",
        session.peer,
        session.state,
        duration(session.since_ms),
        last.unwrap_or_default()
    )
}

fn address_text(node: &str, address: &AddressReport) -> String {
    let conflict = claimed(address).map(|by| format!("; claimed too by {by}"));
    format!(
        "  live: {node}: {} answered {} of {} requests{}\n",
        address.address,
        address.responses,
        address.requests,
        conflict.unwrap_or_default()
    )
}
