// SPDX-License-Identifier: Apache-2.0
//! Peers that do wrong, played octet by octet: what they are told, what the status says, and that
//! nobody else notices.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::time::Duration;

use common::{
    peer,
    solo::{Solo, capabilities, message, open},
    to_all,
};
use ferrolb_bgp::{Families, Fault, Input, State, What};
use ferrolb_types::Secret;
use ipnet::IpNet;

const R1: &str = "10.0.0.2";
const R2: &str = "10.0.0.3";

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn one() -> Solo {
    Solo::new(vec![peer("r1", 64500, 64501, R1)])
}

/// Two routers, both established; `r2` is the bystander.
fn two() -> (Solo, ferrolb_bgp::ConnId) {
    let peers = vec![peer("r1", 64500, 64501, R1), peer("r2", 64500, 64502, R2)];
    let mut solo = Solo::new(peers);
    let conn = solo.establish(R1, 64501);
    solo.establish(R2, 64502);
    assert_eq!(
        (solo.state("r1"), solo.state("r2")),
        (State::Established, State::Established)
    );
    (solo, conn)
}

#[test]
fn connection_faults_are_told_apart() {
    let table = [
        (Fault::Refused, "FLB-G001"),
        (Fault::TimedOut, "FLB-G002"),
        (Fault::Unreachable, "FLB-G003"),
        (Fault::Reset, "FLB-G004"),
        (Fault::Other("Permission denied".into()), "FLB-G005"),
    ];
    for (fault, code) in table {
        let mut solo = one();
        solo.fail(fault);
        assert_eq!(solo.problems("r1"), [code]);
        assert_eq!(solo.state("r1"), State::Active);
        assert!(solo.status("r1").next_attempt.is_some());
    }
}

#[test]
fn no_answer_speaks_of_the_password() {
    let mut config = peer("r1", 64500, 64501, R1);
    let mut solo = Solo::new(vec![config.clone()]);
    solo.pass(secs(11));
    let text = solo.status("r1").problems[0].to_string();
    assert!(
        text.starts_with("FLB-G002") && text.contains("requires a TCP MD5 password"),
        "{text}"
    );
    let attempt = solo.connects[0].0;
    assert!(solo.closed.contains(&attempt), "the attempt is given up");
    config.password = Some(Secret::new("hidden"));
    solo = Solo::new(vec![config]);
    solo.pass(secs(11));
    let text = solo.status("r1").problems[0].to_string();
    assert!(
        text.contains("password differs") && !text.contains("hidden"),
        "{text}"
    );
    assert!(!format!("{:?} {:?}", solo.connects, solo.speaker).contains("hidden"));
}

/// The TTL towards an external peer is 1 unless the field says otherwise.
#[test]
fn an_external_peer_out_of_reach_may_want_ebgp_multihop() {
    let shown = |peer_asn: u32, multihop: bool, fault: Option<Fault>| {
        let mut config = peer("r1", 64500, peer_asn, R1);
        config.ebgp_multihop = multihop;
        let mut solo = Solo::new(vec![config]);
        match fault {
            Some(fault) => solo.fail(fault),
            None => solo.pass(secs(11)),
        }
        let text = solo.status("r1").problems[0].to_string();
        text.contains("ebgpMultiHop")
    };
    for fault in [None, Some(Fault::TimedOut), Some(Fault::Unreachable)] {
        assert!(shown(64501, false, fault.clone()), "{fault:?}");
        assert!(!shown(64501, true, fault.clone()), "{fault:?}");
        assert!(!shown(64500, false, fault.clone()), "{fault:?}");
    }
    let answered = "an answer came all the way";
    assert!(!shown(64501, false, Some(Fault::Refused)), "{answered}");
}

#[test]
fn attempts_are_spread_out() {
    let attempts = |connect_time: Option<Duration>| {
        let mut config = peer("r1", 64500, 64501, R1);
        config.connect_time = connect_time;
        let mut solo = Solo::new(vec![config]);
        for _ in 0..600 {
            if solo.state("r1") == State::Connect {
                solo.fail(Fault::Refused);
            }
            solo.pass(secs(1));
        }
        solo.connects.len()
    };
    let (free, bounded) = (attempts(None), attempts(Some(secs(5))));
    assert!((11..=16).contains(&free), "{free}");
    assert!(
        (100..=170).contains(&bounded),
        "connectTime bounds the pauses: {bounded}"
    );
}

#[test]
fn a_router_that_accepts_and_says_nothing() {
    let mut solo = one();
    let conn = solo.connect(R1);
    assert_eq!(
        (solo.state("r1"), solo.problems("r1").len()),
        (State::OpenSent, 0)
    );
    solo.pass(secs(6));
    assert_eq!(solo.problems("r1"), ["FLB-G006"]);
    solo.pass(secs(240));
    assert_eq!(solo.taps[&conn].notifications, [(4, 0, vec![])]);
    assert!(solo.closed.contains(&conn));
    assert_eq!(solo.problems("r1"), ["FLB-G006"]);
}

#[test]
fn opens_that_cannot_be() {
    let four = |asn: u32| [&capabilities()[..], &[65, 4], &asn.to_be_bytes()].concat();
    let id = [192, 0, 2, 9];
    let mut version = open(64501, 90, id, &[]);
    version[19] = 3;
    let table = [
        (open(64999, 90, id, &capabilities()), (2, 2), "FLB-G008"),
        (open(64501, 90, id, &four(70_000)), (2, 2), "FLB-G008"),
        (open(64501, 90, [0; 4], &capabilities()), (2, 3), "FLB-G009"),
        (open(64501, 2, id, &capabilities()), (2, 6), "FLB-G010"),
        (open(64501, 90, id, &[1, 4, 0, 2, 0, 1]), (2, 7), "FLB-G011"),
        (version, (2, 1), "FLB-G022"),
        (open(64501, 90, id, &[1, 200]), (2, 0), "FLB-G014"),
    ];
    for (bytes, told, code) in table {
        let mut solo = one();
        let conn = solo.connect(R1);
        solo.feed(conn, &bytes);
        let (a, b, _) = &solo.taps[&conn].notifications[0];
        assert_eq!(((*a, *b), solo.problems("r1")), (told, vec![code]));
        assert!(solo.closed.contains(&conn));
    }
}

#[test]
fn wrong_as_in_words() {
    let mut solo = one();
    let conn = solo.connect(R1);
    solo.feed(conn, &open(64999, 90, [192, 0, 2, 9], &capabilities()));
    let problem = &solo.status("r1").problems[0];
    assert_eq!(
        problem.cause,
        "10.0.0.2 says it is AS 64999, but peerASN is 64501"
    );
    assert_eq!(problem.remedy, "correct peerASN, or the AS of the router");
}

#[test]
fn an_internal_peer_must_have_another_identifier() {
    let mut solo = Solo::new(vec![peer("r1", 64500, 64500, R1)]);
    let conn = solo.connect(R1);
    solo.feed(conn, &open(64500, 90, [10, 0, 0, 1], &capabilities()));
    assert_eq!(solo.problems("r1"), ["FLB-G009"]);
}

#[test]
fn no_family_in_common_is_no_reset_storm() {
    let mut solo = one();
    for _ in 0..2000 {
        if solo.status("r1").next_attempt.is_none() {
            let conn = solo.connect(R1);
            solo.feed(conn, &open(64501, 90, [192, 0, 2, 9], &[1, 4, 0, 2, 0, 1]));
        }
        solo.pass(secs(1));
    }
    assert!(
        solo.connects.len() < 30,
        "{} attempts in 2000 s",
        solo.connects.len()
    );
}

#[test]
fn a_peer_without_multiprotocol_capability_carries_ipv4() {
    let mut solo = one();
    solo.speaker.set_synced(solo.clock.now());
    let conn = solo.connect(R1);
    solo.feed(conn, &open(64501, 90, [192, 0, 2, 9], &[]));
    solo.feed(conn, &message(4, &[]));
    assert_eq!(solo.state("r1"), State::Established);
    let target: IpNet = "192.0.2.1/32".parse().unwrap();
    solo.speaker
        .set_route(solo.clock.now(), target, to_all(&[]));
    solo.settle();
    let path = &solo.taps[&conn].routes[&target].attributes[&2];
    assert_eq!(path, &[2, 1, 0xfb, 0xf4], "two-octet AS numbers");
}

#[test]
fn an_as_of_four_octets_beside_an_old_peer() {
    let mut solo = Solo::new(vec![peer("r1", 4_200_000_000, 64501, R1)]);
    let conn = solo.connect(R1);
    assert_eq!(solo.taps[&conn].open[1..3], 23456_u16.to_be_bytes());
    solo.feed(conn, &open(64501, 90, [192, 0, 2, 9], &[]));
    solo.feed(conn, &message(4, &[]));
    let target: IpNet = "192.0.2.1/32".parse().unwrap();
    solo.speaker
        .set_route(solo.clock.now(), target, to_all(&[]));
    solo.settle();
    let attributes = &solo.taps[&conn].routes[&target].attributes;
    assert_eq!(attributes[&2], [2, 1, 0x5b, 0xa0]);
    assert_eq!(attributes[&17][2..], 4_200_000_000_u32.to_be_bytes());
}

#[test]
fn a_family_missing_at_the_peer_is_told() {
    let mut config = peer("r1", 64500, 64501, R1);
    config.families = Families::Both;
    let mut solo = Solo::new(vec![config]);
    let conn = solo.connect(R1);
    solo.feed(conn, &open(64501, 90, [192, 0, 2, 9], &[1, 4, 0, 1, 0, 1]));
    solo.feed(conn, &message(4, &[]));
    assert_eq!(solo.state("r1"), State::Established);
    assert_eq!(solo.problems("r1"), ["FLB-G012"]);
    let families = solo.status("r1").families;
    assert_eq!(
        families.iter().map(|f| f.active).collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn a_source_address_this_host_lacks_is_told() {
    let mut config = peer("r1", 64500, 64501, R1);
    config.source_address = Some("10.0.0.77".parse().unwrap());
    let mut solo = Solo::new(vec![config]);
    assert_eq!(
        solo.connects[0].1.source,
        Some("10.0.0.77".parse().unwrap())
    );
    solo.establish(R1, 64501);
    assert_eq!(solo.problems("r1"), ["FLB-G015"]);
}

#[test]
fn malformed_messages_reset_their_session_alone() {
    let mut marker = message(4, &[]);
    marker[3] = 0;
    let mut length = message(4, &[]);
    (length[16], length[17]) = (0xff, 0xff);
    let table = [
        (marker, (1, 1)),
        (length, (1, 2)),
        (message(9, &[]), (1, 3)),
        (message(4, &[1]), (1, 2)),
        (message(2, &[0, 9, 0, 0]), (3, 1)),
        (message(2, &[0, 0, 0, 0, 33, 1, 2, 3, 4, 5]), (3, 10)),
        (open(64501, 90, [192, 0, 2, 9], &capabilities()), (5, 3)),
    ];
    for (bytes, told) in table {
        let (mut solo, conn) = two();
        solo.feed(conn, &bytes);
        let (a, b, _) = solo.taps[&conn].notifications[0].clone();
        assert_eq!((a, b), told, "{bytes:?}");
        assert_eq!((solo.lost("r1"), solo.lost("r2")), (1, 0));
        assert_eq!(solo.state("r2"), State::Established);
        assert!(["FLB-G014", "FLB-G023"].contains(&solo.problems("r1")[0]));
    }
}

#[test]
fn a_malformed_attribute_resets_nothing() {
    let (mut solo, conn) = two();
    // ORIGIN 7, AS_PATH, NEXT_HOP, one prefix: treat-as-withdraw.
    let attributes = [
        0x40, 1, 1, 7, 0x40, 2, 4, 2, 1, 0xfb, 0xf5, 0x40, 3, 4, 10, 0, 0, 2,
    ];
    let length = u8::try_from(attributes.len()).unwrap();
    let body = [&[0, 0, 0, length][..], &attributes, &[24, 198, 51, 100]].concat();
    solo.feed(conn, &message(2, &body));
    let status = solo.status("r1");
    assert_eq!(status.state, State::Established);
    let inbound = status.inbound;
    assert_eq!((inbound.announced, inbound.withdrawn), (0, 1));
    assert_eq!(inbound.treated_as_withdraw, 1);
}

#[test]
fn messages_cut_anywhere_are_put_together() {
    let mut solo = one();
    let conn = solo.connect(R1);
    let hello = open(64501, 90, [192, 0, 2, 9], &capabilities());
    for octet in [hello, message(4, &[])].concat() {
        solo.feed(conn, &[octet]);
    }
    assert_eq!(solo.state("r1"), State::Established);
}

#[test]
fn what_is_received_is_counted() {
    let (mut solo, conn) = two();
    let attributes = [
        0x40, 1, 1, 0, 0x40, 2, 4, 2, 1, 0xfb, 0xf5, 0x40, 3, 4, 10, 0, 0, 2,
    ];
    let length = u8::try_from(attributes.len()).unwrap();
    let nlri = [24, 198, 51, 100, 32, 192, 0, 2, 1];
    let body = [&[0, 4, 24, 198, 51, 101, 0, length][..], &attributes, &nlri].concat();
    solo.feed(conn, &message(2, &body));
    let inbound = solo.status("r1").inbound;
    assert_eq!((inbound.announced, inbound.withdrawn), (2, 1));
    assert_eq!(solo.status("r1").received.update, 1);
}

#[test]
fn a_long_message_is_taken_once_we_offered_that() {
    let routes = [32, 192, 0, 2, 1].repeat(900);
    let length = u16::try_from(routes.len()).unwrap().to_be_bytes();
    let long = message(2, &[&length[..], &routes, &[0, 0]].concat());
    // The peer offered no extended messages, but we did.
    let (mut solo, conn) = two();
    solo.feed(conn, &long);
    assert_eq!(solo.state("r1"), State::Established);
    assert_eq!(solo.status("r1").inbound.withdrawn, 900);
    let mut early = one();
    let conn = early.connect(R1);
    early.feed(conn, &long);
    let (code, subcode, _) = early.taps[&conn].notifications[0].clone();
    assert_eq!((code, subcode), (1, 2));
}

#[test]
fn a_refresh_sends_everything_again_between_its_marks() {
    let (mut solo, conn) = two();
    let now = solo.clock.now();
    solo.speaker.set_synced(now);
    for n in 0..3 {
        let prefix: IpNet = format!("192.0.2.{n}/32").parse().unwrap();
        solo.speaker.set_route(now, prefix, to_all(&[]));
    }
    solo.settle();
    let before = (solo.taps[&conn].updates, solo.status("r2").sent.update);
    solo.feed(conn, &message(5, &[0, 1, 0, 1]));
    assert_eq!(
        solo.taps[&conn].updates,
        before.0 + 1,
        "three prefixes in one UPDATE"
    );
    assert_eq!(solo.taps[&conn].marks, [1, 2]);
    assert_eq!(solo.status("r2").sent.update, before.1);
    // A family the session does not carry.
    solo.feed(conn, &message(5, &[0, 2, 0, 1]));
    assert_eq!(solo.taps[&conn].marks, [1, 2]);
}

#[test]
fn a_refresh_before_synced_waits() {
    let (mut solo, conn) = two();
    let now = solo.clock.now();
    solo.speaker
        .set_route(now, "192.0.2.1/32".parse().unwrap(), to_all(&[]));
    solo.settle();
    solo.feed(conn, &message(5, &[0, 1, 0, 1]));
    assert!(solo.taps[&conn].marks.is_empty());
    solo.speaker.set_synced(now);
    solo.settle();
    assert_eq!(solo.taps[&conn].marks, [1, 2]);
}

#[test]
fn a_connection_from_nobody_is_closed() {
    let mut solo = one();
    let conn = solo.accept("203.0.113.5");
    assert_eq!(solo.closed, [conn]);
    let unknown = solo.speaker.new_conn();
    solo.feed(unknown, &open(64501, 90, [192, 0, 2, 9], &capabilities()));
    assert_eq!(solo.closed, [conn, unknown]);
    assert_eq!(solo.state("r1"), State::Connect);
}

#[test]
fn an_accepted_connection_serves_as_well() {
    let mut solo = one();
    solo.fail(Fault::Refused);
    let conn = solo.accept(R1);
    assert!(
        solo.ttls.contains(&(conn, 1)),
        "an external neighbor is one hop away"
    );
    solo.feed(conn, &open(64501, 90, [192, 0, 2, 9], &capabilities()));
    solo.feed(conn, &message(4, &[]));
    assert_eq!(solo.state("r1"), State::Established);
    assert!(solo.status("r1").link.unwrap().accepted);
    // A second one is refused while the session stands.
    let second = solo.accept(R1);
    assert_eq!(solo.taps[&second].notifications, [(6, 7, vec![])]);
    assert_eq!((solo.state("r1"), solo.lost("r1")), (State::Established, 0));
}

#[test]
fn a_collision_keeps_the_connection_of_the_higher_identifier() {
    for (peer_id, ours_kept) in [([9, 0, 0, 1], true), ([11, 0, 0, 1], false)] {
        for open_on_ours_first in [true, false] {
            let mut solo = one();
            let (ours, theirs) = (solo.connect(R1), solo.accept(R1));
            let hello = open(64501, 90, peer_id, &capabilities());
            let order = if open_on_ours_first {
                [ours, theirs]
            } else {
                [theirs, ours]
            };
            order.into_iter().for_each(|conn| solo.feed(conn, &hello));
            let (kept, dropped) = if ours_kept {
                (ours, theirs)
            } else {
                (theirs, ours)
            };
            assert_eq!(solo.taps[&dropped].notifications, [(6, 7, vec![])]);
            solo.feed(kept, &message(4, &[]));
            assert_eq!(solo.state("r1"), State::Established);
            assert!(solo.closed.iter().all(|conn| *conn == dropped));
            assert!(
                !solo
                    .events
                    .iter()
                    .any(|event| matches!(event.what, What::Failed(_)))
            );
        }
    }
}

#[test]
fn a_peer_that_reads_nothing_is_given_up() {
    let mut solo = one();
    let conn = solo.establish(R1, 64501);
    let now = solo.clock.now();
    solo.speaker
        .set_route(now, "192.0.2.1/32".parse().unwrap(), to_all(&[]));
    // The driver is asked to write, but the socket takes nothing.
    while solo.speaker.poll().is_some() {}
    for _ in 0..60 {
        solo.clock.advance(secs(10));
        let now = solo.clock.now();
        solo.speaker.handle(
            now,
            Input::Received {
                conn,
                bytes: &message(4, &[]),
            },
        );
        while solo.speaker.poll().is_some() {}
        solo.speaker.handle(now, Input::Timeout);
        while solo.speaker.poll().is_some() {}
        if solo.state("r1") != State::Established {
            break;
        }
    }
    assert_eq!(solo.status("r1").last_loss.unwrap().1.code.id(), "FLB-G020");
}

#[test]
fn a_session_that_falls_at_once_does_not_come_back_in_a_loop() {
    let mut solo = one();
    let start = solo.clock.now();
    while solo.clock.now() - start < secs(600) {
        if solo.state("r1") == State::Connect {
            let conn = solo.establish(R1, 64501);
            solo.feed(conn, &message(3, &[6, 1]));
            assert_eq!(solo.problems("r1"), ["FLB-G013"]);
        }
        solo.pass(secs(1));
    }
    assert!(solo.connects.len() < 15, "{} attempts", solo.connects.len());
    assert_eq!(solo.status("r1").flaps, solo.connects.len() as u64);
}
