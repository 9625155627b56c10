// SPDX-License-Identifier: Apache-2.0
//! What a process that announces says when it is asked.

use std::time::{Duration, Instant};

use ferrolb_bgp::{Advertised, NextHop, Problem};
use ferrolb_types::{PeerName, ServiceKey};
use ferrolb_world::{Announced, Reason};
use tokio::sync::oneshot;

use super::{Announcing, conflicts::Claim};
use crate::{
    drivers::{bgp, layer2},
    status::report::{
        AddressReport, Fault, InterfaceReport, Report, RouteReport, ServiceReport, SessionReport,
    },
};

/// Adds the node, who is alive, layer 2 and BGP.
pub(crate) async fn fill(report: &mut Report, announcing: &Announcing) {
    report.node = Some(announcing.node.to_string());
    let living = announcing.living();
    report.alive = living.map(|living| living.map(ToString::to_string).collect());
    report.refused_pools = announcing.refused_pools();
    add_layer2(report, announcing).await;
    add_bgp(report, announcing).await;
}

/// Adds what this node does for a Service.
pub(crate) fn service(line: &mut ServiceReport, announcing: &Announcing, key: &ServiceKey) {
    let Announced { layer2, bgp } = announcing.world.announced(key);
    let (no_layer2, no_bgp) = announcing.world.refusals(key);
    let code = |reason: Option<Reason>| reason.map(|reason| format!("no ({})", reason.code()));
    line.layer2 = layer2
        .map(|layer2| format!("yes, {}", layer2.interfaces))
        .or(code(no_layer2));
    let peers = |bgp: ferrolb_world::BgpAnnouncement| {
        let peers: Vec<&str> = bgp.peers().map(PeerName::as_str).collect();
        format!(
            "yes, to {}",
            if peers.is_empty() {
                "nobody".to_owned()
            } else {
                peers.join(",")
            }
        )
    };
    line.bgp = bgp.map(peers).or(code(no_bgp));
}

async fn add_layer2(report: &mut Report, announcing: &Announcing) {
    let Some(status) = announcing.layer2.handle.status().await else {
        return;
    };
    let now = Instant::now();
    let claim = |status: &layer2::AddressStatus| announcing.conflicts.of(now, status.address);
    let addresses = status.addresses.iter();
    report.addresses = addresses.map(|a| address(a, claim(a), now)).collect();
    report.interfaces = status.interfaces.iter().map(interface).collect();
}

fn address(status: &layer2::AddressStatus, claim: Option<&Claim>, now: Instant) -> AddressReport {
    AddressReport {
        address: status.address.to_string(),
        interfaces: status.interfaces.iter().map(ToString::to_string).collect(),
        requests: status.requests_received,
        responses: status.responses_sent,
        gratuitous: status.gratuitous_sent,
        conflict: claim.map(|claim| claim.by.clone()),
        conflict_ms: claim.map(|claim| millis(now.saturating_duration_since(claim.at))),
    }
}

fn interface(status: &layer2::InterfaceStatus) -> InterfaceReport {
    let unsuitable = status.unsuitable.map(|reason| reason.to_string());
    InterfaceReport {
        name: status.name.to_string(),
        mac: status.mac.clone().unwrap_or_default(),
        arp: status.arp,
        ndp: status.ndp.is_some(),
        reason: unsuitable.or_else(|| status.fault.clone()),
    }
}

async fn add_bgp(report: &mut Report, announcing: &Announcing) {
    let (tell, told) = oneshot::channel();
    if announcing
        .bgp
        .commands
        .send(bgp::Command::Status(tell))
        .await
        .is_err()
    {
        return;
    }
    let Ok(status) = told.await else { return };
    let now = Instant::now();
    let namespace = &announcing.namespace;
    let sessions = status.sessions.iter();
    report.sessions = sessions.map(|one| session(one, namespace, now)).collect();
    let routes = status
        .routes
        .iter()
        .flat_map(|(peer, routes)| routes.iter().map(move |route| (peer, route)));
    report.routes = routes
        .map(|(peer, route)| self::route(peer, route))
        .collect();
}

fn session(session: &bgp::Session, namespace: &str, now: Instant) -> SessionReport {
    let peer = &session.status;
    let fault = |problem: &Problem| Fault::from(&problem.diagnostic(namespace, &peer.peer));
    let active = peer.families.iter().filter(|family| family.active);
    SessionReport {
        peer: peer.peer.to_string(),
        remote: session.remote.to_string(),
        state: peer.state.to_string(),
        since_ms: millis(now.saturating_duration_since(peer.since)),
        local: peer.link.map(|link| link.local.to_string()),
        families: active.map(|family| family.family.to_string()).collect(),
        hold_ms: peer
            .negotiated
            .as_ref()
            .and_then(|negotiated| negotiated.hold_time)
            .map(millis),
        keepalive_ms: peer.link.and_then(|link| link.keepalive).map(millis),
        advertised: peer.families.iter().map(|family| family.advertised).sum(),
        pending: peer.families.iter().map(|family| family.pending).sum(),
        sent: (&peer.sent).into(),
        received: (&peer.received).into(),
        updates_sent: peer.sent.update,
        updates_received: peer.received.update,
        prefixes_received: peer.inbound.announced,
        flaps: peer.flaps,
        problems: peer.problems.iter().map(fault).collect(),
        last_error: peer.last_error.as_ref().map(|(_, problem)| fault(problem)),
        last_error_ms: peer
            .last_error
            .as_ref()
            .map(|(at, _)| millis(now.saturating_duration_since(*at))),
    }
}

fn route(peer: &PeerName, route: &Advertised) -> RouteReport {
    RouteReport {
        peer: peer.to_string(),
        prefix: route.prefix.to_string(),
        next_hop: Some(next_hop(&route.next_hop)),
        local_pref: route.attributes.local_pref,
        communities: route
            .attributes
            .communities
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

fn next_hop(hop: &NextHop) -> std::net::IpAddr {
    match hop {
        NextHop::V4(address) => (*address).into(),
        NextHop::V6 { global, .. } => (*global).into(),
    }
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
