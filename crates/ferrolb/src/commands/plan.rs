// SPDX-License-Identifier: Apache-2.0
//! `ferrolb plan`: the address each Service would get or keep, and who would announce it to whom.

mod difference;
mod text;

use std::{collections::BTreeMap, fs, net::IpAddr, path::Path};

use anyhow::anyhow;
use ferrolb_types::{Diagnostic, NodeName, ObjectRef, ServiceKey, codes};
use ferrolb_world::NodeLine;
use serde::{Deserialize, Serialize};

use super::{Ending, failed, outlook::Outlook, print};
use crate::{
    args::{Form, PlanArgs, bad_path},
    state::{Generation, Held},
    status::report::Fault,
};

use difference::Difference;

/// A plan: the JSON of `ferrolb plan -o json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Every Service that is ours, by namespace and name.
    pub services: BTreeMap<ServiceKey, PlannedService>,
    /// What each node would announce, by node.
    pub nodes: BTreeMap<NodeName, Vec<Announcement>>,
}

/// What a Service would hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedService {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Their pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// How that came about.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Why it has none, or not what it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Fault>,
}

/// What a node would announce of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Announcement {
    /// The Service.
    pub service: String,
    /// `layer 2`, or the name of the peer.
    pub to: String,
    /// Addresses in layer 2, a prefix towards a peer.
    pub what: String,
    /// Interfaces in layer 2, attributes towards a peer.
    pub how: String,
}

/// Plans and prints.
#[must_use]
pub fn run(args: &PlanArgs) -> Ending {
    match plan(args) {
        Ok(text) => {
            print(&text);
            Ending::Fine
        }
        Err(error) => failed(&error),
    }
}

fn plan(args: &PlanArgs) -> anyhow::Result<String> {
    let choice = args
        .source
        .choose()
        .map_err(|refusal| anyhow!("{refusal}"))?;
    let outlook = Outlook::of(&choice)?;
    outlook.warn();
    let plan = Plan::of(&outlook, args.node.as_deref())?;
    let Some(path) = &args.against else {
        return Ok(match args.output {
            Form::Json => serde_json::to_string_pretty(&plan)? + "\n",
            Form::Text => text::plan(&plan, &Plan::holding(&outlook.before)),
        });
    };
    let before = read(path)?;
    let difference = Difference::between(&before, &plan);
    Ok(match args.output {
        Form::Json => serde_json::to_string_pretty(&difference)? + "\n",
        Form::Text => text::difference(&difference),
    })
}

/// Reads what to compare with: a state file, or a saved plan.
fn read(path: &Path) -> anyhow::Result<Plan> {
    let refused = |cause: &str, remedy: &str| {
        let refusal = bad_path("--against", path, cause, remedy);
        anyhow!("{refusal}")
    };
    let text = fs::read_to_string(path).map_err(|error| {
        let cause = format!("it cannot be read: {error}");
        refused(
            &cause,
            "name a file that is there and that this user may read",
        )
    })?;
    match Generation::parse(&text) {
        Ok(generation) => Ok(Plan::holding(&generation)),
        Err(damage) => serde_json::from_str(&text).map_err(|error| {
            let cause = format!("it is no whole state file ({damage}) and no saved plan ({error})");
            let remedy = "name a state file, DIR/.ferrolb/addresses as a rule, or what \
                          `ferrolb plan -o json` printed";
            refused(&cause, remedy)
        }),
    }
}

impl Plan {
    fn of(outlook: &Outlook, node: Option<&str>) -> anyhow::Result<Self> {
        let mut plan = Self::default();
        for known in outlook
            .world
            .nodes()
            .filter(|known| node.is_none_or(|name| known.name.as_str() == name))
        {
            plan.nodes.insert(known.name.clone(), Vec::new());
        }
        if let (Some(name), true) = (node, plan.nodes.is_empty()) {
            let object = ObjectRef::new("Node", "", name);
            let cause = "there is no such Node (--node)";
            let remedy = "give the name of a Node as `ferrolb plan` without --node lists it";
            let refusal = Diagnostic::error(codes::command::X006, object, cause, remedy);
            return Err(anyhow!("{refusal}"));
        }
        for key in outlook.services.keys().filter(|key| outlook.is_ours(key)) {
            plan.services
                .insert(key.clone(), PlannedService::of(outlook, key));
            plan.add_announcements(outlook, key);
        }
        Ok(plan)
    }

    /// A plan that knows of nothing but addresses held.
    fn holding(generation: &Generation) -> Self {
        let service = |held: &Held| PlannedService {
            addresses: held.addresses.clone(),
            pool: held.pool.as_ref().map(ToString::to_string),
            ..PlannedService::default()
        };
        let services = generation
            .services
            .iter()
            .map(|(key, held)| (key.clone(), service(held)));
        Self {
            services: services.collect(),
            nodes: BTreeMap::new(),
        }
    }

    fn add_announcements(&mut self, outlook: &Outlook, key: &ServiceKey) {
        let explanation = outlook.world.explain(key);
        let addresses: Vec<String> = explanation
            .addresses
            .iter()
            .map(|line| line.address.to_string())
            .collect();
        for line in &explanation.nodes {
            if let Some(list) = self.nodes.get_mut(&line.node) {
                list.extend(announcements(key, &addresses.join(","), line));
            }
        }
    }
}

fn announcements(key: &ServiceKey, addresses: &str, line: &NodeLine) -> Vec<Announcement> {
    let layer2 = line.layer2.as_ref().ok().map(|interfaces| Announcement {
        service: key.to_string(),
        to: "layer 2".to_owned(),
        what: addresses.to_owned(),
        how: interfaces.to_string(),
    });
    let peers = line.bgp.iter().flatten().filter_map(|peer| {
        Some(Announcement {
            service: key.to_string(),
            to: peer.peer.to_string(),
            what: peer.prefix.to_string(),
            how: peer.told.as_ref().ok()?.clone(),
        })
    });
    layer2.into_iter().chain(peers).collect()
}

impl PlannedService {
    fn of(outlook: &Outlook, key: &ServiceKey) -> Self {
        let held = outlook.held(key);
        let explanation = outlook.engine.explain(key);
        let refusal = explanation.as_ref().and_then(|e| e.refusal.as_ref());
        let reasons = explanation
            .iter()
            .flat_map(|e| e.reasons.iter().map(ToString::to_string));
        Self {
            addresses: held.addresses,
            pool: held.pool.as_ref().map(ToString::to_string),
            reasons: reasons.collect(),
            refusal: refusal.map(|refusal| Fault::from(&outlook.positioned(refusal))),
        }
    }
}
