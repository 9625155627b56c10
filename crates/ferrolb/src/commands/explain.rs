// SPDX-License-Identifier: Apache-2.0
//! `ferrolb explain`: why a Service has its address, and why each node announces it or not.
//!
//! The decisions are computed here, from folder and state, by the functions the roles use; what only
//! a running speaker knows (who is alive, its interfaces, its sessions) is asked of those that answer,
//! and who does not is named.

use ferrolb_types::{Diagnostic, ObjectRef, ServiceKey, codes};
use ferrolb_world::{Explanation, NodeLine};
use serde::Serialize;

use super::{
    Ending, block_on, failed,
    live::Live,
    outlook::Outlook,
    print, refused,
    running::{self, Asked},
};
use crate::{
    args::{ExplainArgs, Form, Refusal, SourceChoice, excluded},
    status::{report::Fault, socket},
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
    let mut outlook = looked.outlook;
    outlook.warn();
    if !outlook.services.contains_key(&key) {
        return refused(&missing(&key, &choice));
    }
    let answer = answer(&mut outlook, &looked.asked, &key);
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

fn answer(outlook: &mut Outlook, asked: &Asked, key: &ServiceKey) -> Answer {
    let reports = asked.running.iter().map(|one| (one.report(), &one.place));
    let reports: Vec<_> = reports.collect();
    let told = reports
        .iter()
        .filter_map(|(report, _)| report.as_ref().ok());
    outlook.learn(told);
    let addresses = outlook.held(key).addresses;
    let reports = reports.into_iter();
    let mut live: Vec<Live> = reports
        .filter_map(|(report, place)| Live::of(place.clone(), report, &addresses))
        .collect();
    let mut announcement = outlook.world.explain(key);
    live.iter().for_each(|one| one.correct(&mut announcement));
    let nodes = announcement.nodes.iter().filter(|line| announces(line));
    let bare = nodes.filter(|line| asked.lacks_speaker(line.node.as_str()));
    live.extend(bare.map(|line| Live::absent(line.node.as_str())));
    Answer {
        allocation: allocation(outlook, key),
        announcement,
        live,
    }
}

/// Whether the node is said to announce anything of the Service.
fn announces(line: &NodeLine) -> bool {
    line.layer2.is_ok() || line.bgp.as_ref().is_ok_and(|peers| !peers.is_empty())
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
    asked: Asked,
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
                asked: running::on_sockets(&sockets),
                namespace: "default".to_owned(),
            })
        }
        SourceChoice::Cluster(args) => block_on(async {
            let cluster = crate::cluster::connect(args, "cli").await?;
            Ok(Looked {
                outlook: Outlook::list(&cluster, args).await?,
                asked: running::in_pods(&cluster).await,
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
        answer.live.iter().map(Live::text).collect::<String>()
    )
}
