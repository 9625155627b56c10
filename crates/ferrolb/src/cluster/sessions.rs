// SPDX-License-Identifier: Apache-2.0
//! Which peers the status objects may name: those whose sessions stand and carry the family of the routes.
//!
//! A family of a session counts as up, or as down, once it has been so for a while: one that comes and goes would cost
//! a write for each Service each time. At the start nothing is judged before every peer of the node is up
//! that long, or has had the time to come: a restart rewrites nothing that stays as it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Duration,
};

use ferrolb_types::{Family, PeerName};
use tokio::time::Instant;

use crate::drivers::bgp::Carried;

/// How long a session has to stay up or down to count so.
const STEADY: Duration = Duration::from_secs(5);

/// How long the first judgement waits for peers that do not come up.
const FIRST: Duration = Duration::from_secs(15);

/// What counts as up.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    up: Carried,
    /// What is otherwise than it counts, and since when.
    turning: BTreeMap<(PeerName, Family), Instant>,
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    /// It is not known yet who has to be told what.
    #[default]
    Before,
    /// Not judged yet: when it has to be at the latest, and when it will be.
    Waiting { latest: Instant, at: Instant },
    /// Judged.
    Judging,
}

/// What a judgement brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// The first one: everything may be told now.
    First,
    /// These count otherwise than before.
    Turned(Carried),
}

impl Sessions {
    /// Whether a family counts as carried to a peer.
    pub(super) fn is_up(&self, to: &(PeerName, Family)) -> bool {
        self.up.contains(to)
    }

    /// Whether there was a first judgement.
    pub(super) fn is_judging(&self) -> bool {
        matches!(self.stage, Stage::Judging)
    }

    /// This is carried now.
    pub(super) fn observe(&mut self, now: Instant, carried: &Carried) {
        let differing: BTreeSet<_> = self.up.symmetric_difference(carried).collect();
        self.turning.retain(|to, _| differing.contains(to));
        for to in differing {
            self.turning.entry(to.clone()).or_insert(now);
        }
    }

    /// What is announced is known, and these are the peers of the node; said again whenever it may have
    /// changed.
    pub(super) fn expect<'a>(&mut self, now: Instant, peers: impl Iterator<Item = &'a PeerName>) {
        let latest = match self.stage {
            Stage::Before => now + FIRST,
            Stage::Waiting { latest, .. } => latest,
            Stage::Judging => return,
        };
        let mut all = peers.map(|peer| Some(self.came(peer)? + STEADY));
        let last = all.try_fold(now, |last, at| Some(last.max(at?)));
        let at = last.map_or(latest, |last| last.min(latest));
        self.stage = Stage::Waiting { latest, at };
    }

    /// When the last of a peer's families came, before the first judgement.
    fn came(&self, peer: &PeerName) -> Option<Instant> {
        let own = [Family::IPv4, Family::IPv6].map(|family| (peer.clone(), family));
        own.iter()
            .filter_map(|to| self.turning.get(to))
            .max()
            .copied()
    }

    /// When [`Self::judge`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Before => None,
            Stage::Waiting { at, .. } => Some(at),
            Stage::Judging => self.turning.values().min().map(|since| *since + STEADY),
        }
    }

    /// Judges the sessions, where it is due.
    pub(super) fn judge(&mut self, now: Instant) -> Option<Judged> {
        if self.deadline().is_none_or(|at| now < at) {
            return None;
        }
        let turned = self
            .turning
            .extract_if(.., |_, since| *since + STEADY <= now);
        let turned: Carried = turned.map(|(to, _)| to).collect();
        for to in &turned {
            if !self.up.remove(to) {
                self.up.insert(to.clone());
            }
        }
        match mem::replace(&mut self.stage, Stage::Judging) {
            Stage::Judging => Some(Judged::Turned(turned)),
            Stage::Before | Stage::Waiting { .. } => Some(Judged::First),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Carried {
        names.iter().map(|name| v4(name)).collect()
    }

    fn v4(name: &str) -> (PeerName, Family) {
        (name.into(), Family::IPv4)
    }

    fn expect(sessions: &mut Sessions, now: Instant, names: &[&str]) {
        let names: Vec<PeerName> = names.iter().map(|name| PeerName::from(*name)).collect();
        sessions.expect(now, names.iter());
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_judgement_waits_for_every_peer() {
        let begun = Instant::now();
        let mut sessions = Sessions::default();
        assert_eq!(sessions.deadline(), None);
        expect(&mut sessions, begun, &["a", "b"]);
        sessions.observe(begun, &set(&["a"]));
        expect(&mut sessions, begun, &["a", "b"]);
        assert_eq!(sessions.judge(begun + STEADY), None);
        sessions.observe(begun + SECOND, &set(&["a", "b"]));
        expect(&mut sessions, begun + SECOND, &["a", "b"]);
        let due = begun + SECOND + STEADY;
        assert_eq!(sessions.deadline(), Some(due));
        assert_eq!(sessions.judge(due), Some(Judged::First));
        assert!(sessions.is_up(&v4("a")) && sessions.is_up(&v4("b")));
    }

    #[test]
    fn a_peer_that_does_not_come_holds_nobody_up_for_ever() {
        let begun = Instant::now();
        let mut sessions = Sessions::default();
        sessions.observe(begun, &set(&["a"]));
        expect(&mut sessions, begun, &["a", "away"]);
        assert_eq!(sessions.judge(begun + FIRST), Some(Judged::First));
        assert!(sessions.is_up(&v4("a")) && !sessions.is_up(&v4("away")));
    }

    #[test]
    fn without_peers_it_is_judged_at_once() {
        let begun = Instant::now();
        let mut sessions = Sessions::default();
        expect(&mut sessions, begun, &[]);
        assert_eq!(sessions.judge(begun), Some(Judged::First));
        assert_eq!(sessions.deadline(), None);
    }

    #[test]
    fn what_comes_and_goes_counts_for_nothing() {
        let begun = Instant::now();
        let mut sessions = Sessions::default();
        sessions.observe(begun, &set(&["a", "b"]));
        expect(&mut sessions, begun, &["a", "b"]);
        sessions.judge(begun + STEADY);
        let at = |seconds: u32| begun + STEADY + SECOND * seconds;
        sessions.observe(at(1), &set(&["b"]));
        sessions.observe(at(4), &set(&["a", "b"]));
        assert_eq!(sessions.deadline(), None);
        // Each has its own time: one that turned late is not judged with one that turned early.
        sessions.observe(at(5), &set(&["b"]));
        sessions.observe(at(9), &set(&[]));
        assert_eq!(sessions.judge(at(10)), Some(Judged::Turned(set(&["a"]))));
        assert!(!sessions.is_up(&v4("a")) && sessions.is_up(&v4("b")));
        assert_eq!(sessions.deadline(), Some(at(14)));
    }

    #[test]
    fn a_family_that_is_not_carried_does_not_count() {
        let begun = Instant::now();
        let mut sessions = Sessions::default();
        sessions.observe(begun, &set(&["a"]));
        expect(&mut sessions, begun, &["a"]);
        assert_eq!(
            sessions.judge(begun + STEADY),
            Some(Judged::First),
            "nor waited for"
        );
        let v6: (PeerName, Family) = ("a".into(), Family::IPv6);
        assert!(sessions.is_up(&v4("a")) && !sessions.is_up(&v6));
        let both = Carried::from([v4("a"), v6.clone()]);
        sessions.observe(begun + STEADY, &both);
        let turned = Judged::Turned(Carried::from([v6.clone()]));
        assert_eq!(sessions.judge(begun + STEADY * 2), Some(turned));
        assert!(sessions.is_up(&v6));
    }
}
