// SPDX-License-Identifier: Apache-2.0
//! Two controllers and one Lease: who ends, who is killed, who freezes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use ferrolb_lab::{
    cluster::{Call, Request},
    wait,
};

use serde_json::Value;

use crate::{
    lab::{self, SOON},
    many,
    objects::{pool, svc},
    site::{Controller, Site},
};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces";

/// What the issue promises for a leader that is gone without a word.
const FAILOVER: Duration = Duration::from_secs(15);

/// For one that gives the Lease back: who waits looks every second.
const HANDOVER: Duration = Duration::from_secs(3);

struct Two {
    site: Site,
    /// The number of the next Service that shows who is served.
    next: u32,
}

impl Two {
    fn holder(&self) -> String {
        let path = format!("{LEASES}/{}/leases/ferrolb-controller", self.site.name);
        let lease = self.site.lab.get(&path).unwrap();
        lease["spec"]["holderIdentity"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The time until a new Service has an address.
    fn served(&mut self, within: Duration, why: &str) -> Duration {
        let name = format!("probe-{}", self.next);
        self.next += 1;
        self.site.create(&svc(&name)).unwrap();
        let begun = Instant::now();
        wait::until(why, within, || {
            thread::sleep(Duration::from_millis(20));
            let entry = &self.site.service(&name)?["status"]["loadBalancer"]["ingress"][0];
            Ok(entry["ip"].is_string())
        })
        .unwrap_or_else(|error| panic!("{why}: {error:#}; the Lease names {}", self.holder()));
        begun.elapsed()
    }

    /// Status writes of an account that took effect.
    fn status_writes(&self, account: &str) -> Vec<Request> {
        let user = format!("system:serviceaccount:{}:{account}", self.site.name);
        let all = self.site.writes_of(&user).unwrap();
        all.into_iter()
            .filter(|one| one.resource == "services" && one.code == 200)
            .collect()
    }

    fn state(&self) -> Value {
        let path = format!("{}/controller", self.site.ours("configurationstates"));
        self.site.lab.get(&path).unwrap()
    }

    /// The `ConfigurationState` gets this owner and no other.
    fn owned_by(&self, pod: &str, controller: &Controller) {
        let owners = || -> Vec<Value> {
            let owners = self.state()["metadata"]["ownerReferences"].clone();
            let owners = owners.as_array().cloned().unwrap_or_default();
            owners.iter().map(|owner| owner["name"].clone()).collect()
        };
        wait::until("the owner", SOON, || Ok(owners() == [pod])).unwrap_or_else(|_| {
            let log = controller.tail();
            panic!(
                "expected the owner {pod}, the API server shows {:?}\n{log}",
                owners()
            )
        });
    }

    /// Nobody writes the `ConfigurationState` for a while.
    fn is_left_alone(&self) {
        thread::sleep(Duration::from_millis(1000));
        let before = self.state();
        thread::sleep(Duration::from_millis(1500));
        assert_eq!(self.state(), before, "it is written for ever");
    }

    fn start(&self, account: &str, leads: bool) -> Controller {
        let controller = self.site.start_as(account, &[]).unwrap();
        let says = if leads { "assigning" } else { "standing by" };
        controller.0.wait_for_log(says, SOON).unwrap();
        controller
    }
}

pub fn another_takes_over() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    lab.add_account(&site.name, "second").unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/20")).unwrap();
    let mut two = Two { site, next: 0 };

    let first = two.start("controller", true);
    two.served(SOON, "the first serves");
    let second = two.start("second", false);
    assert_eq!(
        two.status_writes("second").len(),
        0,
        "who stands by writes nothing"
    );

    let begun = Instant::now();
    first.stop().unwrap();
    let ended = begun.elapsed();
    two.served(HANDOVER, "the second takes over from one that ends");
    println!(
        "SIGTERM: ended after {ended:?}, the other serves after {:?}",
        begun.elapsed()
    );

    let first = two.start("controller", false);
    let begun = Instant::now();
    second.0.kill().unwrap();
    two.served(FAILOVER, "the first takes over from one that is killed");
    println!("SIGKILL: the other serves after {:?}", begun.elapsed());

    let second = two.start("second", false);
    frozen(&mut two, &first);
    first.stop().unwrap();
    second.stop().unwrap();
}

/// The leader is stopped where it stands, in the middle of its work, beyond its Lease, and goes on.
fn frozen(two: &mut Two, first: &Controller) {
    let calls = many::create(&two.site, 300).unwrap();
    let busy = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            let made = two.site.lab.admin().each(4, calls);
            busy.store(false, Ordering::Relaxed);
            made.unwrap();
        });
        // Some are served, some are not, some are being written.
        wait::until("some are served", SOON, || {
            let held = many::held(&two.site)?;
            Ok(held.values().filter(|one| !one.is_empty()).count() >= 40)
        })
        .unwrap();
        first.0.signal("STOP").unwrap();
        assert!(
            busy.load(Ordering::Relaxed),
            "it was frozen after the churn"
        );
    });
    let begun = Instant::now();
    // Requests that had left it arrive whatever becomes of it.
    thread::sleep(Duration::from_millis(500));
    let written = two.status_writes("controller").len();
    two.served(FAILOVER, "the second takes over from one that is frozen");
    println!("SIGSTOP: the other serves after {:?}", begun.elapsed());
    let (before, _) = many::all_served(&two.site, 300, SOON).unwrap();

    first.0.signal("CONT").unwrap();
    first.0.wait_for_log("we lead no longer", SOON).unwrap();
    delete_some(&two.site, &before);
    two.served(SOON, "the second goes on");
    thread::sleep(Duration::from_secs(1));
    let late = two.status_writes("controller");
    let late = late.get(written..).unwrap_or_default();
    assert!(
        late.is_empty(),
        "writes of the former leader took effect: {late:#?}"
    );
    let after = many::held(&two.site).unwrap();
    many::none_doubled(&after).unwrap();
    many::kept(&before, &after).unwrap();
}

/// Work that the former leader would do too, if it thought that it led.
fn delete_some(site: &Site, held: &many::Held) {
    let namespace = site.namespace("many").unwrap();
    let path = |name: &String| format!("/api/v1/namespaces/{namespace}/services/{name}");
    let calls = held.keys().take(30).map(|name| Call::delete(&path(name)));
    site.lab.admin().each(4, calls.collect()).unwrap();
}

/// Two Pods, one `ConfigurationState`: whoever assigns keeps it, and the other leaves it alone.
pub fn one_keeps_the_state() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    lab.add_account(&site.name, "second").unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/20")).unwrap();
    let pods = ["pod-a", "pod-b"].map(|name| site.pod(name).unwrap());
    let first = site.start_as("controller", &[&pods[0]]).unwrap();
    first.0.wait_for_log("assigning", SOON).unwrap();
    let second = site.start_as("second", &[&pods[1]]).unwrap();
    second.0.wait_for_log("standing by", SOON).unwrap();
    let two = Two { site, next: 0 };
    two.owned_by("pod-a", &first);
    two.is_left_alone();

    // What the former leader last thought is another matter than what is true by now.
    first.0.signal("STOP").unwrap();
    second.0.wait_for_log("assigning", FAILOVER).unwrap();
    two.site
        .apply_pool(&pool("bad", "10.0.0.9-10.0.0.1"))
        .unwrap();
    two.owned_by("pod-b", &second);
    first.0.signal("CONT").unwrap();
    first.0.wait_for_log("we lead no longer", SOON).unwrap();
    two.is_left_alone();
    let state = two.state();
    assert_eq!(state["status"]["result"], "Invalid", "{state}");
    second.stop().unwrap();
    two.owned_by("pod-a", &first);
    first.stop().unwrap();
}

/// The leadership is lost and won again within a few milliseconds, in the middle of a churn.
pub fn a_lease_that_is_deleted_costs_nothing() {
    const COUNT: u32 = 600;
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/20")).unwrap();
    let controller = site.start().unwrap();
    controller.0.wait_for_log("assigning", SOON).unwrap();
    let calls = many::create(&site, COUNT).unwrap();
    let lease = format!("{LEASES}/{}/leases/ferrolb-controller", site.name);
    thread::scope(|scope| {
        let made = scope.spawn(|| lab.admin().each(8, calls));
        while !made.is_finished() {
            lab.admin().call(&Call::delete(&lease)).unwrap();
            thread::sleep(Duration::from_millis(100));
        }
        made.join().unwrap().unwrap();
    });
    many::all_served(&site, COUNT as usize, SOON).unwrap();
    let lost = controller.0.log().matches("we lead no longer").count();
    assert!(lost > 0, "it was never lost");
    controller.stop().unwrap();
}

/// One stands by while the Lease is deleted again and again in the middle of a churn: it lives on.
pub fn a_lease_that_is_deleted_makes_no_second_writer() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    lab.add_account(&site.name, "second").unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/20")).unwrap();
    let two = Two { site, next: 0 };
    let first = two.start("controller", true);
    let second = two.start("second", false);
    let calls = many::create(&two.site, 600).unwrap();
    let lease = format!("{LEASES}/{}/leases/ferrolb-controller", two.site.name);
    for some in calls.chunks(100) {
        lab.admin().call(&Call::delete(&lease)).unwrap();
        lab.admin().each(4, some.to_vec()).unwrap();
        wait::until("the Lease is there again", SOON, || {
            thread::sleep(Duration::from_millis(50));
            Ok(lab.admin().call(&Call::get(&lease))?.code == 200)
        })
        .unwrap();
    }
    // Which fails for a doubled address too.
    many::all_served(&two.site, calls.len(), SOON).unwrap();
    let wrote = two.status_writes("second").len();
    assert_eq!(wrote, 0, "who stood by wrote\n{}", second.tail());
    let moved = two.status_writes("controller").len();
    assert_eq!(moved, calls.len(), "each was written once");
    second.stop().unwrap();
    first.stop().unwrap();
}

/// The two have the same rules and different names, so neither takes the other for itself.
pub fn two_processes_of_one_host_are_two() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    let first = site.start().unwrap();
    first.0.wait_for_log("assigning", SOON).unwrap();
    let second = site.start().unwrap();
    second.0.wait_for_log("standing by", SOON).unwrap();
    thread::sleep(Duration::from_secs(3));
    assert!(
        !second.0.log().contains("\"assigning\""),
        "{}",
        second.tail()
    );
    second.stop().unwrap();
    first.stop().unwrap();
}
