// SPDX-License-Identifier: Apache-2.0
//! What a datagram costs, counted in entries looked at, never in time.

use super::*;

const NODES: u16 = 1000;

fn many(n: u16) -> (NodeName, IpAddr) {
    let [high, low] = n.to_be_bytes();
    let address = IpAddr::from([10, 0, high, low]);
    (NodeName::from(format!("n{n}")), address)
}

fn beat(n: u16, facts: &[u8]) -> Vec<u8> {
    let beat = Beat {
        kind: Kind::Alive,
        node: many(n).0,
        facts: facts.to_vec(),
    };
    beat.emit()
}

/// A machine that hears a thousand others, and has told so.
fn crowded(now: Instant) -> Heartbeat {
    let mut machine = Heartbeat::new(now, many(0).0, Timing::default());
    let nodes = (0..=NODES).map(|n| {
        let (node, address) = many(n);
        (node, vec![address])
    });
    machine.set_nodes(now, nodes.collect());
    let later = now + Timing::default().silence;
    for n in 1..=NODES {
        machine.receive(later, many(n).1, &beat(n, b"{}"));
    }
    // It beats in time: otherwise those it did not hear meanwhile would be excused.
    (0..=4).for_each(|n| machine.timeout(now + 100 * MS * n));
    let alive = told(&mut machine)
        .into_iter()
        .find_map(|output| match output {
            Output::Alive(alive) => Some(alive.len()),
            _ => None,
        });
    assert_eq!(alive, Some(usize::from(NODES) + 1));
    machine
}

/// What is told, the beats of the own node left out.
fn told(machine: &mut Heartbeat) -> Vec<Output> {
    let all = std::iter::from_fn(|| machine.poll());
    all.filter(|output| !matches!(output, Output::Send(_)))
        .collect()
}

/// How many entries an act looks at.
fn cost(machine: &mut Heartbeat, act: impl FnOnce(&mut Heartbeat)) -> u64 {
    let before = machine.heard.visits.get();
    act(machine);
    let _: Instant = machine.deadline();
    machine.heard.visits.get() - before
}

#[test]
fn a_beat_without_news_looks_at_no_other_node_and_tells_nothing() {
    let begun = Instant::now();
    let mut machine = crowded(begun);
    for n in 1..=NODES {
        let now = begun + Timing::default().silence + MS * u32::from(n) / 10;
        let spent = cost(&mut machine, |machine| {
            machine.receive(now, many(n).1, &beat(n, b"{}"));
        });
        assert!(spent <= 4, "{spent}");
    }
    assert_eq!(told(&mut machine), []);
}

#[test]
fn news_of_one_node_are_told_of_it_alone() {
    let begun = Instant::now();
    let mut machine = crowded(begun);
    let now = begun + Timing::default().silence + 50 * MS;
    let (node, address) = many(7);
    let leaving = Beat {
        kind: Kind::Leaving,
        node: node.clone(),
        facts: Vec::new(),
    };
    let mut at_most = |bytes: &[u8]| {
        let spent = cost(&mut machine, |machine| machine.receive(now, address, bytes));
        assert!(spent <= 4, "{spent}");
        told(&mut machine)
    };
    let facts = Output::Facts(node.clone(), b"new".to_vec());
    assert_eq!(at_most(&beat(7, b"new")), std::slice::from_ref(&facts));
    let gone = Output::FactsGone(node.clone());
    assert_eq!(at_most(&leaving.emit()), [gone, Output::Went(node.clone())]);
    assert_eq!(at_most(&beat(7, b"new")), [Output::Came(node), facts]);
}

#[test]
fn the_silent_are_found_without_looking_at_the_others() {
    let begun = Instant::now();
    let mut machine = crowded(begun);
    let heard = begun + Timing::default().silence;
    for n in (1..=NODES).filter(|n| *n != 7) {
        machine.receive(heard + 100 * MS, many(n).1, &beat(n, b"{}"));
    }
    (1..=3).for_each(|n| machine.timeout(heard + 100 * MS * n));
    let spent = cost(&mut machine, |machine| machine.timeout(heard + 400 * MS));
    assert!(spent <= 8, "{spent}");
    let node = many(7).0;
    assert_eq!(
        told(&mut machine),
        [Output::FactsGone(node.clone()), Output::Went(node)]
    );
}
