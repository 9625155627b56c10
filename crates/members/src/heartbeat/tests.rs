// SPDX-License-Identifier: Apache-2.0
//! Fleets of heartbeat machines over a virtual clock.

mod cost;
mod strangers;

use proptest::prelude::*;

use super::*;

/// Machines that hear each other at once, unless a node is cut off.
struct Fleet {
    now: Instant,
    machines: BTreeMap<NodeName, Heartbeat>,
    /// Where each is told to send from.
    addresses: BTreeMap<NodeName, IpAddr>,
    alive: BTreeMap<NodeName, BTreeSet<NodeName>>,
    cut: BTreeSet<NodeName>,
    /// Who told what to whom.
    facts: Vec<(NodeName, Option<Vec<u8>>)>,
}

fn node(n: u8) -> NodeName {
    NodeName::from(format!("n{n}"))
}

fn address(n: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, n])
}

/// A beat of this node.
fn alive(n: u8) -> Vec<u8> {
    let beat = Beat {
        kind: Kind::Alive,
        node: node(n),
        facts: Vec::new(),
    };
    beat.emit()
}

impl Fleet {
    fn new(count: u8) -> Self {
        let now = Instant::now();
        let nodes: BTreeMap<_, _> = (1..=count).map(|n| (node(n), vec![address(n)])).collect();
        let machine = |name: &NodeName| {
            let mut machine = Heartbeat::new(now, name.clone(), Timing::default());
            machine.set_nodes(now, nodes.clone());
            machine.begin(now);
            (name.clone(), machine)
        };
        let machines = nodes.keys().map(machine).collect();
        Self {
            now,
            machines,
            addresses: (1..=count).map(|n| (node(n), address(n))).collect(),
            alive: BTreeMap::new(),
            cut: BTreeSet::new(),
            facts: Vec::new(),
        }
    }

    fn drain(&mut self) {
        loop {
            let mut sent = Vec::new();
            for (name, machine) in &mut self.machines {
                while let Some(output) = machine.poll() {
                    match output {
                        Output::Send(Datagram {
                            to, from, bytes, ..
                        }) => {
                            assert_eq!(from, self.addresses.get(name).copied());
                            sent.push((name.clone(), to, bytes));
                        }
                        Output::Alive(alive) => drop(self.alive.insert(name.clone(), alive)),
                        Output::Came(node) => {
                            assert!(self.alive.get_mut(name).unwrap().insert(node));
                        }
                        Output::Went(node) => {
                            assert!(self.alive.get_mut(name).unwrap().remove(&node));
                        }
                        Output::Facts(node, facts) => self.facts.push((node, Some(facts))),
                        Output::FactsGone(node) => self.facts.push((node, None)),
                        Output::Unlisted(unlisted) => panic!("{unlisted:?}"),
                    }
                }
            }
            if sent.is_empty() {
                return;
            }
            for (from, to, bytes) in sent {
                self.deliver(&from, to, &bytes);
            }
        }
    }

    fn deliver(&mut self, from: &NodeName, to: IpAddr, bytes: &[u8]) {
        let source = self.machines.keys().position(|name| name == from).unwrap() as u8 + 1;
        let target = (1..=self.machines.len() as u8)
            .find(|n| address(*n) == to)
            .map(node)
            .unwrap();
        if !self.cut.contains(from) && !self.cut.contains(&target) {
            self.machines
                .get_mut(&target)
                .unwrap()
                .receive(self.now, address(source), bytes);
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.drain();
            let next = self
                .machines
                .values()
                .map(Heartbeat::deadline)
                .min()
                .unwrap();
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            for machine in self.machines.values_mut() {
                machine.timeout(self.now);
            }
        }
    }

    fn seen_by(&self, n: u8) -> Vec<String> {
        self.alive
            .get(&node(n))
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect()
    }
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn nothing_is_told_before_the_others_had_time_to_speak() {
    let mut fleet = Fleet::new(3);
    fleet.run(399 * MS);
    assert!(fleet.alive.is_empty());
    fleet.run(2 * MS);
    assert_eq!(fleet.seen_by(1), ["n1", "n2", "n3"]);
}

#[test]
fn a_silent_node_is_dead_after_the_silence_and_back_with_its_first_beat() {
    let mut fleet = Fleet::new(3);
    fleet.run(1000 * MS);
    fleet.cut.insert(node(2));
    fleet.run(290 * MS);
    assert_eq!(fleet.seen_by(1), ["n1", "n2", "n3"]);
    fleet.run(120 * MS);
    assert_eq!(fleet.seen_by(1), ["n1", "n3"]);
    fleet.cut.clear();
    fleet.run(101 * MS);
    assert_eq!(fleet.seen_by(1), ["n1", "n2", "n3"]);
}

#[test]
fn a_leaving_node_is_gone_at_once() {
    let mut fleet = Fleet::new(2);
    fleet.run(1000 * MS);
    fleet.machines.get_mut(&node(2)).unwrap().leave();
    fleet.drain();
    assert_eq!(fleet.seen_by(1), ["n1"]);
}

#[test]
fn a_beat_says_whether_the_node_it_goes_to_is_heard() {
    let now = Instant::now();
    let mut machine = Heartbeat::new(now, node(1), Timing::default());
    machine.set_nodes(now, (1..=3).map(|n| (node(n), vec![address(n)])).collect());
    machine.begin(now);
    let beats = |machine: &mut Heartbeat, after: u32| -> Vec<(IpAddr, bool)> {
        machine.timeout(now + after * MS);
        let told = std::iter::from_fn(|| machine.poll());
        let beats = told.filter_map(|output| match output {
            Output::Send(beat) => Some((beat.to, beat.is_heard)),
            _ => None,
        });
        beats.collect()
    };
    let of = |heard| vec![(address(2), false), (address(3), heard)];
    assert_eq!(beats(&mut machine, 0), of(false));
    machine.receive(now + 50 * MS, address(3), &alive(3));
    assert_eq!(beats(&mut machine, 100), of(true));
    (2..=4).for_each(|step| drop(beats(&mut machine, step * 100)));
    assert_eq!(beats(&mut machine, 500), of(false), "it fell silent");
}

#[test]
fn a_node_that_is_not_ready_hears_the_others_and_is_not_alive() {
    let mut fleet = Fleet::new(3);
    fleet.run(1000 * MS);
    let (now, name) = (fleet.now, node(3));
    // It starts anew.
    let mut machine = Heartbeat::new(now, name.clone(), Timing::default());
    machine.set_nodes(now, (1..=3).map(|n| (node(n), vec![address(n)])).collect());
    machine.set_facts(now, b"mine".to_vec());
    fleet.machines.insert(name.clone(), machine);
    fleet.alive.remove(&name);
    fleet.run(1000 * MS);
    assert_eq!(fleet.seen_by(3), ["n1", "n2", "n3"]);
    assert_eq!(fleet.seen_by(1), ["n1", "n2"]);
    // Its first beat goes out at once, with all it has to say.
    let now = fleet.now;
    let machine = fleet.machines.get_mut(&name).unwrap();
    machine.begin(now);
    assert_eq!(machine.deadline(), now);
    machine.timeout(now);
    fleet.drain();
    assert_eq!(fleet.seen_by(1), ["n1", "n2", "n3"]);
    let told = (name, Some(b"mine".to_vec()));
    assert_eq!(fleet.facts, [told.clone(), told]);
}

/// Machines that are started together and are able then; gives, in this order, who begins to answer when, and
/// whom it knows to be alive by then. Who answers is ready at once.
fn answering(able_at: &[Duration]) -> Vec<(u8, Duration, BTreeSet<NodeName>)> {
    let begun = Instant::now();
    let numbers = 1..=able_at.len() as u8;
    let nodes: BTreeMap<_, _> = numbers
        .clone()
        .map(|n| (node(n), vec![address(n)]))
        .collect();
    let machine = |n: u8| {
        let mut machine = Heartbeat::new(begun, node(n), Timing::default());
        machine.set_nodes(begun, nodes.clone());
        machine
    };
    let mut machines: Vec<Heartbeat> = numbers.clone().map(machine).collect();
    let mut alive: BTreeMap<u8, BTreeSet<NodeName>> = BTreeMap::new();
    let mut answering: Vec<(u8, Duration, BTreeSet<NodeName>)> = Vec::new();
    for at in (0..1500).map(|at| at * MS) {
        let now = begun + at;
        let mut sent = Vec::new();
        for ((n, machine), able_at) in numbers.clone().zip(&mut machines).zip(able_at) {
            if at == *able_at {
                machine.set_able(now);
            }
            if machine.deadline() <= now {
                machine.timeout(now);
            }
            for output in std::iter::from_fn(|| machine.poll()) {
                match output {
                    Output::Send(beat) => sent.push((n, beat)),
                    Output::Alive(living) => drop(alive.insert(n, living)),
                    Output::Came(node) => assert!(alive.get_mut(&n).unwrap().insert(node)),
                    other => panic!("{other:?}"),
                }
            }
            assert!(machine.deadline() + MS > now, "it would run for ever");
            let is_new = answering.iter().all(|(other, ..)| *other != n);
            if let Some(known) = alive.get(&n).filter(|_| is_new && at >= *able_at) {
                answering.push((n, at, known.clone()));
                machine.begin(now);
            }
        }
        for (from, beat) in sent {
            let mut others = numbers.clone().zip(&mut machines);
            let to = others.find(|(n, _)| address(*n) == beat.to);
            to.unwrap().1.receive(now, address(from), &beat.bytes);
        }
    }
    answering
}

#[test]
fn who_starts_at_once_knows_of_each_other_before_anybody_answers() {
    for late in [0, 1, 30, 100, 199, 300, 399, 400, 401, 450] {
        let answering = answering(&[Duration::ZERO, late * MS, 2 * late * MS]);
        assert_eq!(answering.len(), 3, "after {late}");
        for (place, (n, at, known)) in answering.iter().enumerate() {
            let before = answering[..place].iter().map(|(other, ..)| node(*other));
            let unknown: Vec<NodeName> = before.filter(|other| !known.contains(other)).collect();
            assert!(
                unknown.is_empty(),
                "{n} at {at:?}, after {late}: {answering:?}"
            );
        }
        let first = answering[0].1;
        assert!(first <= 801 * MS, "after {late}: {answering:?}");
    }
}

#[test]
fn nobody_is_told_who_is_alone_and_could_not_answer() {
    let own: BTreeSet<NodeName> = [node(1)].into();
    assert_eq!(answering(&[700 * MS, Duration::MAX]), [(1, 1100 * MS, own)]);
}

#[test]
fn a_node_that_listens_can_be_reached_and_is_not_alive() {
    let begun = Instant::now();
    let mut machine = Heartbeat::new(begun, node(1), Timing::default());
    let nodes = (1..=2).map(|n| (node(n), vec![address(n)]));
    machine.set_nodes(begun, nodes.collect());
    machine.begin(begun);
    let says = |kind| Beat {
        kind,
        node: node(2),
        facts: Vec::new(),
    };
    let listens = says(Kind::Listening).emit();
    let is_heard = |machine: &mut Heartbeat, at: Duration| {
        machine.timeout(begun + at);
        let sent = std::iter::from_fn(|| machine.poll()).find_map(|output| match output {
            Output::Send(beat) => Some(beat.is_heard),
            _ => None,
        });
        sent.unwrap()
    };
    assert!(!is_heard(&mut machine, Duration::ZERO));
    machine.receive(begun + 150 * MS, address(2), &listens);
    assert!(is_heard(&mut machine, 200 * MS));
    machine.timeout(begun + 400 * MS);
    let told: Vec<Output> = std::iter::from_fn(|| machine.poll()).collect();
    assert!(told.contains(&Output::Alive([node(1)].into())), "{told:?}");
    assert!(!is_heard(&mut machine, 600 * MS), "it fell silent");
    // One that was alive and listens now has been started anew.
    machine.receive(begun + 610 * MS, address(2), &alive(2));
    machine.receive(begun + 620 * MS, address(2), &listens);
    let told: Vec<Output> = std::iter::from_fn(|| machine.poll()).collect();
    assert_eq!(told, [Output::Came(node(2)), Output::Went(node(2))]);
    assert!(is_heard(&mut machine, 700 * MS));
    machine.receive(begun + 710 * MS, address(2), &says(Kind::Leaving).emit());
    assert!(!is_heard(&mut machine, 800 * MS));
}

#[test]
fn facts_are_told_when_they_change_and_forgotten_with_their_node() {
    let mut fleet = Fleet::new(2);
    let now = fleet.now;
    fleet
        .machines
        .get_mut(&node(2))
        .unwrap()
        .set_facts(now, b"one".to_vec());
    fleet.run(1000 * MS);
    assert_eq!(fleet.facts, [(node(2), Some(b"one".to_vec()))]);
    fleet.cut.insert(node(2));
    fleet.run(1000 * MS);
    assert_eq!(fleet.facts[1..], [(node(2), None)]);
    fleet.cut.clear();
    fleet.run(1000 * MS);
    assert_eq!(fleet.facts[2..], [(node(2), Some(b"one".to_vec()))]);
}

#[test]
fn facts_are_forgotten_once_a_node_tells_none() {
    let mut fleet = Fleet::new(2);
    for facts in [&b"one"[..], b""] {
        let now = fleet.now;
        let machine = fleet.machines.get_mut(&node(2)).unwrap();
        machine.set_facts(now, facts.to_vec());
        fleet.run(1000 * MS);
    }
    let told = [Some(b"one".to_vec()), None].map(|facts| (node(2), facts));
    assert_eq!(fleet.facts, told);
    assert_eq!(fleet.seen_by(1), ["n1", "n2"]);
}

#[test]
fn a_node_that_is_no_longer_listed_is_no_longer_alive() {
    let mut fleet = Fleet::new(2);
    fleet.run(1000 * MS);
    let now = fleet.now;
    fleet
        .machines
        .get_mut(&node(1))
        .unwrap()
        .set_nodes(now, BTreeMap::new());
    fleet.addresses.remove(&node(1));
    fleet.drain();
    assert_eq!(fleet.seen_by(1), ["n1"]);
}

#[test]
fn nothing_is_told_before_it_is_known_who_the_others_are() {
    let begun = Instant::now();
    let mut machine = Heartbeat::new(begun, node(1), Timing::default());
    machine.begin(begun);
    let later = begun + 5 * Timing::default().silence;
    machine.timeout(later);
    assert_eq!(machine.poll(), None);
    let nodes = [(node(2), vec![address(2)])];
    machine.set_nodes(later, nodes.into_iter().collect());
    for step in 1..=3 {
        machine.timeout(later + step * 100 * MS);
    }
    let told = std::iter::from_fn(|| machine.poll()).any(|out| matches!(out, Output::Alive(_)));
    assert!(!told, "the other had no time to speak");
    machine.timeout(later + 400 * MS);
    let told: Vec<Output> = std::iter::from_fn(|| machine.poll()).collect();
    assert!(told.contains(&Output::Alive([node(1)].into())), "{told:?}");
}

#[test]
fn who_was_held_up_itself_takes_nobody_for_dead() {
    let mut fleet = Fleet::new(2);
    fleet.run(1000 * MS);
    let machine = fleet.machines.get_mut(&node(1)).unwrap();
    let woken = fleet.now + 3000 * MS;
    machine.timeout(woken);
    let told = std::iter::from_fn(|| machine.poll()).any(|out| matches!(out, Output::Went(_)));
    assert!(!told, "it heard nobody because it did not listen");
    // What is silent from then on is dead, as ever.
    let mut now = woken;
    while now < woken + 500 * MS {
        now += 50 * MS;
        machine.timeout(now);
    }
    let told: Vec<Output> = std::iter::from_fn(|| machine.poll()).collect();
    assert!(told.contains(&Output::Went(node(2))), "{told:?}");
}

#[test]
fn a_beat_taken_right_after_a_stall_buys_no_more_time_than_any_other() {
    let mut fleet = Fleet::new(2);
    fleet.run(1000 * MS);
    let machine = fleet.machines.get_mut(&node(1)).unwrap();
    let woken = fleet.now + 3000 * MS;
    machine.receive(woken, address(2), &alive(2));
    machine.timeout(woken);
    let mut now = woken;
    while now < woken + 400 * MS {
        now += 50 * MS;
        machine.timeout(now);
    }
    let told: Vec<Output> = std::iter::from_fn(|| machine.poll()).collect();
    assert!(told.contains(&Output::Went(node(2))), "{told:?}");
}

#[test]
fn who_was_held_up_while_the_others_had_their_time_to_speak_waits_for_all_of_them() {
    let now = Instant::now();
    let mut machine = Heartbeat::new(now, node(1), Timing::default());
    let nodes = (1..=3).map(|n| (node(n), vec![address(n)]));
    machine.set_nodes(now, nodes.collect());
    machine.timeout(now);
    let woken = now + 3000 * MS;
    machine.receive(woken, address(2), &alive(2));
    machine.timeout(woken);
    machine.receive(woken, address(3), &alive(3));
    for step in 1..=4 {
        machine.receive(woken + step * 100 * MS, address(2), &alive(2));
        machine.receive(woken + step * 100 * MS, address(3), &alive(3));
        machine.timeout(woken + step * 100 * MS);
    }
    let all: BTreeSet<NodeName> = (1..=3).map(node).collect();
    let told = std::iter::from_fn(|| machine.poll());
    let told: Vec<Output> = told.filter(|out| !matches!(out, Output::Send(_))).collect();
    assert_eq!(told, [Output::Alive(all)]);
}

proptest! {
    /// Whatever comes in, the deadline lies ahead after a drain, and the own node is alive.
    #[test]
    fn any_input(inputs in prop::collection::vec((0u8..4, 0u64..600, any::<Vec<u8>>()), 0..60)) {
        let mut now = Instant::now();
        let mut machine = Heartbeat::new(now, node(1), Timing::default());
        machine.set_nodes(now, [(node(2), vec![address(2)])].into_iter().collect());
        for (what, wait, bytes) in inputs {
            now += MS * wait as u32;
            match what {
                0 => machine.receive(now, address(2), &bytes),
                1 => machine.receive(now, address(2), &alive(2)),
                _ => {}
            }
            machine.timeout(now);
            while let Some(output) = machine.poll() {
                if let Output::Alive(alive) = output {
                    prop_assert!(alive.contains(&node(1)));
                }
            }
            prop_assert!(machine.deadline() > now);
        }
    }
}
