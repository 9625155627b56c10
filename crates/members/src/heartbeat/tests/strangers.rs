// SPDX-License-Identifier: Apache-2.0
//! Where beats come from, and where they are sent from.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A machine of node 1 that knows where it and node 2 are.
fn knowing(own: &[&str], other: &[&str]) -> (Instant, Heartbeat) {
    let now = Instant::now();
    let mut machine = Heartbeat::new(now, node(1), Timing::default());
    machine.set_nodes(now, nodes(own, other));
    (now, machine)
}

fn nodes(own: &[&str], other: &[&str]) -> BTreeMap<NodeName, Vec<IpAddr>> {
    let all = |texts: &[&str]| texts.iter().map(|text| ip(text)).collect();
    BTreeMap::from([(node(1), all(own)), (node(2), all(other))])
}

fn told(machine: &mut Heartbeat) -> Vec<Output> {
    std::iter::from_fn(|| machine.poll()).collect()
}

fn unlisted(n: u8, source: &str, is_news: bool) -> Output {
    Output::Unlisted(Unlisted {
        node: node(n),
        source: ip(source),
        is_news,
    })
}

#[test]
fn a_beat_from_a_wrong_address_counts_for_nothing_and_is_named_once() {
    let (now, mut machine) = knowing(&["10.0.0.1"], &["10.0.0.2"]);
    let mut hear = |source: &str, n: u8| {
        machine.receive(now, ip(source), &alive(n));
        told(&mut machine)
    };
    assert_eq!(
        hear("::ffff:10.0.0.2", 2),
        [],
        "it is an address of the node"
    );
    assert_eq!(hear("10.0.0.9", 2), [unlisted(2, "10.0.0.9", true)]);
    assert_eq!(hear("10.0.0.9", 2), [unlisted(2, "10.0.0.9", false)]);
    assert_eq!(hear("10.0.0.2", 3), [unlisted(3, "10.0.0.2", true)]);
    assert!(machine.deadline() <= now + Timing::default().silence);
    assert_eq!(machine.heard.names().collect::<Vec<_>>(), [&node(2)]);
}

#[test]
fn a_sender_that_was_listed_meanwhile_is_named_again() {
    let (now, mut machine) = knowing(&["10.0.0.1"], &["10.0.0.2"]);
    machine.receive(now, ip("10.0.0.9"), &alive(2));
    machine.set_nodes(now, nodes(&["10.0.0.1"], &["10.0.0.2", "10.0.0.9"]));
    machine.receive(now, ip("10.0.0.9"), &alive(2));
    machine.set_nodes(now, nodes(&["10.0.0.1"], &["10.0.0.2"]));
    machine.receive(now, ip("10.0.0.9"), &alive(2));
    let again = unlisted(2, "10.0.0.9", true);
    assert_eq!(told(&mut machine), [again.clone(), again]);
}

#[test]
fn made_up_senders_take_no_memory_without_end() {
    let (now, mut machine) = knowing(&["10.0.0.1"], &["10.0.0.2"]);
    for n in 0..1000_u32 {
        machine.receive(now, IpAddr::from(n.to_be_bytes()), &alive(2));
    }
    let told = told(&mut machine);
    let news = |output: &&Output| matches!(output, Output::Unlisted(unlisted) if unlisted.is_news);
    assert_eq!((told.len(), told.iter().filter(news).count()), (1000, 64));
}

#[test]
fn before_it_is_known_who_the_others_are_nobody_is_a_stranger() {
    let now = Instant::now();
    let mut machine = Heartbeat::new(now, node(1), Timing::default());
    machine.receive(now, address(2), &alive(2));
    assert_eq!(machine.poll(), None);
}

#[test]
fn a_beat_goes_from_the_own_address_of_the_family_it_is_sent_by() {
    type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a str, Option<&'a str>);
    let table: [Row<'_>; 7] = [
        (&["10.0.0.1"], &["10.0.0.2"], "10.0.0.2", Some("10.0.0.1")),
        (
            &["10.0.0.1", "10.0.1.1"],
            &["10.0.0.2"],
            "10.0.0.2",
            Some("10.0.0.1"),
        ),
        (
            &["10.0.0.1", "fd::1"],
            &["fd::2", "10.0.0.2"],
            "fd::2",
            Some("fd::1"),
        ),
        (
            &["10.0.0.1"],
            &["fd::2", "10.0.0.2"],
            "10.0.0.2",
            Some("10.0.0.1"),
        ),
        (&["fd::1"], &["10.0.0.2"], "10.0.0.2", None),
        (&[], &["fd::2", "10.0.0.2"], "fd::2", None),
        (
            &["fd::1", "10.0.0.1"],
            &["10.0.0.2"],
            "10.0.0.2",
            Some("10.0.0.1"),
        ),
    ];
    for (own, other, to, from) in table {
        let (now, mut machine) = knowing(own, other);
        machine.begin(now);
        machine.timeout(now);
        let Some(Output::Send(sent)) = machine.poll() else {
            panic!("no beat from {own:?} to {other:?}")
        };
        let way = (sent.to, sent.from);
        assert_eq!(way, (ip(to), from.map(ip)), "{own:?} {other:?}");
        assert_eq!(&*sent.bytes, alive(1));
        assert_eq!(machine.poll(), None);
    }
}
