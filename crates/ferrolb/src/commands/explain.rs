// SPDX-License-Identifier: Apache-2.0
//! `ferrolb explain`: why a Service has its address, and why each node announces it or not.
//!
//! The decisions are computed here, from folder and state, by the functions the roles use; what only
//! a running speaker knows (who is alive, its interfaces, its sessions) is asked of those that answer,
//! and who does not is named.

use std::{collections::BTreeSet, net::IpAddr};

use ferrolb_types::{Diagnostic, ObjectRef, ServiceKey, codes};
use ferrolb_world::Explanation;
use serde::Serialize;

use super::{
    Ending, block_on, failed,
    outlook::Outlook,
    print, refused,
    running::{self, Running},
};
use crate::{
    args::{ExplainArgs, Form, Refusal, SourceChoice, excluded},
    status::{
        Report, duration,
        report::{AddressReport, Fault, SessionReport},
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
#[derive(Debug, Default, Serialize)]
struct Live {
    /// Its socket or its Pod.
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    silent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    sessions: Vec<SessionReport>,
    /// The addresses of the Service that it answers for in layer 2.
    addresses: Vec<AddressReport>,
    /// Objects that are refused, and that it goes on with as they last were good. Here they count for
    /// nothing.
    #[serde(rename = "lastGood", skip_serializing_if = "BTreeSet::is_empty")]
    last_good: BTreeSet<String>,
}

/// Explains and prints.
#[must_use]
pub fn run(args: &ExplainArgs) -> Ending {
    let (name, choice) = match (Name::of(args), args.source.choose()) {
        (Ok(name), Ok(choice)) => (name, choice),
        (Err(refusal), _) | (_, Err(refusal)) => return refused(&refusal),
    };
    let looked = match look(&choice) {
        Ok(looked) => looked,
        Err(error) => return failed(&error),
    };
    let key = name.key(&looked.namespace);
    let (mut outlook, running) = (looked.outlook, looked.running);
    outlook.warn();
    if !outlook.services.contains_key(&key) {
        return refused(&missing(&key, &choice));
    }
    let reports: Vec<_> = running
        .into_iter()
        .map(|one| (one.report(), one.place))
        .collect();
    outlook.learn(
        reports
            .iter()
            .filter_map(|(report, _)| report.as_ref().ok()),
    );
    let addresses = outlook.held(&key).addresses;
    let live = reports.into_iter();
    let answer = Answer {
        allocation: allocation(&outlook, &key),
        announcement: outlook.world.explain(&key),
        live: live
            .filter_map(|(report, place)| self::live(place, report, &addresses))
            .collect(),
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

/// The Service, as it was asked for.
struct Name<'a> {
    namespace: Option<&'a str>,
    name: &'a str,
}

impl<'a> Name<'a> {
    /// `svc/web`, `service/shop/web`, `shop/web` or `web`.
    fn of(args: &'a ExplainArgs) -> Result<Self, Refusal> {
        let prefixes = ["svc/", "service/", "services/"];
        let stripped = prefixes
            .iter()
            .find_map(|prefix| args.service.strip_prefix(prefix));
        let name = stripped.unwrap_or(&args.service);
        let flag = args.service_namespace.as_deref();
        let (namespace, name) = match name.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (flag, name),
        };
        match flag {
            Some(flag) if namespace != Some(flag) => {
                Err(excluded("the namespace in SERVICE", "--namespace"))
            }
            _ => Ok(Self { namespace, name }),
        }
    }

    fn key(&self, usual: &str) -> ServiceKey {
        ServiceKey::new(self.namespace.unwrap_or(usual), self.name)
    }
}

/// What is decided, and the processes that carry it out.
struct Looked {
    outlook: Outlook,
    running: Vec<Running>,
    /// The namespace of a Service for which none is named.
    namespace: String,
}

fn look(choice: &SourceChoice) -> anyhow::Result<Looked> {
    match choice {
        SourceChoice::Folder(args) => {
            // Without a state directory nothing runs on this folder from here.
            let sockets = socket::sockets(&args.state_dir()).unwrap_or_default();
            Ok(Looked {
                outlook: Outlook::of(choice)?,
                running: running::on_sockets(&sockets),
                namespace: "default".to_owned(),
            })
        }
        SourceChoice::Cluster(args) => block_on(async {
            let cluster = crate::cluster::connect(args, "cli").await?;
            Ok(Looked {
                outlook: Outlook::list(&cluster, args).await?,
                running: running::in_pods(&cluster).await,
                namespace: cluster.usual_namespace().to_owned(),
            })
        }),
    }
}

fn missing(key: &ServiceKey, choice: &SourceChoice) -> Diagnostic {
    let object = ObjectRef::new("Service", key.namespace(), key.name());
    let (cause, remedy) = match choice {
        SourceChoice::Folder(args) => (
            format!(
                "the folder {} has no such Service, or its manifest is refused",
                args.dir.display()
            ),
            "check the spelling and the namespace (-n), and run `ferrolb check` on the folder",
        ),
        SourceChoice::Cluster(_) => (
            "the cluster has no such Service".to_owned(),
            "check the spelling and the namespace (-n)",
        ),
    };
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

/// What one process says; a controller has no sessions to tell of, and is left out without anything else.
fn live(place: String, report: Result<Report, String>, addresses: &[IpAddr]) -> Option<Live> {
    let mut live = Live {
        place,
        ..Live::default()
    };
    match report {
        Ok(report) => {
            let kept = report.faults.into_iter().filter(|fault| fault.last_good);
            live.last_good = kept.map(|fault| fault.object).collect();
            if report.node.is_none() && live.last_good.is_empty() {
                return None;
            }
            let asked = |answered: &AddressReport| {
                addresses
                    .iter()
                    .any(|address| address.to_string() == answered.address)
            };
            live.node = report.node;
            live.sessions = report.sessions;
            live.addresses = report.addresses.into_iter().filter(asked).collect();
        }
        Err(why) => live.silent = Some(why),
    }
    Some(live)
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
        return format!("  live: {} does not answer: {why}\n", live.place);
    }
    let node = live.node.as_deref().unwrap_or(&live.place);
    let last_good = live
        .last_good
        .iter()
        .map(|object| format!("  live: {node}: the last good version of {object} is in force, not what is computed here\n"));
    let sessions = live
        .sessions
        .iter()
        .map(|session| session_text(node, session));
    let addresses = live
        .addresses
        .iter()
        .map(|address| address_text(node, address));
    last_good.chain(sessions).chain(addresses).collect()
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
    let conflict = address.conflict.as_ref();
    let conflict = conflict.map(|mac| format!("; {mac} claims it too"));
    format!(
        "  live: {node}: {} answered {} of {} requests{}\n",
        address.address,
        address.responses,
        address.requests,
        conflict.unwrap_or_default()
    )
}
