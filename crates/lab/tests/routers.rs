// SPDX-License-Identifier: Apache-2.0
//! Each router comes up, peers with BIRD on nodes over both families, and its view shows the routes
//! with every attribute.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use common::{NODE_AS, ROUTER_AS, SOON, able, expecting, network, route, services, speak};
use ferrolb_lab::{
    routers::{
        Families, Kind, Neighbor, Router, RouterConfig, RouterView, SessionState, StaticRoute,
    },
    topology::Host,
};
use ferrolb_types::Asn;
use ipnet::IpNet;

/// One external peer with keys, one internal peer, IPv4 and IPv6 each.
fn judge(kind: Kind) {
    if !able(kind.programs()) {
        return;
    }
    let net = network(2, 1);
    let (router, [external, internal]) = (&net.routers[0], [&net.nodes[0], &net.nodes[1]]);
    let keyed = |own, peer| Neighbor::new(own, peer, NODE_AS).keyed("s3cret");
    let config = RouterConfig::new(ROUTER_AS, router.id())
        .with(keyed(router.v4(), external.v4()))
        .with(keyed(router.v6(), external.v6()));
    let config = expecting(config, router, internal, ROUTER_AS);
    let running = kind.start(router.namespace(), &config).unwrap();
    let _external = speak(external, router, NODE_AS, Some("s3cret"));
    let _internal = speak(internal, router, ROUTER_AS, None);

    let (view, _) = running
        .wait_for("both nodes' routes of both families", SOON, &mut |view| {
            [external, internal]
                .into_iter()
                .all(|node| complete(view, node))
                && view.sessions.iter().all(|session| session.received == 1)
        })
        .unwrap();
    for session in &view.sessions {
        assert_eq!(
            (&session.state, session.received),
            (&SessionState::Established, 1),
            "{view}"
        );
    }
    check_paths(&view, external, &[Asn(NODE_AS)], None);
    check_paths(&view, internal, &[], Some(150));

    external.namespace().ip("link set eth0 down").unwrap();
    let (_, took) = running
        .wait_for("the hold timer ends the session", SOON, &mut |view| {
            !view.is_up(external.v4()) && view.path(prefix(0), external.v4()).is_none()
        })
        .unwrap();
    assert!(
        took > Duration::from_secs(1),
        "the peer only went silent: {took:?}"
    );
}

fn prefix(family: usize) -> IpNet {
    IpNet::from(services()[family])
}

fn complete(view: &RouterView, node: &Host) -> bool {
    let peers = [node.v4(), node.v6()];
    peers
        .into_iter()
        .enumerate()
        .all(|(family, peer)| view.is_up(peer) && view.path(prefix(family), peer).is_some())
}

fn check_paths(view: &RouterView, node: &Host, as_path: &[Asn], local_pref: Option<u32>) {
    for (family, peer) in [node.v4(), node.v6()].into_iter().enumerate() {
        let path = view.path(prefix(family), peer).unwrap();
        let sent = route(services()[family]);
        assert_eq!(path.as_path, as_path);
        assert!(path.next_hops.contains(&peer), "{path:?}");
        assert!(path.communities.iter().eq(&sent.communities), "{path:?}");
        assert!(
            path.large_communities.iter().eq(&sent.large_communities),
            "{path:?}"
        );
        if local_pref.is_some() {
            assert_eq!(path.local_pref, local_pref, "{path:?}");
        }
        assert_eq!(view.prefixes_from(peer), [prefix(family)].into());
    }
}

#[test]
fn bird() {
    judge(Kind::Bird);
}

#[test]
fn frr() {
    judge(Kind::Frr);
}

#[test]
fn gobgp() {
    judge(Kind::Gobgp);
}

#[test]
fn openbgpd() {
    judge(Kind::Openbgpd);
}

/// The routers announce too: what one originates, BIRD receives.
#[test]
fn every_router_originates_routes() {
    let programs: Vec<&str> = Kind::ALL
        .iter()
        .flat_map(|kind| kind.programs())
        .copied()
        .collect();
    if !able(&programs) {
        return;
    }
    let net = network(4, 1);
    let router = &net.routers[0];
    let config = net
        .nodes
        .iter()
        .fold(RouterConfig::new(ROUTER_AS, router.id()), |config, node| {
            expecting(config, router, node, NODE_AS)
        });
    // It listens before the others connect: OpenBGPD tries once in two minutes.
    let bird = Kind::Bird.start(router.namespace(), &config).unwrap();
    let senders = Kind::ALL.into_iter().zip(&net.nodes);
    let _senders: Vec<_> = senders
        .map(|(kind, node)| originate(kind, node, router))
        .collect();
    let (view, _) = bird
        .wait_for("routes of all four", SOON, &mut |view| {
            net.nodes.iter().all(|node| complete(view, node))
        })
        .unwrap();
    for (kind, node) in Kind::ALL.into_iter().zip(&net.nodes) {
        for (family, peer) in [node.v4(), node.v6()].into_iter().enumerate() {
            let path = view.path(prefix(family), peer).unwrap();
            let sent = route(services()[family]);
            assert!(
                path.communities.iter().eq(&sent.communities[..1]),
                "{kind}: {path:?}"
            );
            assert!(
                path.large_communities.iter().eq(&sent.large_communities),
                "{kind}: {path:?}"
            );
        }
    }
}

fn originate(kind: Kind, node: &Host, router: &Host) -> Box<dyn Router> {
    let mut routes = services().map(route);
    for route in &mut routes {
        // NO_EXPORT would keep it from an external peer.
        route.communities.truncate(1);
    }
    let config = RouterConfig::announcer(NODE_AS, node.id(), routes.to_vec())
        .with(Neighbor::new(node.v4(), router.v4(), ROUTER_AS).active())
        .with(Neighbor::new(node.v6(), router.v6(), ROUTER_AS).active());
    kind.start(node.namespace(), &config).unwrap()
}

#[test]
fn a_wrong_key_or_a_missing_family_shows_in_the_view() {
    if !able(&[]) {
        return;
    }
    let net = network(2, 1);
    let (router, [stranger, narrow]) = (&net.routers[0], [&net.nodes[0], &net.nodes[1]]);
    let config = RouterConfig::new(ROUTER_AS, router.id())
        .with(Neighbor::new(router.v4(), stranger.v4(), NODE_AS).keyed("right"))
        .with(Neighbor::new(router.v4(), narrow.v4(), NODE_AS));
    let bird = Kind::Bird.start(router.namespace(), &config).unwrap();
    let _stranger = speak(stranger, router, NODE_AS, Some("wrong"));
    let both = RouterConfig::announcer(
        NODE_AS,
        narrow.id(),
        services()
            .map(|address| StaticRoute::new(IpNet::from(address)))
            .to_vec(),
    )
    .with(
        Neighbor::new(narrow.v4(), router.v4(), ROUTER_AS)
            .active()
            .carrying(Families::Both),
    );
    let _narrow = Kind::Bird.start(narrow.namespace(), &both).unwrap();
    let (view, _) = bird
        .wait_for("the narrow session's route", SOON, &mut |view| {
            view.path(prefix(0), narrow.v4()).is_some()
        })
        .unwrap();
    assert!(view.paths(prefix(1)).is_empty(), "IPv6 was not agreed on");
    // Two connect retries later still nothing.
    std::thread::sleep(Duration::from_secs(2));
    assert!(!bird.view().unwrap().is_up(stranger.v4()));
}
