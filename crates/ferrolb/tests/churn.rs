// SPDX-License-Identifier: Apache-2.0
//! `kill -9` at random moments of a role whose folder changes all the time: no address is lost, and none
//! has two holders.
//!
//! Ten kills; two hundred with `FERROLB_SOAK` set. `FERROLB_SEED` repeats a run's choices.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use common::{
    Folder, Held, eventually, layer2, node, pool,
    running::{Running, addresses, faults, has_namespaces},
    service,
};

/// Services that come and go, for fewer addresses than there are.
const GUESTS: u64 = 24;
/// Services that are there throughout.
const RESIDENTS: u64 = 6;

/// A sequence of numbers that a seed determines (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn seed() -> u64 {
    let given = std::env::var("FERROLB_SEED").ok();
    given.map_or_else(
        || RandomState::new().hash_one("seed"),
        |text| text.parse().unwrap(),
    )
}

fn kills() -> usize {
    if std::env::var_os("FERROLB_SOAK").is_some() {
        200
    } else {
        10
    }
}

/// The folder, and what a reader of the state file has seen so far.
struct Churn {
    folder: Folder,
    dice: Dice,
    seed: u64,
    present: BTreeSet<u64>,
    /// Address of each resident, once seen.
    seen: BTreeMap<String, String>,
}

impl Churn {
    fn new() -> Self {
        let seed = seed();
        let folder = Folder::with(&[
            // Sixteen addresses for up to thirty.
            ("pools.yaml", &pool("lan", "192.0.2.0/28")),
            ("how.yaml", &(layer2() + &node("n1"))),
        ]);
        let residents: String = (0..RESIDENTS)
            .map(|n| service(&format!("resident-{n}")))
            .collect();
        folder.write("residents.yaml", &residents);
        Self {
            folder,
            dice: Dice(seed),
            seed,
            present: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    /// One Service comes or goes, and the state is looked at.
    fn step(&mut self) {
        let guest = self.dice.below(GUESTS);
        let file = format!("guest-{guest}.yaml");
        if self.present.remove(&guest) {
            self.folder.remove(&file);
        } else {
            self.folder
                .write(&file, &service(&format!("guest-{guest}")));
            self.present.insert(guest);
        }
        let pause = Duration::from_micros(self.dice.below(20_000));
        std::thread::sleep(pause);
        self.look();
    }

    /// The state as any reader may find it at any time.
    fn look(&mut self) -> Held {
        let held = self.folder.held();
        let seed = self.seed;
        let distinct: BTreeSet<&String> = held.values().collect();
        assert_eq!(
            distinct.len(),
            held.len(),
            "doubled, FERROLB_SEED={seed}: {held:#?}"
        );
        for (service, address) in &self.seen {
            let now = held.get(service);
            assert_eq!(
                now,
                Some(address),
                "{service}, FERROLB_SEED={seed}: {held:#?}"
            );
        }
        let residents = held
            .iter()
            .filter(|(service, _)| service.contains("resident"));
        self.seen
            .extend(residents.map(|(service, address)| (service.clone(), address.clone())));
        held
    }

    /// A new process stands where the old one stood.
    fn restarted(&mut self, role: &mut Running) {
        let report = role.await_synced();
        assert_eq!(faults(&report), [""; 0], "FERROLB_SEED={}", self.seed);
        for (service, address) in &self.seen {
            let now = addresses(&report, service);
            assert_eq!(now, [address], "{service}, FERROLB_SEED={}", self.seed);
        }
        self.look();
    }

    fn run(mut self, start: impl Fn(&Folder) -> Running) {
        eprintln!("FERROLB_SEED={}", self.seed);
        for _ in 0..kills() {
            let mut role = start(&self.folder);
            // Some are killed while they start.
            if self.dice.below(4) > 0 {
                self.restarted(&mut role);
            }
            for _ in 0..self.dice.below(25) {
                self.step();
            }
            role.kill();
            self.look();
        }
        let mut role = start(&self.folder);
        self.restarted(&mut role);
        self.settled();
    }

    /// In the end every address that somebody wants is held.
    fn settled(&mut self) {
        let wanting = usize::try_from(RESIDENTS).unwrap() + self.present.len();
        let held = eventually(&format!("rest, FERROLB_SEED={}", self.seed), || {
            let held = self.look();
            (held.len() == wanting.min(16)).then_some(held)
        });
        let expected: BTreeSet<String> = (0..RESIDENTS)
            .map(|n| format!("default/resident-{n}"))
            .chain(self.present.iter().map(|n| format!("default/guest-{n}")))
            .collect();
        assert!(
            held.keys().all(|service| expected.contains(service)),
            "{held:#?}"
        );
        assert_eq!(self.seen.len(), usize::try_from(RESIDENTS).unwrap());
    }
}

#[test]
fn a_killed_controller_loses_and_doubles_nothing() {
    Churn::new().run(Folder::controller);
}

#[test]
fn a_killed_standalone_role_loses_and_doubles_nothing() {
    if has_namespaces() {
        Churn::new().run(|folder| folder.announcing("standalone", "n1"));
    }
}
