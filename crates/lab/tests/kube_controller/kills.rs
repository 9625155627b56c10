// SPDX-License-Identifier: Apache-2.0
//! The controller is killed (SIGKILL) at random points of a churn, again and again; then everything is
//! counted: no address doubled, none lost, none moved.
//!
//! Twenty kills over 2,000 Services; two hundred with `FERROLB_SOAK` set. `FERROLB_SEED` repeats a run's
//! choices.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use ferrolb_lab::cluster::{Call, load::Services};
use serde_json::json;

use crate::{
    lab, many,
    objects::pool,
    site::{Controller, Site},
};

const SERVICES: u32 = 2_000;

/// How many kills.
fn kills() -> u32 {
    match std::env::var_os("FERROLB_SOAK") {
        Some(_) => 200,
        None => 20,
    }
}

/// Numbers without order; xorshift64.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let given = std::env::var("FERROLB_SEED").ok();
        let given = given.and_then(|text| text.parse().ok());
        let now = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_nanos() as u64
        };
        let seed = given.unwrap_or_else(now).max(1);
        println!("FERROLB_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(limit)).unwrap()
    }
}

/// Somebody who makes, edits and deletes Services.
struct Churn<'a> {
    site: &'a Site,
    count: u32,
    /// Services that were touched since the last look at them: they need not keep what they held.
    touched: Mutex<BTreeSet<String>>,
    over: AtomicBool,
}

impl Churn<'_> {
    /// What is held, before anything is touched.
    fn begin(&self) -> Result<many::Held> {
        let mut touched = self.touched.lock().unwrap();
        touched.clear();
        many::held(self.site)
    }

    /// What is held, and what was touched since the beginning.
    fn end(&self) -> Result<(many::Held, BTreeSet<String>)> {
        let touched = self.touched.lock().unwrap();
        Ok((many::held(self.site)?, touched.clone()))
    }

    fn run(&self, mut chance: Chance) {
        let namespace = self.site.namespace("many").unwrap();
        let services = Services {
            namespace: &namespace,
            count: self.count,
            class: self.site.class.as_deref(),
            local: false,
        };
        let all = services.create();
        while !self.over.load(Ordering::Relaxed) {
            let index = chance.below(self.count);
            let path = format!("/api/v1/namespaces/{namespace}/services/s{index}");
            let call = match chance.below(4) {
                0 => Call::delete(&path),
                // A wiped status is given back, the same address or another.
                1 => Call::merge(
                    &format!("{path}/status"),
                    json!({ "status": { "loadBalancer": null } }),
                ),
                _ => all[index as usize].clone(),
            };
            let mut touched = self.touched.lock().unwrap();
            touched.insert(format!("s{index}"));
            // Not there, or there already: both are part of it.
            self.site.lab.admin().call(&call).unwrap();
            drop(touched);
            thread::sleep(Duration::from_millis(u64::from(chance.below(12))));
        }
    }
}

pub fn killed_again_and_again() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    let (kills, count) = (kills(), SERVICES);
    // A little more than is needed, so that freed addresses are given again at once.
    site.apply_pool(&pool("p", "10.0.0.0/21")).unwrap();
    let flag = site.pod("controller-0").unwrap();
    lab.admin()
        .each(4, many::create(&site, count).unwrap())
        .unwrap();
    let churn = Churn {
        site: &site,
        count,
        touched: Mutex::default(),
        over: AtomicBool::new(false),
    };
    let mut chance = Chance::new();
    let seed = Chance(u64::from(chance.below(u32::MAX)).max(1));
    thread::scope(|scope| {
        scope.spawn(|| churn.run(seed));
        let held = kill_often(&churn, kills, &mut chance, &flag);
        churn.over.store(true, Ordering::Relaxed);
        held.unwrap();
    });
    recount(&site, count, &flag);
}

fn kill_often(churn: &Churn<'_>, kills: u32, chance: &mut Chance, flag: &str) -> Result<()> {
    let mut shortest = Duration::MAX;
    for kill in 0..kills {
        let before = churn.begin()?;
        let begun = Instant::now();
        let controller = churn.site.start_as("controller", &[flag])?;
        controller.0.wait_for_log("\"assigning\"", lab::SOON)?;
        shortest = shortest.min(begun.elapsed());
        thread::sleep(Duration::from_millis(u64::from(chance.below(400))));
        controller.0.kill()?;
        let (after, touched) = churn.end()?;
        let still = before
            .into_iter()
            .filter(|(name, _)| !touched.contains(name));
        many::kept(&still.collect(), &after).with_context(|| format!("after kill {kill}"))?;
        many::none_doubled(&after)?;
    }
    println!("{kills} kills; an assigning controller after {shortest:?} at best");
    Ok(())
}

/// All are made again, served, and then left alone.
fn recount(site: &Site, count: u32, flag: &str) {
    for call in many::create(site, count).unwrap() {
        site.lab.admin().call(&call).unwrap();
    }
    let before = many::held(site).unwrap();
    let controller: Controller = site.start_as("controller", &[flag]).unwrap();
    let (held, took) = many::all_served(site, count as usize, Duration::from_secs(60)).unwrap();
    many::kept(&before, &held).unwrap();
    println!("{count} Services hold {count} addresses {took:?} after the last start");
    let used = i64::from(count);
    site.want_pool("p", [used, 2048 - used, 0, 0]).unwrap();
    controller.0.kill().unwrap();

    // A restart with all held writes nothing.
    let writes = site.writes().unwrap().len();
    let begun = Instant::now();
    let controller = site.start_as("controller", &[flag]).unwrap();
    controller
        .0
        .wait_for_log("\"assigning\"", lab::SOON)
        .unwrap();
    println!("assigning again after {:?}", begun.elapsed());
    thread::sleep(Duration::from_secs(2));
    let all = site.writes().unwrap();
    let more = all.get(writes..).unwrap_or_default();
    assert!(
        more.is_empty(),
        "writes of a restart with all held: {more:#?}"
    );
    controller.stop().unwrap();
    assert_eq!(many::held(site).unwrap(), held);
}
