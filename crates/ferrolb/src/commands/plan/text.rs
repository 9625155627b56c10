// SPDX-License-Identifier: Apache-2.0
//! Plans and differences as text.

use std::net::IpAddr;

use ferrolb_types::{NodeName, ServiceKey};

use super::{Announcement, Plan, PlannedService, difference::Difference};
use crate::status::table::Table;

/// A plan, beside what the state directory holds.
pub(super) fn plan(plan: &Plan, before: &Plan) -> String {
    let mut table = Table::new(&["SERVICE", "ADDRESSES", "POOL", "", "WHY"]);
    for (key, service) in &plan.services {
        let pool = service.pool.clone().unwrap_or_else(|| "-".to_owned());
        table.row([
            key.to_string(),
            list(&service.addresses),
            pool,
            verdict(key, service, before),
            why(service),
        ]);
    }
    let mut text = table.render();
    for (node, announcements) in &plan.nodes {
        text += &format!("\nnode {node} would announce\n");
        text += &lines(announcements.iter());
    }
    text
}

fn verdict(key: &ServiceKey, service: &PlannedService, before: &Plan) -> String {
    let held = before
        .services
        .get(key)
        .map(|service| service.addresses.as_slice())
        .unwrap_or_default();
    match (held.is_empty(), service.addresses.is_empty()) {
        (_, false) if held == service.addresses => "keeps".to_owned(),
        (true, false) => "gets".to_owned(),
        (false, false) => format!("moves from {}", list(held)),
        (true, true) => "waits".to_owned(),
        (false, true) => format!("loses {}", list(held)),
    }
}

fn why(service: &PlannedService) -> String {
    match &service.refusal {
        Some(fault) => format!("{} {}; {}", fault.code, fault.cause, fault.remedy),
        None => service.reasons.join("; "),
    }
}

fn lines<'a>(announcements: impl Iterator<Item = &'a Announcement>) -> String {
    let mut table = Table::new(&["  SERVICE", "TO", "WHAT", "HOW"]);
    for one in announcements {
        table.row([
            format!("  {}", one.service),
            one.to.clone(),
            one.what.clone(),
            one.how.clone(),
        ]);
    }
    if table.is_empty() {
        "  nothing\n".to_owned()
    } else {
        table.render()
    }
}

/// What would change.
pub(super) fn difference(difference: &Difference) -> String {
    if difference.is_empty() {
        return "nothing would change\n".to_owned();
    }
    let mut table = Table::new(&["SERVICE", "FROM", "TO", "WHY"]);
    for moved in &difference.services {
        let to = if moved.exists {
            list(&moved.to)
        } else {
            "(no such Service)".to_owned()
        };
        table.row([
            moved.service.to_string(),
            list(&moved.from),
            to,
            why(&moved.after),
        ]);
    }
    let services = if table.is_empty() {
        String::new()
    } else {
        table.render()
    };
    services
        + &sides("would be withdrawn", &difference.withdrawn)
        + &sides("would be announced", &difference.announced)
}

fn sides(title: &str, list: &[(NodeName, Announcement)]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["  NODE", "SERVICE", "TO", "WHAT", "HOW"]);
    for (node, one) in list {
        let row = [
            format!("  {node}"),
            one.service.clone(),
            one.to.clone(),
            one.what.clone(),
            one.how.clone(),
        ];
        table.row(row);
    }
    format!("\n{title}\n{}", table.render())
}

fn list(addresses: &[IpAddr]) -> String {
    if addresses.is_empty() {
        return "-".to_owned();
    }
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}
