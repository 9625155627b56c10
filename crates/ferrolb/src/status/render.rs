// SPDX-License-Identifier: Apache-2.0
//! The report as tables for people.

use std::fmt::Write as _;

use super::{
    report::{AddressReport, Fault, Report, RouteReport, ServiceReport, SessionReport},
    table::Table,
};

/// The tables of one process.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = headline(report);
    for (title, table) in [
        ("Services", services(report)),
        ("Pools", pools(report)),
        ("BGP sessions", sessions(report)),
        ("Routes", routes(report)),
        ("Layer 2 addresses", addresses(report)),
        ("Interfaces", interfaces(report)),
    ] {
        if !table.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{title}\n{}", indent(&table.render()));
        }
    }
    text + &trouble(report)
}

fn headline(report: &Report) -> String {
    let name = report
        .node
        .as_deref()
        .map(|node| format!(" {node}"))
        .unwrap_or_default();
    let errors = report
        .faults
        .iter()
        .filter(|fault| fault.severity == "error")
        .count();
    let synced = if report.synced {
        ""
    } else {
        ", waiting for its first complete input"
    };
    let leader = report.leader.as_ref();
    let leader = leader.map(|leader| format!(", standing by for {leader}"));
    let alive = report
        .alive
        .as_ref()
        .map(|nodes| format!(", alive: {}", nodes.join(" ")));
    format!(
        "{}{name}  version {}, pid {}, up {}{synced}{}{}, {errors} refused\n",
        report.role,
        report.version,
        report.pid,
        duration(report.uptime_ms),
        leader.unwrap_or_default(),
        alive.unwrap_or_default(),
    )
}

fn services(report: &Report) -> Table {
    let announces = report.node.is_some();
    let head: &[&str] = if announces {
        &["SERVICE", "ADDRESSES", "POOL", "LAYER 2", "BGP"]
    } else {
        &["SERVICE", "ADDRESSES", "POOL"]
    };
    let mut table = Table::new(head);
    for service in &report.services {
        let mut cells = vec![
            service.service.clone(),
            holding(service),
            or_dash(service.pool.clone()),
        ];
        if announces {
            cells.extend([
                or_dash(service.layer2.clone()),
                or_dash(service.bgp.clone()),
            ]);
        }
        table.row(cells);
    }
    table
}

fn pools(report: &Report) -> Table {
    let used = |used: u64, total: u64| match total {
        0 => "-".to_owned(),
        total => format!("{used} of {total}"),
    };
    let mut table = Table::new(&["POOL", "IPV4", "IPV6"]);
    for pool in &report.pools {
        table.row([
            pool.pool.clone(),
            used(pool.ipv4_in_use, pool.ipv4_total),
            used(pool.ipv6_in_use, pool.ipv6_total),
        ]);
    }
    table
}

fn holding(service: &ServiceReport) -> String {
    match &service.pending {
        Some(fault) if service.addresses.is_empty() => format!("pending ({})", fault.code),
        _ if service.addresses.is_empty() => "pending".to_owned(),
        _ => list(&service.addresses),
    }
}

fn sessions(report: &Report) -> Table {
    let head = [
        "PEER", "ADDRESS", "STATE", "SINCE", "FAMILIES", "SENT", "PENDING", "RECEIVED", "FLAPS",
        "TROUBLE",
    ];
    let mut table = Table::new(&head);
    for session in &report.sessions {
        table.row([
            session.peer.clone(),
            session.remote.clone(),
            session.state.clone(),
            duration(session.since_ms),
            or_dash(Some(session.families.join(","))),
            session.advertised.to_string(),
            session.pending.to_string(),
            session.prefixes_received.to_string(),
            session.flaps.to_string(),
            first_trouble(session),
        ]);
    }
    table
}

fn first_trouble(session: &SessionReport) -> String {
    session
        .problems
        .first()
        .map(|fault| format!("{}: {}", fault.code, fault.cause))
        .unwrap_or_default()
}

fn routes(report: &Report) -> Table {
    let mut table = Table::new(&["PREFIX", "PEER", "NEXT HOP", "LOCAL PREF", "COMMUNITIES"]);
    let mut routes: Vec<&RouteReport> = report.routes.iter().collect();
    routes.sort_by_key(|route| (&route.prefix, &route.peer));
    for route in routes {
        table.row([
            route.prefix.clone(),
            route.peer.clone(),
            or_dash(route.next_hop.map(|address| address.to_string())),
            or_dash(route.local_pref.map(|value| value.to_string())),
            route.communities.join(" "),
        ]);
    }
    table
}

fn addresses(report: &Report) -> Table {
    let head = [
        "ADDRESS",
        "INTERFACES",
        "REQUESTS",
        "ANSWERS",
        "UNSOLICITED",
        "CLAIMED BY",
    ];
    let mut table = Table::new(&head);
    for address in &report.addresses {
        let interfaces = if address.interfaces.is_empty() {
            "all".to_owned()
        } else {
            address.interfaces.join(",")
        };
        table.row([
            address.address.clone(),
            interfaces,
            address.requests.to_string(),
            address.responses.to_string(),
            address.gratuitous.to_string(),
            claimed(address).unwrap_or_default(),
        ]);
    }
    table
}

/// Who else claims an address, and how long ago that was seen.
pub(crate) fn claimed(address: &AddressReport) -> Option<String> {
    let by = address.conflict.as_ref()?;
    let ago = address.conflict_ms.map(duration);
    Some(ago.map_or_else(|| by.clone(), |ago| format!("{by}, {ago} ago")))
}

fn interfaces(report: &Report) -> Table {
    let mut table = Table::new(&["INTERFACE", "MAC", "ARP", "NDP", "REASON"]);
    for interface in &report.interfaces {
        table.row([
            interface.name.clone(),
            interface.mac.clone(),
            yes(interface.arp),
            yes(interface.ndp),
            interface.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// Every fault in full: first what is refused, then sessions, then Services without an address.
fn trouble(report: &Report) -> String {
    let sessions = report.sessions.iter().flat_map(|session| &session.problems);
    let pending = report
        .services
        .iter()
        .filter_map(|service| service.pending.as_ref());
    let mut text = String::new();
    for fault in report.faults.iter().chain(sessions).chain(pending) {
        text += &full(fault);
    }
    if text.is_empty() {
        text
    } else {
        format!("\nTrouble\n{text}")
    }
}

fn full(fault: &Fault) -> String {
    let field = if fault.field.is_empty() {
        String::new()
    } else {
        format!(" {}", fault.field)
    };
    let value = fault
        .value
        .as_ref()
        .map(|value| format!(" {value:?}"))
        .unwrap_or_default();
    let position = fault
        .position
        .as_ref()
        .map(|at| format!("    at    {at}\n"))
        .unwrap_or_default();
    let meanwhile = match fault.last_good {
        true => "    now   the last good version of it is in force\n",
        false => "",
    };
    format!(
        "  {} {} {}{field}{value}\n    what  {}\n    do    {}\n{meanwhile}{position}",
        fault.severity, fault.code, fault.object, fault.cause, fault.remedy
    )
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn or_dash(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or_else(|| "-".to_owned())
}

fn list<T: ToString>(items: &[T]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// A time span as a person says it: the two largest units.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms}ms"),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let table = [
            (5, "5ms"),
            (59_999, "59s"),
            (61_000, "1m1s"),
            (3_660_000, "1h1m"),
            (90_000_000, "1d1h"),
        ];
        for (ms, want) in table {
            assert_eq!(duration(ms), want);
        }
    }

    #[test]
    fn a_claim_shows_how_long_ago_it_was_seen() {
        let mut address = AddressReport::default();
        assert_eq!(claimed(&address), None);
        address.conflict = Some("02:00:00:00:00:01 on eth0".into());
        address.conflict_ms = Some(61_000);
        let want = "02:00:00:00:00:01 on eth0, 1m1s ago";
        assert_eq!(claimed(&address).as_deref(), Some(want));
        let report = Report {
            addresses: vec![address],
            ..Report::default()
        };
        assert!(render(&report).contains(want));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["addresses"][0]["conflictMs"], 61_000);
    }

    #[test]
    fn a_pending_service_shows_its_code_and_its_remedy() {
        let pending = Fault {
            severity: "error".into(),
            code: "FLB-I001".into(),
            object: "Service default/web".into(),
            cause: "no pool has a free address".into(),
            remedy: "add addresses to a pool".into(),
            ..Fault::default()
        };
        let service = ServiceReport {
            service: "default/web".into(),
            pending: Some(pending),
            ..ServiceReport::default()
        };
        let text = render(&Report {
            role: "controller".into(),
            services: vec![service],
            ..Report::default()
        });
        assert!(
            text.contains("default/web  pending (FLB-I001)  -"),
            "{text}"
        );
        assert!(text.contains("do    add addresses to a pool"), "{text}");
    }
}
