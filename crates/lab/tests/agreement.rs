// SPDX-License-Identifier: Apache-2.0
//! What `ferrolb status` says peers have is what the routers say they have: prefixes, next hops,
//! communities, local preferences, of both families, through changes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use common::{
    NODE_AS, ROUTER_AS, able,
    folder::{Folder, PATIENCE, advertisement, await_session, is_established, peer, service},
    network,
};
use ferrolb_lab::{
    ferrolb::{Instance, Role},
    routers::{Families, Kind, Neighbor, Router, RouterConfig, RouterView},
    topology::{Host, LAN, Topology},
    wait,
};
use serde_json::Value;

const KEY: &str = "password: s3cret";
const DUAL: &str = "dualStackAddressFamily: true";

/// A route as both sides tell it: next hop, LOCAL_PREF where it is sent, communities.
type Facts = (IpAddr, Option<u32>, BTreeSet<String>);

/// A session: the peer's name, the node's address the router knows it by, whether it is internal.
struct Link<'a> {
    peer: &'a str,
    node: IpAddr,
    internal: bool,
    speaker: &'a Instance,
}

impl Link<'_> {
    fn told(&self) -> Option<BTreeMap<String, Facts>> {
        let status = self.speaker.status().ok()?;
        let routes = status["routes"].as_array()?.iter();
        let own = routes.filter(|route| route["peer"] == self.peer);
        own.map(|route| self.told_route(route)).collect()
    }

    fn told_route(&self, route: &Value) -> Option<(String, Facts)> {
        let hop = route["nextHop"].as_str()?.parse().ok()?;
        let preference = route["localPref"]
            .as_u64()
            .and_then(|value| u32::try_from(value).ok());
        let words = route["communities"].as_array()?.iter();
        let communities = words
            .filter_map(|word| Some(word.as_str()?.to_owned()))
            .collect();
        let prefix = route["prefix"].as_str()?.to_owned();
        Some((
            prefix,
            (hop, preference.filter(|_| self.internal), communities),
        ))
    }

    /// The router's view, in which a next hop may be one of several (a link-local one beside).
    fn seen(&self, view: &RouterView, told: &BTreeMap<String, Facts>) -> BTreeMap<String, Facts> {
        let own = view
            .routes
            .iter()
            .filter(|route| route.peer == Some(self.node));
        own.map(|route| {
            let prefix = route.prefix.to_string();
            let expected = told.get(&prefix).map(|facts| facts.0);
            let among = expected.filter(|hop| route.next_hops.contains(hop));
            let hop = among.or(route.next_hops.first().copied());
            let standard = route.communities.iter().map(ToString::to_string);
            let large = route.large_communities.iter().map(ToString::to_string);
            let facts = (
                hop.unwrap_or(self.node),
                route.local_pref.filter(|_| self.internal),
                standard.chain(large).collect(),
            );
            (prefix, facts)
        })
        .collect()
    }
}

/// Waits until every session's routes are the same from both sides and satisfy the condition.
fn agree(router: &dyn Router, links: &[Link<'_>], prefixes: &[&str], community: &str) {
    let expected: BTreeSet<&str> = prefixes.iter().copied().collect();
    let mut last = String::new();
    let agreed = wait::until("status and router agree", PATIENCE, || {
        let view = router.view()?;
        for link in links {
            let Some(told) = link.told() else {
                return Ok(false);
            };
            let seen = link.seen(&view, &told);
            let whole = told.keys().map(String::as_str).collect::<BTreeSet<_>>() == expected
                && told.values().all(|facts| facts.2.contains(community));
            if !whole || told != seen {
                last = format!("{}:\nstatus {told:#?}\nrouter {seen:#?}", link.peer);
                return Ok(false);
            }
        }
        Ok(true)
    });
    agreed.unwrap_or_else(|error| panic!("{error:#}\n{last}"));
}

fn advertisements(community: &str) -> String {
    let communities = format!("communities: ['{community}', 'large:64501:1:7']");
    advertisement("hosts", &[&communities, "localPref: 150"])
        + &advertisement(
            "aggregates",
            &[
                &communities,
                "aggregationLength: 26",
                "aggregationLengthV6: 120",
                "localPref: 120",
            ],
        )
}

/// External sessions with keys on `n1`, internal ones on `n2`; one of each carries both families.
fn peers(router: &Host) -> String {
    let (v4, v6) = (router.v4().to_string(), router.v6().to_string());
    peer("external-v4", NODE_AS, ROUTER_AS, &v4, &["n1"], &[KEY])
        + &peer(
            "external-v6",
            NODE_AS,
            ROUTER_AS,
            &v6,
            &["n1"],
            &[KEY, DUAL],
        )
        + &peer("internal-v4", ROUTER_AS, ROUTER_AS, &v4, &["n2"], &[DUAL])
        + &peer("internal-v6", ROUTER_AS, ROUTER_AS, &v6, &["n2"], &[])
}

fn router_config(net: &Topology) -> RouterConfig {
    let (router, external, internal) = (&net.routers[0], &net.nodes[0], &net.nodes[1]);
    let outside = |own, node| Neighbor::new(own, node, NODE_AS).keyed("s3cret");
    let inside = |own, node| Neighbor::new(own, node, ROUTER_AS);
    RouterConfig::new(ROUTER_AS, router.id())
        .with(outside(router.v4(), external.v4()))
        .with(outside(router.v6(), external.v6()).carrying(Families::Both))
        .with(inside(router.v4(), internal.v4()).carrying(Families::Both))
        .with(inside(router.v6(), internal.v6()))
}

fn of_family<'a>(prefixes: &[&'a str], v6: bool) -> Vec<&'a str> {
    prefixes
        .iter()
        .copied()
        .filter(|prefix| prefix.contains(':') == v6)
        .collect()
}

fn judge(kind: Kind) {
    if !able(kind.programs()) {
        return;
    }
    let net = network(2, 1);
    let running = kind
        .start(net.routers[0].namespace(), &router_config(&net))
        .unwrap();
    let folder = Folder::new(&net);
    folder.write("peers", &peers(&net.routers[0]));
    folder.write("advertisements", &advertisements("64501:100"));
    folder.write("web", &service("web", "203.0.113.1,2001:db8:3::1"));
    folder.write("shop", &service("shop", "203.0.113.65,2001:db8:3::165"));
    let _controller = folder.start(&net.client, Role::Controller);
    let speakers = [0, 1].map(|node| folder.start(&net.nodes[node], Role::Speaker));
    let link = |peer, node: usize, v6: bool| Link {
        peer,
        node: if v6 {
            net.nodes[node].v6()
        } else {
            net.nodes[node].v4()
        },
        internal: node == 1,
        speaker: &speakers[node],
    };
    let dual = [link("external-v6", 0, true), link("internal-v4", 1, false)];
    let (v4, v6) = (
        [link("external-v4", 0, false)],
        [link("internal-v6", 1, true)],
    );
    let all_agree = |prefixes: &[&str], community: &str| {
        agree(&*running, &dual, prefixes, community);
        agree(&*running, &v4, &of_family(prefixes, false), community);
        agree(&*running, &v6, &of_family(prefixes, true), community);
    };
    let web = [
        "203.0.113.1/32",
        "203.0.113.0/26",
        "2001:db8:3::1/128",
        "2001:db8:3::/120",
    ];
    let shop = [
        "203.0.113.65/32",
        "203.0.113.64/26",
        "2001:db8:3::165/128",
        "2001:db8:3::100/120",
    ];
    all_agree(&[web, shop].concat(), "64501:100");
    let links = || dual.iter().chain(&v4).chain(&v6);
    let since: Vec<u64> = links().map(established_for).collect();
    if kind == Kind::Frr {
        // Two sessions of both families and two of one.
        wait::until("End-of-RIB of every family", PATIENCE, || {
            Ok(running.process().log().matches("rcvd End-of-RIB").count() == 6)
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", running.process().log()));
    }

    folder.remove("shop");
    all_agree(&web, "64501:100");
    folder.write("advertisements", &advertisements("64501:200"));
    all_agree(&web, "64501:200");
    for (link, before) in links().zip(since) {
        assert!(established_for(link) >= before, "{} was reset", link.peer);
    }

    folder.remove("peers");
    running
        .wait_for("no session is left", PATIENCE, &mut |view| {
            links().all(|link| !view.is_up(link.node)) && view.routes.is_empty()
        })
        .unwrap();
    ended_by_cease(kind, &*running);
}

/// Each session's end was a Cease in the router's own words, of its state or, where that tells
/// nothing of past sessions, of its log.
fn ended_by_cease(kind: Kind, running: &dyn Router) {
    let ends: Vec<String> = match kind {
        Kind::Bird | Kind::Frr => {
            let sessions = running.sessions().unwrap().into_iter();
            sessions.filter_map(|session| session.last_error).collect()
        }
        Kind::Gobgp | Kind::Openbgpd => {
            let log = running.process().log();
            let told = log
                .lines()
                .filter(|line| line.to_lowercase().contains("notification"));
            told.map(str::to_owned).collect()
        }
    };
    let words = [
        "cease",
        "de-configured",
        "deconfigured",
        "unconfigured",
        "code 6",
    ];
    let is_cease = |end: &&String| words.iter().any(|word| end.to_lowercase().contains(word));
    let log = running.process().log();
    assert_eq!(ends.iter().filter(is_cease).count(), 4, "{ends:?}\n{log}");
}

/// For how long a session stands; it was never lost.
fn established_for(link: &Link<'_>) -> u64 {
    let session = await_session(link.speaker, link.peer, is_established);
    assert_eq!(session["flaps"], 0, "{session:#}");
    session["sinceMs"].as_u64().unwrap()
}

/// `n1` announces a dual-stack Service over one session; `more` are further lines of the peer.
fn announcing(net: &Topology, router: IpAddr, more: &[&str]) -> (Folder, Instance) {
    let folder = Folder::new(net);
    let router = router.to_string();
    folder.write(
        "peers",
        &peer("r1", NODE_AS, ROUTER_AS, &router, &["n1"], more),
    );
    folder.write(
        "hosts",
        &advertisement("hosts", &["communities: ['64501:1']"]),
    );
    folder.write("web", &service("web", "203.0.113.1,2001:db8:3::1"));
    let speaker = folder.start(&net.nodes[0], Role::Standalone);
    (folder, speaker)
}

/// IPv4 routes from a node without an IPv4 address: their next hop is IPv6 (RFC 8950).
fn ipv4_over_ipv6(kind: Kind) {
    if !able(kind.programs()) {
        return;
    }
    let net = network(1, 1);
    let (node, router) = (&net.nodes[0], &net.routers[0]);
    node.namespace().ip("-4 address flush dev eth0").unwrap();
    let neighbor = Neighbor::new(router.v6(), node.v6(), NODE_AS).carrying(Families::Both);
    let config = RouterConfig::new(ROUTER_AS, router.id()).with(neighbor);
    let running = kind.start(router.namespace(), &config).unwrap();
    let (folder, speaker) = announcing(&net, router.v6(), &[DUAL, "routerID: 192.0.2.11"]);
    let links = [Link {
        peer: "r1",
        node: node.v6(),
        internal: false,
        speaker: &speaker,
    }];
    agree(
        &*running,
        &links,
        &["203.0.113.1/32", "2001:db8:3::1/128"],
        "64501:1",
    );
    let told = links[0].told().unwrap();
    assert_eq!(told["203.0.113.1/32"].0, node.v6());
    folder.remove("web");
    agree(&*running, &links, &[], "64501:1");
    established_for(&links[0]);
}

/// The IPv6 next hop of a session over IPv4 is an address of its interface: routes go with it and come
/// back with the next one, on the same session.
fn next_hops_follow_the_interface(kind: Kind) {
    if !able(kind.programs()) {
        return;
    }
    let net = network(1, 1);
    let (node, router) = (&net.nodes[0], &net.routers[0]);
    let neighbor = Neighbor::new(router.v4(), node.v4(), NODE_AS).carrying(Families::Both);
    let config = RouterConfig::new(ROUTER_AS, router.id()).with(neighbor);
    let running = kind.start(router.namespace(), &config).unwrap();
    let (_folder, speaker) = announcing(&net, router.v4(), &[DUAL]);
    let links = [Link {
        peer: "r1",
        node: node.v4(),
        internal: false,
        speaker: &speaker,
    }];
    let both = ["203.0.113.1/32", "2001:db8:3::1/128"];
    let ip = |command: &str| node.namespace().ip(command).unwrap();
    agree(&*running, &links, &both, "64501:1");
    ip(&format!("-6 address del {}/64 dev {LAN}", node.v6()));
    agree(&*running, &links, &both[..1], "64501:1");
    ip(&format!("-6 address add 2001:db8:1::77/64 dev {LAN}"));
    agree(&*running, &links, &both, "64501:1");
    ip(&format!("-6 address add 2001:db8:1::5/64 dev {LAN}"));
    ip(&format!("-6 address del 2001:db8:1::77/64 dev {LAN}"));
    wait::until("the next hop is the address that is left", PATIENCE, || {
        let told = links[0].told().unwrap_or_default();
        Ok(told
            .get(both[1])
            .is_some_and(|facts| facts.0 == "2001:db8:1::5".parse::<IpAddr>().unwrap()))
    })
    .unwrap();
    agree(&*running, &links, &both, "64501:1");
    established_for(&links[0]);
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

#[test]
fn next_hops_follow_the_interface_bird() {
    next_hops_follow_the_interface(Kind::Bird);
}

#[test]
fn next_hops_follow_the_interface_frr() {
    next_hops_follow_the_interface(Kind::Frr);
}

#[test]
fn ipv4_over_ipv6_bird() {
    ipv4_over_ipv6(Kind::Bird);
}

#[test]
fn ipv4_over_ipv6_frr() {
    ipv4_over_ipv6(Kind::Frr);
}

#[test]
fn ipv4_over_ipv6_gobgp() {
    ipv4_over_ipv6(Kind::Gobgp);
}
