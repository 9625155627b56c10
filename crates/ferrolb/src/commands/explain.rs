// SPDX-License-Identifier: Apache-2.0
//! `ferrolb explain`: why a Service has its address, and why each node announces it or not.
//!
//! The decisions are computed here, from folder and state, by the functions the roles use; what only
//! a running speaker knows (who is alive, its interfaces, its sessions) is asked of those that answer,
//! and who does not is named.

use std::{io, path::PathBuf};

use ferrolb_types::{Diagnostic, ObjectRef, ServiceKey, codes};
use ferrolb_world::Explanation;
use serde::Serialize;

use super::{Ending, failed, outlook::Outlook, print, refused};
use crate::{
    args::{ExplainArgs, Form, SourceArgs},
    status::{
        Report,
        report::{Fault, SessionReport},
        socket,
    },
};

/// The JSON of `ferrolb explain -o json`.
#[derive(Debug, Serialize)]
struct Answer {
    allocation: Allocation,
    announcement: Explanation,
    /// What running speakers say of their sessions.
    live: Vec<Live>,
}

/// Why the Service has its addresses.
#[derive(Debug, Serialize)]
struct Allocation {
    addresses: Vec<std::net::IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<String>,
    reasons: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Fault>,
}

/// A running speaker, or that it does not answer.
#[derive(Debug, Serialize)]
struct Live {
    socket: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    sessions: Vec<SessionReport>,
}

/// Explains and prints.
#[must_use]
pub fn run(args: &ExplainArgs) -> Ending {
    let key = key(args);
    let source = match args.source.folder() {
        Ok(source) => source,
        Err(refusal) => return refused(&refusal),
    };
    let mut outlook = match Outlook::read(&source) {
        Ok(outlook) => outlook,
        Err(error) => return failed(&error),
    };
    outlook.warn();
    if !outlook.services.contains_key(&key) {
        return refused(&missing(&key, &source));
    }
    let running = running(&source);
    outlook.learn(
        running
            .iter()
            .filter_map(|(_, report)| report.as_ref().ok()),
    );
    let answer = Answer {
        allocation: allocation(&outlook, &key),
        announcement: outlook.world.explain(&key),
        live: running.into_iter().filter_map(live).collect(),
    };
    let has_fault = answer.allocation.refusal.is_some() || answer.announcement.refusal.is_some();
    match args.output {
        Form::Text => print(&text(&outlook, &key, &answer)),
        Form::Json => match serde_json::to_string_pretty(&answer) {
            Ok(json) => print(&(json + "\n")),
            Err(error) => return failed(&error.into()),
        },
    }
    if has_fault {
        Ending::Faults
    } else {
        Ending::Fine
    }
}

/// `svc/web`, `service/shop/web`, `shop/web` or `web`.
fn key(args: &ExplainArgs) -> ServiceKey {
    let prefixes = ["svc/", "service/", "services/"];
    let stripped = prefixes
        .iter()
        .find_map(|prefix| args.service.strip_prefix(prefix));
    let name = stripped.unwrap_or(&args.service);
    match name.split_once('/') {
        Some((namespace, name)) => ServiceKey::new(namespace, name),
        None => ServiceKey::new(args.service_namespace.as_str(), name),
    }
}

fn missing(key: &ServiceKey, source: &SourceArgs) -> Diagnostic {
    let object = ObjectRef::new("Service", key.namespace(), key.name());
    let cause = format!(
        "the folder {} has no such Service, or its manifest is refused",
        source.dir.display()
    );
    let remedy = "check the spelling and the namespace (-s), and run `ferrolb check` on the folder";
    Diagnostic::error(codes::command::X006, object, cause, remedy)
}

fn allocation(outlook: &Outlook, key: &ServiceKey) -> Allocation {
    let held = outlook.held(key);
    let explanation = outlook.engine.explain(key);
    let refusal = explanation.as_ref().and_then(|e| e.refusal.as_ref());
    Allocation {
        addresses: held.addresses,
        pool: held.pool.as_ref().map(ToString::to_string),
        reasons: explanation
            .iter()
            .flat_map(|e| e.reasons.iter().map(ToString::to_string))
            .collect(),
        refusal: refusal.map(|refusal| Fault::from(&outlook.positioned(refusal))),
    }
}

/// A socket, and what the process behind it reports.
type Running = (String, io::Result<Report>);

fn running(source: &SourceArgs) -> Vec<Running> {
    // Without a state directory nothing runs on this folder from here.
    let sockets = socket::sockets(&source.state_dir()).unwrap_or_default();
    let ask = |path: &PathBuf| {
        let report = socket::ask(path)
            .and_then(|value| serde_json::from_value(value).map_err(io::Error::from));
        (path.display().to_string(), report)
    };
    sockets.iter().map(ask).collect()
}

/// What one process says; a controller has no sessions to tell of.
fn live((socket, report): Running) -> Option<Live> {
    match report {
        Ok(report) if report.node.is_none() => None,
        Ok(report) => Some(Live {
            socket,
            silent: None,
            node: report.node,
            sessions: report.sessions,
        }),
        Err(error) => Some(Live {
            socket,
            silent: Some(error.to_string()),
            node: None,
            sessions: Vec::new(),
        }),
    }
}

fn text(outlook: &Outlook, key: &ServiceKey, answer: &Answer) -> String {
    let allocation = &answer.allocation;
    let mut text = String::new();
    for reason in &allocation.reasons {
        text += &format!("  address: {reason}\n");
    }
    if let Some(refusal) = outlook
        .engine
        .explain(key)
        .and_then(|explanation| explanation.refusal)
    {
        text += &format!("  address: {refusal}\n");
    }
    let announcement = answer.announcement.render();
    let (head, rest) = announcement.split_once('\n').unwrap_or((&announcement, ""));
    format!(
        "{head}\n{text}{rest}{}",
        answer.live.iter().map(live_text).collect::<String>()
    )
}

fn live_text(live: &Live) -> String {
    if let Some(why) = &live.silent {
        return format!("  live: {} does not answer: {why}\n", live.socket);
    }
    let node = live.node.as_deref().unwrap_or("-");
    let session = |session: &SessionReport| {
        let trouble = session
            .problems
            .iter()
            .map(|p| format!("; {} {}; {}", p.code, p.cause, p.remedy));
        let trouble: String = trouble.collect();
        format!(
            "  live: {node}: session {} is {}{trouble}\n",
            session.peer, session.state
        )
    };
    live.sessions.iter().map(session).collect()
}
