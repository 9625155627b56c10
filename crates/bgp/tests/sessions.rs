// SPDX-License-Identifier: Apache-2.0
//! Two speakers over a virtual link: what an operator sees when sessions come, go and change.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{net::Ipv6Addr, time::Duration};

use common::{attributes, net::Net, peer, speaker, to_all};
use ferrolb_bgp::{Families, PeerConfig, Speaker, State, What};
use ferrolb_types::{RouteTargets, Secret};
use ipnet::IpNet;

const A: usize = 0;
const B: usize = 1;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn towards_b() -> PeerConfig {
    peer("b", 64500, 64501, "10.0.0.2")
}

/// A at 10.0.0.1 (AS 64500) and B at 10.0.0.2 (AS 64501), synced, each configured as the other's peer.
fn pair_of(seed: u64, edit: impl Fn(&mut PeerConfig)) -> Net {
    let mut net = Net::new(seed).lossy(5);
    net.add("10.0.0.1", speaker([10, 0, 0, 1]));
    net.add("10.0.0.2", speaker([10, 0, 0, 2]));
    let (mut to_b, mut to_a) = (towards_b(), peer("a", 64501, 64500, "10.0.0.1"));
    edit(&mut to_b);
    edit(&mut to_a);
    for (node, config) in [(A, to_b), (B, to_a)] {
        net.on(node, |speaker, now| {
            speaker.set_synced(now);
            speaker.set_peer(now, config);
        });
    }
    net
}

fn up(seed: u64) -> Net {
    let mut net = pair_of(seed, |_| {});
    net.until(secs(30), Net::both_established);
    net.run(secs(3));
    net
}

fn announce(net: &mut Net, prefix: &str, communities: &[&str]) {
    let targets = to_all(communities);
    net.on(A, |speaker, now| {
        speaker.set_route(now, self::net(prefix), targets);
    });
}

#[test]
fn both_connect_at_once_and_one_connection_is_kept() {
    for seed in 0..20 {
        let net = up(seed);
        assert!(net.both_established(), "seed {seed}");
        let open = net
            .wires
            .iter()
            .filter(|wire| !wire.dead && wire.ends[0].tap.kinds.contains(&4));
        assert!(open.count() >= 1);
        assert_eq!(
            (net.status(A).flaps, net.status(B).flaps),
            (0, 0),
            "seed {seed}"
        );
        // RFC 4271 6.8: the connection opened by the higher identifier, B, is kept.
        assert!(net.status(A).link.unwrap().accepted, "seed {seed}");
        assert!(!net.status(B).link.unwrap().accepted, "seed {seed}");
    }
}

#[test]
fn one_sided_listening_is_enough() {
    for deaf in [A, B] {
        let mut net = pair_of(3, |_| {});
        net.nodes[deaf].listens = false;
        net.until(secs(30), Net::both_established);
    }
}

#[test]
fn a_change_costs_one_update() {
    let mut net = up(1);
    (0..50).for_each(|n| announce(&mut net, &format!("192.0.2.{n}/32"), &["64500:1"]));
    net.run(secs(1));
    assert_eq!(net.tap(B).routes.len(), 50);
    let before = (net.tap(B).updates, net.status(A).sent.update);
    announce(&mut net, "192.0.2.7/32", &["64500:2"]);
    net.run(secs(1));
    assert_eq!(net.tap(B).updates, before.0 + 1);
    assert_eq!(net.status(A).sent.update, before.1 + 1);
    net.on(A, |speaker, now| {
        speaker.set_route(now, self::net("192.0.2.7/32"), None);
    });
    net.run(secs(1));
    assert_eq!(
        (net.tap(B).updates, net.tap(B).routes.len()),
        (before.0 + 2, 49)
    );
    announce(&mut net, "192.0.2.8/32", &["64500:1"]);
    net.run(secs(1));
    assert_eq!(
        net.tap(B).updates,
        before.0 + 2,
        "what is unchanged is not sent"
    );
}

#[test]
fn attributes_towards_an_external_peer() {
    let mut net = up(2);
    announce(&mut net, "192.0.2.1/32", &["64500:1", "large:1:2:3"]);
    net.run(secs(1));
    let route = &net.tap(B).routes[&self::net("192.0.2.1/32")];
    assert_eq!(route.next_hop, [10, 0, 0, 1]);
    let kinds: Vec<u8> = route.attributes.keys().copied().collect();
    assert_eq!(kinds, [1, 2, 3, 8, 32], "no LOCAL_PREF");
    assert_eq!(route.attributes[&1], [0]);
    assert_eq!(route.attributes[&2], [2, 1, 0, 0, 0xfb, 0xf4]);
    assert_eq!(route.attributes[&8], [0xfb, 0xf4, 0, 1]);
    assert_eq!(route.attributes[&32], [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
}

#[test]
fn attributes_towards_an_internal_peer() {
    let mut net = pair_of(2, |config| {
        (config.my_asn, config.peer_asn) = (ferrolb_types::Asn(64500), ferrolb_types::Asn(64500));
    });
    net.until(secs(30), Net::both_established);
    for (prefix, local_pref) in [("192.0.2.1/32", None), ("192.0.2.2/32", Some(0))] {
        let targets = Some(RouteTargets::All(attributes(local_pref, &[])));
        net.on(A, |speaker, now| {
            speaker.set_route(now, self::net(prefix), targets);
        });
    }
    net.run(secs(1));
    let routes = &net.tap(B).routes;
    let unset = &routes[&self::net("192.0.2.1/32")].attributes;
    assert_eq!((&unset[&2], &unset[&5]), (&vec![], &vec![0, 0, 0, 100]));
    assert_eq!(
        routes[&self::net("192.0.2.2/32")].attributes[&5],
        [0, 0, 0, 0]
    );
}

#[test]
fn each_peer_gets_what_is_meant_for_it() {
    let mut net = up(4);
    let mine = vec![("b".into(), attributes(None, &["1:1"]))];
    let others = vec![("c".into(), attributes(None, &["1:2"]))];
    net.on(A, |speaker, now| {
        speaker.set_route(
            now,
            self::net("192.0.2.1/32"),
            Some(RouteTargets::Peers(mine)),
        );
        speaker.set_route(
            now,
            self::net("192.0.2.2/32"),
            Some(RouteTargets::Peers(others)),
        );
    });
    net.run(secs(1));
    let got: Vec<_> = net.tap(B).routes.keys().copied().collect();
    assert_eq!(got, [self::net("192.0.2.1/32")]);
    let told = net.nodes[A].speaker.advertised(&"b".into());
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].attributes, attributes(None, &["1:1"]));
    assert_eq!(net.status(A).families[0].advertised, 1);
}

#[test]
fn before_synced_nothing_is_withdrawn_and_no_end_of_rib_is_sent() {
    let mut net = Net::new(9);
    net.add("10.0.0.1", speaker([10, 0, 0, 1]));
    net.add("10.0.0.2", speaker([10, 0, 0, 2]));
    net.on(A, |speaker, now| speaker.set_peer(now, towards_b()));
    net.on(B, |speaker, now| {
        speaker.set_peer(now, peer("a", 64501, 64500, "10.0.0.1"));
    });
    net.until(secs(30), Net::both_established);
    announce(&mut net, "192.0.2.1/32", &[]);
    announce(&mut net, "192.0.2.2/32", &[]);
    net.run(secs(1));
    net.on(A, |speaker, now| {
        speaker.set_route(now, self::net("192.0.2.1/32"), None);
    });
    net.run(secs(1));
    assert_eq!(
        (net.tap(B).routes.len(), net.tap(B).end_of_rib.len()),
        (2, 0)
    );
    net.on(A, Speaker::set_synced);
    net.run(secs(1));
    assert_eq!(
        (net.tap(B).routes.len(), net.tap(B).end_of_rib.as_slice()),
        (1, &[1][..])
    );
    assert!(net.status(A).families[0].end_of_rib);
}

#[test]
fn a_dead_link_is_noticed_by_the_hold_timer_and_mended() {
    let mut net = up(5);
    announce(&mut net, "192.0.2.1/32", &[]);
    net.run(secs(1));
    let cut_at = net.clock.now();
    net.cut();
    net.until(secs(91), |net| net.status(A).flaps == 1);
    let silence = net.clock.now() - cut_at;
    assert!(silence >= secs(59) && silence <= secs(90), "{silence:?}");
    let (_, problem) = net.status(A).last_error.unwrap();
    assert_eq!(problem.code.id(), "FLB-G007");
    net.until(secs(240), Net::both_established);
    net.run(secs(1));
    assert_eq!(
        net.tap(B).routes.len(),
        1,
        "routes are sent again on the new session"
    );
    assert!(net.status(A).problems.is_empty());
}

#[test]
fn keepalives_carry_an_idle_session() {
    let mut net = pair_of(6, |config| {
        config.hold_time = secs(9);
        config.keepalive_time = Some(secs(2));
    });
    net.until(secs(30), Net::both_established);
    let before = net.status(A).sent.keepalive;
    net.run(secs(100));
    assert!(net.both_established());
    let sent = net.status(A).sent.keepalive - before;
    assert!(
        (50..=67).contains(&sent),
        "every two seconds less jitter: {sent}"
    );
    assert_eq!(net.status(A).link.unwrap().keepalive, Some(secs(2)));
}

/// RFC 4271 section 4.4: no more than one a second.
#[test]
fn keepalives_are_a_second_apart_whatever_is_configured() {
    for time in [None, Some(Duration::from_millis(1))] {
        let mut net = pair_of(6, |config| {
            config.hold_time = secs(3);
            config.keepalive_time = time;
        });
        net.until(secs(30), Net::both_established);
        let before = net.status(A).sent.keepalive;
        net.run(secs(30));
        assert!(net.both_established());
        let sent = net.status(A).sent.keepalive - before;
        assert!((25..=30).contains(&sent), "{sent} with {time:?}");
    }
}

#[test]
fn hold_time_zero_means_no_keepalives() {
    let mut net = pair_of(6, |config| config.hold_time = Duration::ZERO);
    net.until(secs(30), Net::both_established);
    net.run(secs(1));
    let before = net.status(A).sent.keepalive;
    net.run(secs(1000));
    assert!(net.both_established());
    assert_eq!(net.status(A).sent.keepalive, before);
}

#[test]
fn a_removed_peer_is_told_so() {
    let mut net = up(7);
    net.on(A, |speaker, now| speaker.remove_peer(now, &"b".into()));
    net.run(secs(1));
    let (_, problem) = net.status(B).last_loss.unwrap();
    assert_eq!(problem.code.id(), "FLB-G013");
    assert!(
        problem.cause.contains("Peer De-configured"),
        "{}",
        problem.cause
    );
    assert!(net.nodes[A].speaker.status(net.clock.now()).is_empty());
}

#[test]
fn a_shutdown_carries_its_text() {
    let mut net = up(8);
    net.on(A, |speaker, now| speaker.shutdown(now, "node drained"));
    assert!(!net.nodes[A].speaker.is_finished());
    net.run(secs(1));
    assert!(net.nodes[A].speaker.is_finished());
    assert_eq!(net.state(A), State::Idle);
    let (_, problem) = net.status(B).last_loss.unwrap();
    assert!(
        problem
            .cause
            .contains("Administrative Shutdown: \"node drained\"")
    );
}

#[test]
fn changes_that_need_no_reset_cause_none() {
    let edits: &[fn(&mut PeerConfig)] = &[
        |config| config.keepalive_time = Some(secs(5)),
        |config| config.connect_time = Some(secs(5)),
        |config| config.ebgp_multihop = true,
        |config| config.hold_time = secs(180),
        |config| config.source_address = Some([10, 0, 0, 1].into()),
        |config| config.router_id = Some(ferrolb_types::RouterId([10, 0, 0, 1].into())),
    ];
    let mut net = up(10);
    let mut config = towards_b();
    for edit in edits {
        edit(&mut config);
        let changed = config.clone();
        net.on(A, |speaker, now| speaker.set_peer(now, changed));
        net.run(secs(2));
        assert!(net.both_established());
    }
    assert_eq!((net.status(A).flaps, net.status(B).flaps), (0, 0));
    assert_eq!(net.status(A).link.unwrap().keepalive, Some(secs(5)));
}

#[test]
fn a_change_that_needs_a_reset_causes_one_and_comes_back() {
    let mut net = up(11);
    let mut config = towards_b();
    config.password = Some(Secret::new("new"));
    net.on(A, |speaker, now| speaker.set_peer(now, config));
    net.until(secs(30), |net| net.status(B).flaps == 1);
    net.until(secs(30), Net::both_established);
    assert_eq!(net.status(A).flaps, 1);
    let problem = net.status(B).last_loss.unwrap().1;
    assert!(
        problem.cause.contains("Other Configuration Change"),
        "{}",
        problem.cause
    );
}

#[test]
fn both_families_over_one_session() {
    let mut net = pair_of(12, |config| config.families = Families::Both);
    net.nodes[A].next_hops.v6 = Some("2001:db8::1".parse().unwrap());
    net.nodes[A].next_hops.link_local = Some("fe80::1".parse().unwrap());
    announce(&mut net, "192.0.2.1/32", &[]);
    announce(&mut net, "2001:db8:1::/48", &["1:1"]);
    net.until(secs(30), Net::both_established);
    net.run(secs(1));
    let routes = &net.tap(B).routes;
    assert_eq!(routes[&self::net("192.0.2.1/32")].next_hop, [10, 0, 0, 1]);
    let v6 = &routes[&self::net("2001:db8:1::/48")];
    assert_eq!(v6.next_hop.len(), 32);
    assert_eq!(v6.next_hop[..4], [0x20, 1, 0x0d, 0xb8]);
    assert_eq!(net.tap(B).end_of_rib, [1, 2]);
    net.on(A, |speaker, now| {
        speaker.set_route(now, self::net("2001:db8:1::/48"), None);
    });
    net.run(secs(1));
    assert_eq!(net.tap(B).routes.len(), 1);
    // B has no IPv6 address: its own IPv6 routes would be held back, and it says so.
    let codes: Vec<_> = net
        .status(B)
        .problems
        .iter()
        .map(|problem| problem.code.id())
        .collect();
    assert_eq!(codes, ["FLB-G016"]);
}

#[test]
fn routes_follow_their_next_hop() {
    let mut net = pair_of(16, |config| config.families = Families::Both);
    announce(&mut net, "192.0.2.1/32", &[]);
    announce(&mut net, "2001:db8:1::/48", &[]);
    net.until(secs(30), Net::both_established);
    net.run(secs(1));
    assert_eq!(net.tap(B).routes.len(), 1);
    let updates = net.tap(B).updates;
    for (hop, told) in [("2001:db8::1", 1), ("2001:db8::1", 0), ("2001:db8::2", 1)] {
        let before = net.tap(B).updates;
        next_hop(&mut net, Some(hop));
        let route = &net.tap(B).routes[&self::net("2001:db8:1::/48")];
        let hop: Ipv6Addr = hop.parse().unwrap();
        assert_eq!(route.next_hop, hop.octets());
        assert_eq!(net.tap(B).updates, before + told, "{hop}");
    }
    assert!(net.status(A).problems.is_empty());
    next_hop(&mut net, None);
    assert_eq!(net.tap(B).routes.len(), 1, "the IPv4 route stays");
    assert_eq!(net.tap(B).updates, updates + 3, "which is not sent again");
    let problems = net.status(A).problems;
    assert_eq!(problems[0].code.id(), "FLB-G016");
    assert_eq!(net.status(A).flaps, 0);
}

/// Tells A that its interface has this IPv6 address, or none.
fn next_hop(net: &mut Net, v6: Option<&str>) {
    let v6 = v6.map(|text| text.parse().unwrap());
    net.nodes[A].next_hops.v6 = v6;
    net.tell_next_hops(A);
    net.run(secs(1));
}

#[test]
fn ipv4_routes_over_an_ipv6_session_without_ipv4_address() {
    let mut net = Net::new(13);
    net.add("2001:db8::1", speaker([10, 0, 0, 1]));
    net.add("2001:db8::2", speaker([10, 0, 0, 2]));
    let mut to_b = peer("b", 64500, 64501, "2001:db8::2");
    let mut to_a = peer("a", 64501, 64500, "2001:db8::1");
    (to_a.families, to_b.families) = (Families::Both, Families::Both);
    net.on(A, |speaker, now| speaker.set_peer(now, to_b));
    net.on(B, |speaker, now| speaker.set_peer(now, to_a));
    net.on(A, Speaker::set_synced);
    announce(&mut net, "192.0.2.1/32", &[]);
    net.until(secs(30), Net::both_established);
    net.run(secs(1));
    assert!(net.status(A).negotiated.unwrap().extended_next_hop);
    assert_eq!(
        net.tap(B).routes[&self::net("192.0.2.1/32")].next_hop.len(),
        16
    );
    net.on(A, |speaker, now| {
        speaker.set_route(now, self::net("192.0.2.1/32"), None);
    });
    net.run(secs(1));
    assert!(net.tap(B).routes.is_empty());
}

#[test]
fn a_slow_reader_gets_the_newest_state() {
    let mut net = pair_of(14, |_| {}).window(600);
    net.until(secs(30), Net::both_established);
    for round in 0..30_u32 {
        for n in 0..40 {
            let community = format!("1:{}", (n + round) % 5);
            let prefix = format!("192.0.2.{n}/32");
            match (n + round) % 7 {
                0 => net.on(A, |speaker, now| {
                    speaker.set_route(now, self::net(&prefix), None);
                }),
                _ => announce(&mut net, &prefix, &[&community]),
            }
        }
        net.run(Duration::from_millis(7));
    }
    net.run(secs(60));
    let told = net.nodes[A].speaker.advertised(&"b".into());
    let has: Vec<_> = net.tap(B).routes.keys().copied().collect();
    assert_eq!(
        told.iter().map(|route| route.prefix).collect::<Vec<_>>(),
        has
    );
    for route in told {
        let ferrolb_types::Community::Standard(sent) = route.attributes.communities[0] else {
            panic!("a standard community")
        };
        let got = &net.tap(B).routes[&route.prefix].attributes[&8];
        assert_eq!(got, &sent.0.to_be_bytes());
    }
    assert_eq!(net.tap(B).bogus_withdrawals, 0);
    assert_eq!(net.status(A).families[0].pending, 0);
}

#[test]
fn events_tell_the_story() {
    let mut net = up(15);
    net.on(A, |speaker, now| speaker.remove_peer(now, &"b".into()));
    net.run(secs(1));
    let story: Vec<_> = net.nodes[B]
        .events
        .iter()
        .map(|event| &event.what)
        .collect();
    assert!(matches!(story[0], What::Established), "{story:?}");
    assert!(matches!(story[1], What::Lost(_)), "{story:?}");
}
