// SPDX-License-Identifier: Apache-2.0
//! The rounds of a burst, the refresh after it, and the pace over all.

use super::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn key(n: u32) -> Key {
    Key {
        ifindex: 1,
        address: IpAddr::V4((0x0a00_0000 + n).into()),
    }
}

/// Runs from `from` to `until`, waking only at deadlines; gives the times of all rounds.
fn run(schedule: &mut Schedule, from: Instant, until: Instant) -> Vec<(Duration, Key)> {
    let (mut now, mut rounds) = (from, Vec::new());
    loop {
        while let Some(key) = schedule.due(now) {
            rounds.push((now - from, key));
        }
        match schedule.deadline() {
            Some(at) if at <= until => {
                assert!(at > now, "a deadline in the past after a drain would spin");
                now = at;
            }
            _ => return rounds,
        }
    }
}

fn without_refresh() -> Config {
    Config {
        refresh: None,
        ..Config::default()
    }
}

#[test]
fn a_burst_is_one_round_at_once_and_four_more_in_five_seconds() {
    let (mut schedule, start) = (Schedule::new(&without_refresh()), Instant::now());
    schedule.start(start, key(1));
    let times: Vec<_> = run(&mut schedule, start, start + ms(60_000))
        .iter()
        .map(|r| r.0)
        .collect();
    assert_eq!(times, [0, 1100, 2200, 3300, 4400].map(ms));
    assert_eq!(schedule.deadline(), None);
}

#[test]
fn refresh_follows_the_burst_and_is_spread_out() {
    let (mut schedule, start) = (Schedule::new(&Config::default()), Instant::now());
    for n in 0..50 {
        schedule.start(start, key(n));
    }
    let rounds = run(&mut schedule, start, start + ms(240_000));
    for n in 0..50 {
        let times: Vec<_> = rounds
            .iter()
            .filter(|r| r.1 == key(n))
            .map(|r| r.0)
            .collect();
        let [first, second, ..] = times[5..] else {
            panic!("too few rounds: {times:?}")
        };
        assert!((ms(34_400)..=ms(64_400)).contains(&first), "{first:?}");
        assert_eq!(second - first, ms(60_000));
    }
    let seconds: BTreeSet<_> = rounds
        .iter()
        .map(|r| r.0.as_secs())
        .filter(|s| *s > 5)
        .collect();
    assert!(seconds.len() > 20, "refreshes stay together: {seconds:?}");
}

#[test]
fn thousands_of_addresses_leave_at_the_pace_and_first_rounds_lead() {
    let (mut schedule, start) = (Schedule::new(&without_refresh()), Instant::now());
    for n in 0..5000 {
        schedule.start(start, key(n));
    }
    let early = run(&mut schedule, start, start + ms(300));
    schedule.start(start + ms(300), key(9999));
    let rounds = run(&mut schedule, start + ms(310), start + ms(20_000));
    assert_eq!(
        early.len(),
        31 * 64,
        "64 rounds of two frames in each tick of 10 ms"
    );
    let late = rounds.iter().position(|r| r.1 == key(9999));
    let first_repeat = rounds.iter().position(|r| early.iter().any(|e| e.1 == r.1));
    assert!(late < first_repeat, "{late:?} {first_repeat:?}");
    assert_eq!(early.len() + rounds.len(), 5001 * 5);
}

#[test]
fn stopping_ends_the_rounds_and_starting_anew_begins_with_one_at_once() {
    let (mut schedule, start) = (Schedule::new(&without_refresh()), Instant::now());
    schedule.start(start, key(1));
    run(&mut schedule, start, start + ms(1500));
    schedule.stop(key(1));
    assert_eq!(schedule.deadline(), None);
    schedule.start(start + ms(2000), key(1));
    assert_eq!(
        run(&mut schedule, start + ms(2000), start + ms(60_000)).len(),
        5
    );
}

#[test]
fn a_hastened_round_does_not_begin_a_burst() {
    let (mut schedule, start) = (Schedule::new(&without_refresh()), Instant::now());
    schedule.hasten(start, key(1));
    assert_eq!(
        schedule.deadline(),
        None,
        "what is not announced cannot be hastened"
    );
    schedule.start(start, key(1));
    run(&mut schedule, start, start + ms(9000));
    schedule.hasten(start + ms(9000), key(1));
    assert_eq!(
        run(&mut schedule, start + ms(9000), start + ms(60_000)),
        [(ms(0), key(1))]
    );
}
