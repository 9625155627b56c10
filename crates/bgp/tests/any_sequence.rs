// SPDX-License-Identifier: Apache-2.0
//! Whatever the inputs: no panic, no UPDATE outside Established, no deadline in the past, and in the end
//! every peer has what is desired.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::{
    attributes,
    net::Net,
    peer,
    solo::{Solo, capabilities, message, open},
    speaker,
};
use ferrolb_bgp::{ConnId, Families, Fault, Input, Speaker, State};
use ferrolb_types::RouteTargets;
use ipnet::IpNet;
use proptest::prelude::*;

const REMOTES: [&str; 2] = ["10.0.0.2", "10.0.0.3"];

#[derive(Clone, Debug)]
enum Step {
    Connect(usize),
    Accept(usize),
    Fail(usize),
    Close(usize),
    Feed(usize, Vec<u8>),
    Pass(u16),
    Route(u8, Option<u8>),
    Peer(usize, u8),
    Remove(usize),
    Synced,
    Shutdown,
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let hello = |asn| open(asn, 90, [192, 0, 2, 9], &capabilities());
    prop_oneof![
        4 => Just(hello(64501)),
        4 => Just(message(4, &[])),
        1 => Just(hello(64999)),
        2 => Just(message(5, &[0, 1, 0, 1])),
        1 => Just(message(3, &[6, 2, 2, b'h', b'i'])),
        1 => Just(message(2, &[0, 0, 0, 0])),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(|body| message(2, &body)),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(|body| message(1, &body)),
        1 => prop::collection::vec(any::<u8>(), 0..60),
        1 => (Just(hello(64501)), 0..40_usize).prop_map(|(whole, cut)| whole[..cut].to_vec()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..2_usize).prop_map(Step::Connect),
        2 => (0..2_usize).prop_map(Step::Accept),
        1 => (0..4_usize).prop_map(Step::Fail),
        1 => (0..4_usize).prop_map(Step::Close),
        12 => (0..4_usize, bytes()).prop_map(|(n, bytes)| Step::Feed(n, bytes)),
        3 => (0..200_u16).prop_map(Step::Pass),
        5 => (any::<u8>(), prop::option::of(0..4_u8)).prop_map(|(n, c)| Step::Route(n, c)),
        1 => (0..2_usize, any::<u8>()).prop_map(|(n, edit)| Step::Peer(n, edit)),
        1 => (0..2_usize).prop_map(Step::Remove),
        1 => Just(Step::Synced),
        1 => Just(Step::Shutdown),
    ]
}

fn config(n: usize, edit: u8) -> ferrolb_bgp::PeerConfig {
    let mut config = peer(["r1", "r2"][n], 64500, 64501, REMOTES[n]);
    config.hold_time = Duration::from_secs([90, 0, 9, 180][usize::from(edit) % 4]);
    config.ebgp_multihop = edit & 4 != 0;
    config.families = if edit & 8 == 0 {
        Families::Own
    } else {
        Families::Both
    };
    config.connect_time = (edit & 16 != 0).then_some(Duration::from_secs(7));
    config
}

/// The newest connections, and now and then one that never was.
fn pick(solo: &Solo, back: usize) -> ConnId {
    let known: Vec<ConnId> = solo.taps.keys().rev().copied().collect();
    let attempt = solo.connects.last().map(|(conn, _)| *conn);
    known.get(back).copied().or(attempt).unwrap()
}

fn act(solo: &mut Solo, step: Step) {
    let now = solo.clock.now();
    match step {
        Step::Connect(n) => {
            if solo
                .connects
                .iter()
                .any(|(_, how)| how.remote.ip().to_string() == REMOTES[n])
            {
                solo.connect(REMOTES[n]);
            }
        }
        Step::Accept(n) => _ = solo.accept(REMOTES[n]),
        Step::Fail(n) => {
            let conn = pick(solo, n);
            solo.input(Input::ConnectFailed {
                conn,
                fault: Fault::TimedOut,
            });
        }
        Step::Close(n) => {
            let conn = pick(solo, n);
            solo.input(Input::Closed {
                conn,
                fault: Some(Fault::Reset),
            });
        }
        Step::Feed(n, bytes) => {
            let conn = pick(solo, n);
            solo.feed(conn, &bytes);
        }
        Step::Pass(seconds) => solo.pass(Duration::from_secs(seconds.into())),
        Step::Route(n, community) => {
            let prefix = IpNet::new([192, 0, 2, n % 16].into(), 32).unwrap();
            let targets =
                community.map(|c| RouteTargets::All(attributes(None, &[&format!("1:{c}")])));
            solo.speaker.set_route(now, prefix, targets);
        }
        Step::Peer(n, edit) => solo.speaker.set_peer(now, config(n, edit)),
        Step::Remove(n) => solo.speaker.remove_peer(now, &["r1", "r2"][n].into()),
        Step::Synced => solo.speaker.set_synced(now),
        Step::Shutdown => solo.speaker.shutdown(now, "bye"),
    }
    solo.settle();
}

proptest! {
    #![proptest_config(common::cases(64))]

    #[test]
    fn one_speaker(steps in prop::collection::vec(step(), 0..120)) {
        let mut solo = Solo::new(vec![config(0, 0), config(1, 0)]);
        for step in steps {
            act(&mut solo, step);
            let status = solo.speaker.status(solo.clock.now());
            for one in &status {
                let up = one.state == State::Established;
                prop_assert!(up || one.families.iter().all(|f| !f.active && f.advertised == 0));
                prop_assert_eq!(solo.speaker.advertised(&one.peer).is_empty(),
                    one.families.iter().all(|f| f.advertised == 0));
            }
        }
        // An UPDATE never leaves before our KEEPALIVE, which follows the peer's OPEN.
        for tap in solo.taps.values() {
            if let Some(update) = tap.kinds.iter().position(|kind| *kind == 2) {
                prop_assert_eq!(&tap.kinds[..2], &[1, 4]);
                prop_assert!(update >= 2);
            }
            prop_assert_eq!(tap.bogus_withdrawals, 0);
            prop_assert!(tap.kinds.iter().rev().skip(1).all(|kind| *kind != 3), "last words are last");
        }
        // Once all is told to end, it ends.
        let now = solo.clock.now();
        solo.speaker.shutdown(now, "end");
        solo.settle();
        prop_assert!(solo.speaker.is_finished());
        prop_assert_eq!(solo.speaker.deadline(), None);
    }

    #[test]
    fn two_speakers_under_churn(
        seed in any::<u64>(),
        window in 100..5000_usize,
        loss in 0..30_u32,
        churn in prop::collection::vec((0..40_u8, prop::option::of(0..5_u8), 0..30_u64), 0..150),
        cut in prop::option::of(0..150_usize),
    ) {
        let mut net = Net::new(seed).lossy(loss).window(window);
        net.add("10.0.0.1", speaker([10, 0, 0, 1]));
        net.add("10.0.0.2", speaker([10, 0, 0, 2]));
        net.on(0, |speaker, now| speaker.set_peer(now, peer("b", 1, 2, "10.0.0.2")));
        net.on(1, |speaker, now| speaker.set_peer(now, peer("a", 2, 1, "10.0.0.1")));
        net.on(0, Speaker::set_synced);
        let mut desired = BTreeMap::new();
        for (n, (prefix, community, pause)) in churn.into_iter().enumerate() {
            let prefix = IpNet::new([192, 0, 2, prefix].into(), 32).unwrap();
            let set = community.map(|c| attributes(None, &[&format!("1:{c}")]));
            match &set {
                Some(set) => _ = desired.insert(prefix, set.clone()),
                None => _ = desired.remove(&prefix),
            }
            net.on(0, |speaker, now| speaker.set_route(now, prefix, set.map(RouteTargets::All)));
            if cut == Some(n) {
                net.cut();
            }
            net.run(Duration::from_millis(pause));
        }
        net.until(Duration::from_secs(900), Net::both_established);
        net.run(Duration::from_secs(300));
        prop_assert!(net.both_established());
        let told: BTreeMap<_, _> = net.nodes[0]
            .speaker
            .advertised(&"b".into())
            .into_iter()
            .map(|route| (route.prefix, route.attributes))
            .collect();
        prop_assert_eq!(&told, &desired);
        let tap = net.tap(1);
        prop_assert_eq!(tap.bogus_withdrawals, 0);
        let got: Vec<_> = tap.routes.iter().map(|(net, route)| (*net, route.attributes[&8].clone())).collect();
        let want: Vec<_> = desired
            .iter()
            .map(|(net, set)| match set.communities[0] {
                ferrolb_types::Community::Standard(c) => (*net, c.0.to_be_bytes().to_vec()),
                ferrolb_types::Community::Large(_) => (*net, Vec::new()),
            })
            .collect();
        prop_assert_eq!(got, want);
        prop_assert_eq!(&tap.end_of_rib, &[1]);
    }
}
