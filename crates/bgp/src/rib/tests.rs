// SPDX-License-Identifier: Apache-2.0
//! The RIB against a naive model, and counts of what a change costs.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A peer that believes every message.
#[derive(Default)]
struct Believer {
    /// Routes with a higher LOCAL_PREF than this, if it is set, fit no message.
    largest: u32,
    room: usize,
    left: usize,
    messages: usize,
    routes: BTreeMap<IpNet, Arc<RouteAttributes>>,
    bogus_withdrawals: usize,
}

impl Believer {
    fn with_room(room: usize) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }
}

impl Believer {
    /// Takes one message.
    fn take(&mut self, rib: &mut Rib, outbox: &mut Outbox, peer: &PeerName, hold: bool) {
        let Some(turn) = rib.turn(outbox, hold) else {
            return;
        };
        let says = turn.attributes().cloned().map(Arc::new);
        self.left = self.room;
        rib.fill(Family::IPv4, outbox, turn, peer, |prefix| {
            self.push(prefix, says.as_ref())
        });
    }

    fn push(&mut self, prefix: IpNet, says: Option<&Arc<RouteAttributes>>) -> bool {
        let is_large = |set: &Arc<RouteAttributes>| set.local_pref > Some(self.largest);
        if self.left == 0 || (self.largest > 0 && says.is_some_and(is_large)) {
            return false;
        }
        self.messages += usize::from(self.left == self.room);
        self.left -= 1;
        match says {
            Some(attributes) => _ = self.routes.insert(prefix, Arc::clone(attributes)),
            None => self.bogus_withdrawals += usize::from(self.routes.remove(&prefix).is_none()),
        }
        true
    }
}

fn attributes(local_pref: u32) -> Arc<RouteAttributes> {
    Arc::new(RouteAttributes {
        local_pref: Some(local_pref),
        communities: Vec::new(),
    })
}

fn net(n: u32) -> Ipv4Net {
    Ipv4Net::new_assert((0x0a00_0000 + n).into(), 32)
}

fn drain(rib: &mut Rib, peer: &PeerName, outbox: &mut Outbox, sink: &mut Believer) {
    while outbox.has_work(false) {
        sink.take(rib, outbox, peer, false);
    }
}

fn set(rib: &mut Rib, outbox: &mut Outbox, peer: &PeerName, n: u32, local_pref: Option<u32>) {
    let targets = local_pref.map(|value| RouteTargets::All(attributes(value)));
    if let Some(id) = rib.set(net(n).into(), targets) {
        rib.mark(Family::IPv4, outbox, id, peer);
    }
}

#[test]
fn one_change_is_one_message_with_one_prefix() {
    let (mut rib, peer, mut sink) = (
        Rib::default(),
        PeerName::from("a"),
        Believer::with_room(500),
    );
    let mut outbox = rib.open(Family::IPv4, &peer, false);
    for n in 0..10_000 {
        set(&mut rib, &mut outbox, &peer, n, Some(100));
    }
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert_eq!((sink.messages, sink.routes.len()), (20, 10_000));
    set(&mut rib, &mut outbox, &peer, 77, Some(200));
    assert_eq!(outbox.owed(), 1);
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert_eq!((sink.messages, sink.room - sink.left), (21, 1));
    set(&mut rib, &mut outbox, &peer, 77, None);
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert_eq!(
        (sink.messages, sink.routes.len(), sink.bogus_withdrawals),
        (22, 9_999, 0)
    );
}

#[test]
fn a_change_taken_back_in_time_costs_nothing() {
    let (mut rib, peer, mut sink) = (Rib::default(), PeerName::from("a"), Believer::with_room(9));
    let mut outbox = rib.open(Family::IPv4, &peer, false);
    set(&mut rib, &mut outbox, &peer, 1, Some(100));
    set(&mut rib, &mut outbox, &peer, 1, None);
    set(&mut rib, &mut outbox, &peer, 2, Some(100));
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    set(&mut rib, &mut outbox, &peer, 2, Some(50));
    set(&mut rib, &mut outbox, &peer, 2, Some(100));
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert_eq!(sink.messages, 1);
    assert_eq!(
        sink.routes.keys().collect::<Vec<_>>(),
        [&IpNet::from(net(2))]
    );
}

#[test]
fn churn_towards_a_peer_that_reads_nothing_is_bounded() {
    let (mut rib, peer) = (Rib::default(), PeerName::from("a"));
    let mut outbox = rib.open(Family::IPv4, &peer, false);
    for round in 0..10_000 {
        set(&mut rib, &mut outbox, &peer, round, Some(round % 7));
        set(&mut rib, &mut outbox, &peer, round, None);
        set(&mut rib, &mut outbox, &peer, 50_000, Some(round));
    }
    assert_eq!(
        rib.v4.slots(),
        2,
        "slots of routes never announced are used again"
    );
    assert!(outbox.owed() <= 2);
    assert_eq!(rib.shared.attributes.len(), 1);
    assert_eq!(rib.shared.policies.len(), 1);
}

#[test]
fn withdrawals_can_be_held_back() {
    let (mut rib, peer, mut sink) = (Rib::default(), PeerName::from("a"), Believer::with_room(9));
    let mut outbox = rib.open(Family::IPv4, &peer, false);
    set(&mut rib, &mut outbox, &peer, 1, Some(1));
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    set(&mut rib, &mut outbox, &peer, 1, None);
    assert!(!outbox.has_work(true));
    sink.take(&mut rib, &mut outbox, &peer, true);
    assert_eq!(sink.routes.len(), 1);
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert!(sink.routes.is_empty());
}

#[test]
fn a_route_too_large_for_any_message_is_given_up_alone() {
    let (mut rib, peer, mut sink) = (Rib::default(), PeerName::from("a"), Believer::with_room(0));
    let mut outbox = rib.open(Family::IPv4, &peer, false);
    set(&mut rib, &mut outbox, &peer, 1, Some(1));
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert_eq!((outbox.unsendable(), outbox.announced_count()), (1, 0));
    rib.resend(Family::IPv4, &mut outbox, &peer);
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert_eq!(outbox.unsendable(), 1, "asked for again it is still one");
    sink.room = 1;
    set(&mut rib, &mut outbox, &peer, 2, Some(1));
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert_eq!(outbox.announced_count(), 1);
    set(&mut rib, &mut outbox, &peer, 1, None);
    assert_eq!(outbox.unsendable(), 0);
}

#[test]
fn a_route_that_grows_too_large_is_withdrawn_until_it_fits() {
    let (mut rib, peer, mut sink) = (Rib::default(), PeerName::from("a"), Believer::with_room(1));
    let mut outbox = rib.open(Family::IPv4, &peer, false);
    set(&mut rib, &mut outbox, &peer, 1, Some(1));
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    sink.largest = 1;
    for (attributes, kept, given_up) in [(2, 0, 1), (1, 1, 0), (3, 0, 1)] {
        set(&mut rib, &mut outbox, &peer, 1, Some(attributes));
        drain(&mut rib, &peer, &mut outbox, &mut sink);
        assert_eq!((sink.routes.len(), outbox.unsendable()), (kept, given_up));
    }
    set(&mut rib, &mut outbox, &peer, 1, None);
    drain(&mut rib, &peer, &mut outbox, &mut sink);
    assert_eq!((outbox.unsendable(), rib.shared.attributes.len()), (0, 0));
}

#[derive(Clone, Debug)]
enum Step {
    Set(u32, u8),
    Pull(usize),
    Reopen(usize),
    Resend(usize),
    Withhold(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..12_u32, 0..7_u8).prop_map(|(n, kind)| Step::Set(n, kind)),
        4 => (0..2_usize).prop_map(Step::Pull),
        1 => (0..2_usize).prop_map(Step::Reopen),
        1 => (0..2_usize).prop_map(Step::Resend),
        1 => (0..2_usize, any::<bool>()).prop_map(|(p, withheld)| Step::Withhold(p, withheld)),
    ]
}

fn targets(kind: u8) -> Option<RouteTargets> {
    let (a, b) = (PeerName::from("a"), PeerName::from("b"));
    match kind {
        0 => None,
        1 | 2 => Some(RouteTargets::All(attributes(kind.into()))),
        3 | 4 => Some(RouteTargets::Peers(vec![(a, attributes(kind.into()))])),
        5 => Some(RouteTargets::Peers(vec![
            (a, attributes(1)),
            (b, attributes(2)),
        ])),
        _ => Some(RouteTargets::Peers(vec![(b, attributes(1))])),
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_peers_end_with_what_is_desired(
        steps in prop::collection::vec(step(), 0..200),
        room in 1..4_usize,
    ) {
        let peers = [PeerName::from("a"), PeerName::from("b")];
        let mut rib = Rib::default();
        let mut model: BTreeMap<Ipv4Net, RouteTargets> = BTreeMap::new();
        let mut boxes = peers.each_ref().map(|peer| rib.open(Family::IPv4, peer, false));
        let mut sinks = peers.each_ref().map(|_| Believer::with_room(room));
        for step in steps {
            match step {
                Step::Set(n, kind) => {
                    match targets(kind) {
                        Some(targets) => model.insert(net(n), targets),
                        None => model.remove(&net(n)),
                    };
                    if let Some(id) = rib.set(net(n).into(), targets(kind)) {
                        for (outbox, peer) in boxes.iter_mut().zip(&peers) {
                            rib.mark(Family::IPv4, outbox, id, peer);
                        }
                    }
                }
                Step::Pull(p) => sinks[p].take(&mut rib, &mut boxes[p], &peers[p], false),
                Step::Reopen(p) => {
                    let withheld = boxes[p].is_withheld();
                    rib.close(Family::IPv4, std::mem::take(&mut boxes[p]));
                    boxes[p] = rib.open(Family::IPv4, &peers[p], withheld);
                    sinks[p] = Believer::with_room(room);
                }
                Step::Resend(p) => rib.resend(Family::IPv4, &mut boxes[p], &peers[p]),
                Step::Withhold(p, withheld) => {
                    rib.withhold(Family::IPv4, &mut boxes[p], withheld, &peers[p]);
                }
            }
            prop_assert!(boxes.iter().all(|outbox| outbox.owed() <= rib.v4.slots()));
        }
        prop_assert_eq!(rib.len(), model.len());
        for p in 0..2 {
            drain(&mut rib, &peers[p], &mut boxes[p], &mut sinks[p]);
            let want: BTreeMap<_, _> = model
                .iter()
                .filter(|_| !boxes[p].is_withheld())
                .filter_map(|(net, targets)| Some((IpNet::from(*net), Arc::clone(targets.for_peer(&peers[p])?))))
                .collect();
            prop_assert_eq!(&sinks[p].routes, &want);
            prop_assert_eq!(sinks[p].bogus_withdrawals, 0);
            let told: BTreeMap<_, _> = rib
                .announced(Family::IPv4, &boxes[p])
                .map(|(net, set)| (net, Arc::clone(set)))
                .collect();
            prop_assert_eq!(told, want);
            prop_assert_eq!((boxes[p].announced_count(), boxes[p].owed()), (sinks[p].routes.len(), 0));
        }
        for outbox in boxes {
            rib.close(Family::IPv4, outbox);
        }
        for net in model.keys() {
            rib.set((*net).into(), None);
        }
        prop_assert_eq!((rib.shared.attributes.len(), rib.shared.policies.len()), (0, 0));
    }
}
