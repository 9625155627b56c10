// SPDX-License-Identifier: Apache-2.0
//! One case on a real API server, and the running of many: apply, wait until settled, compare status,
//! annotation, Events.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ferrolb_lab::wait;
use serde_json::Value;

use crate::{
    lab::{self, Lab, SOON},
    objects::{Pool, Svc, pool, standing, svc},
    site::{Controller, Site},
};

/// What a case does.
pub type Steps = fn(&mut Case<'_>) -> Result<()>;

/// Number in the reference (or a name), and what it does.
pub type Row = (&'static str, Steps);

/// Sites that work on one table at a time.
const WORKERS: usize = 3;

/// A case under way.
pub struct Case<'a> {
    pub site: &'a Site,
    controller: Option<Controller>,
    services: BTreeMap<String, Watched>,
}

/// What was last found right of a Service.
#[derive(Default)]
struct Watched {
    standing: Option<String>,
    told: BTreeMap<String, u64>,
}

/// What the API server shows of a Service.
struct Shown {
    standing: String,
    /// Reason to count; warnings begin with `W:`.
    events: BTreeMap<String, u64>,
    messages: Vec<String>,
}

impl<'a> Case<'a> {
    pub fn new(site: &'a Site) -> Self {
        Self {
            site,
            controller: None,
            services: BTreeMap::new(),
        }
    }

    /// Starts the controller.
    pub fn start(&mut self) -> Result<()> {
        self.controller = Some(self.site.start()?);
        Ok(())
    }

    /// Starts the controller with more flags.
    pub fn start_with(&mut self, flags: &[&str]) -> Result<()> {
        self.controller = Some(self.site.start_as("controller", flags)?);
        Ok(())
    }

    /// Ends the controller, politely, and starts another.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.start()
    }

    /// What the running controller has logged.
    pub fn log(&self) -> String {
        let controller = self.controller.as_ref();
        controller.map_or_else(String::new, |one| one.0.log())
    }

    pub fn stop(&mut self) -> Result<()> {
        self.controller.take().map_or(Ok(()), Controller::stop)
    }

    /// Makes pools, and starts the controller if it does not run.
    pub fn pools(&mut self, pools: &[Pool]) -> Result<()> {
        for pool in pools {
            self.site.apply_pool(pool)?;
        }
        if self.controller.is_none() {
            self.start()?;
        }
        Ok(())
    }

    /// Makes a Service.
    pub fn put(&mut self, service: &Svc) -> Result<()> {
        self.site.create(service)?;
        self.services
            .insert(service.name.clone(), Watched::default());
        Ok(())
    }

    pub fn edit(&mut self, service: &Svc) -> Result<()> {
        self.site.edit(service)
    }

    pub fn delete(&mut self, name: &str) -> Result<()> {
        self.services.remove(name);
        self.site.delete(name)
    }

    /// The story of a Service ends here: what becomes of it later does not matter.
    pub fn forget(&mut self, name: &str) {
        self.services.remove(name);
    }

    /// Waits until a Service has this status and exactly these Events are new since it was last asked for,
    /// separated by commas; warnings begin with `W:`.
    pub fn want(&mut self, name: &str, status: &str, events: &str) -> Result<()> {
        let mut events: Vec<&str> = events.split(", ").filter(|one| !one.is_empty()).collect();
        events.sort_unstable();
        let known = self.services.entry(name.to_owned()).or_default();
        let mut last = None;
        let looked = wait::until("the Service", SOON, || {
            let shown = Shown::of(self.site, name)?;
            let right = shown.standing == status && shown.since(&known.told) == events;
            last = Some(shown);
            // The API server is not asked more often than a person would notice.
            thread::sleep(wait::STEP * 4);
            Ok(right)
        });
        let shown = last.context("nothing is shown")?;
        if looked.is_err() {
            let found = shown.since(&known.told);
            let tail = self.controller.as_ref().map(Controller::tail);
            bail!(
                "{name}: expected {status:?} with Events {events:?}; the API server shows {:?} with {found:?}: {:#?}\n{}",
                shown.standing,
                shown.messages,
                tail.unwrap_or_default(),
            );
        }
        known.standing = Some(shown.standing);
        known.told = shown.events;
        Ok(())
    }

    /// Nothing happens to a Service, though everything up to here is known to the controller.
    pub fn want_still(&mut self, name: &str, status: &str) -> Result<()> {
        self.settle()?;
        self.want(name, status, "")
    }

    /// Waits until the controller knows everything applied up to here: a pool and a Service that asks for
    /// it come last, and the Event about it after all others.
    pub fn settle(&mut self) -> Result<()> {
        let name = format!("marker-{}", self.site.lab.number());
        let range = format!("198.18.{}.0/32", self.site.lab.number() % 256);
        self.site.apply_pool(&pool(&name, &range).manual())?;
        let marker = svc(&name).from(&name);
        self.site.create(&marker)?;
        let seen = wait::until("the marker", SOON, || {
            let shown = Shown::of(self.site, &name)?;
            Ok(shown.events.contains_key("IPAllocated"))
        });
        let log = || self.controller.as_ref().map(Controller::tail);
        seen.with_context(|| {
            format!(
                "the controller serves nobody:\n{}",
                log().unwrap_or_default()
            )
        })?;
        self.site.delete(&name)?;
        self.site.delete_pool(&name)
    }

    /// Everything is as it was last found right, and stays so.
    fn finish(&mut self) -> Result<()> {
        if self.controller.is_some() && self.services.values().any(|one| one.standing.is_some()) {
            self.settle()?;
        }
        for (name, known) in &self.services {
            let Some(standing) = &known.standing else {
                continue;
            };
            let shown = Shown::of(self.site, name)?;
            ensure!(
                shown.standing == *standing,
                "{name}: it did not stay {standing:?}, the API server shows {:?}",
                shown.standing
            );
            let more = shown.since(&known.told);
            ensure!(
                more.is_empty(),
                "{name}: more Events came: {more:?} {:#?}",
                shown.messages
            );
        }
        self.stop()
    }
}

impl Shown {
    fn of(site: &Site, name: &str) -> Result<Self> {
        let service = site.service(name)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, uid) = (
            text(&service["metadata"]["namespace"]),
            text(&service["metadata"]["uid"]),
        );
        let path = format!(
            "/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.uid%3D{uid}"
        );
        let list = site.lab.get(&path)?;
        let mut shown = Self {
            standing: standing(&service),
            events: BTreeMap::new(),
            messages: Vec::new(),
        };
        for event in list["items"].as_array().into_iter().flatten() {
            // The API server tells of Services too, where it hands out their cluster addresses.
            if event["source"]["component"] != "metallb-controller" {
                continue;
            }
            let reason = text(&event["reason"]);
            let reason = match event["type"].as_str() {
                Some("Warning") => format!("W:{reason}"),
                _ => reason,
            };
            *shown.events.entry(reason.clone()).or_default() +=
                event["count"].as_u64().unwrap_or_default();
            shown
                .messages
                .push(format!("{reason}: {}", text(&event["message"])));
        }
        Ok(shown)
    }

    /// The reasons told since, sorted.
    fn since(&self, before: &BTreeMap<String, u64>) -> Vec<&str> {
        let more = |(reason, count): &(&String, &u64)| before.get(*reason) != Some(*count);
        let reasons = self.events.iter().filter(more);
        reasons.map(|(reason, _)| reason.as_str()).collect()
    }
}

/// Runs a table on several sites at once, each with a class of its own.
pub fn run(rows: &[Row]) {
    let Some(lab) = lab::shared() else { return };
    let sites = || Site::new(&lab);
    let sites: Vec<Site> = (0..WORKERS).map(|_| sites().unwrap()).collect();
    run_on(&sites, rows);
}

/// Keeps other tests from making or serving Services without a class.
pub fn alone_without_a_class() -> MutexGuard<'static, ()> {
    static ONLY: Mutex<()> = Mutex::new(());
    ONLY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a table on one site that serves Services without a class.
pub fn run_without_class(lab: &Arc<Lab>, rows: &[Row]) {
    let _only = alone_without_a_class();
    run_on(&[Site::of_class(lab, None).unwrap()], rows);
}

fn run_on(sites: &[Site], rows: &[Row]) {
    let left = Mutex::new(rows.iter());
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for site in sites {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap().next();
                    let Some((number, steps)) = next else { return };
                    if let Err(fault) = one(site, *steps) {
                        let text = format!("case {number}: {fault:#}");
                        faults.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(
        faults.is_empty(),
        "{} of {} cases:\n{}",
        faults.len(),
        rows.len(),
        faults.join("\n")
    );
}

fn one(site: &Site, steps: Steps) -> Result<()> {
    let mut case = Case::new(site);
    let ended = steps(&mut case).and_then(|()| case.finish());
    let stopped = case.stop();
    let cleared = site.clear();
    ended?;
    stopped
        .and(cleared)
        .map_err(|error| anyhow!("afterwards: {error:#}"))
}
