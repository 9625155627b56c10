// SPDX-License-Identifier: Apache-2.0
//! Statuses that others write to, foreign fields in them, and that nothing is written without need.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use ferrolb_lab::cluster::Request;
use serde_json::{Value, json};

use crate::{
    case::{Case, Row, run},
    lab::{self, SOON},
    many,
    objects::{pool, svc},
    site::Site,
};

const GOT: &str = "IPAllocated";
const MOVED: &str = "ClearAssignment, IPAllocated";

/// How long nothing may happen.
const QUIET: Duration = Duration::from_secs(3);

#[test]
fn edited_by_others() {
    run(&EDITED);
}

const EDITED: [Row; 9] = [
    ("3.7, wiped", |c| {
        two(c)?;
        c.site.forge("a", &json!([]), "")?;
        c.want("a", "10.0.0.0 @p", GOT)?;
        c.want_still("b", "10.0.0.1 @p")
    }),
    ("3.7, the annotation wiped", |c| {
        two(c)?;
        c.site.forge("a", &json!([{ "ip": "10.0.0.0" }]), "")?;
        c.want("a", "10.0.0.0 @p", "")
    }),
    ("3.7, set to a free address", |c| {
        two(c)?;
        c.site.forge("a", &json!([{ "ip": "10.0.0.5" }]), "p")?;
        c.want_still("a", "10.0.0.5 @p")?;
        c.put(&svc("t"))?;
        c.want("t", "10.0.0.0 @p", GOT)
    }),
    ("3.7, set to a foreign address", |c| {
        two(c)?;
        c.site.forge("a", &json!([{ "ip": "192.0.2.7" }]), "p")?;
        c.want("a", "10.0.0.0 @p", MOVED)
    }),
    ("3.7, set to another's address", |c| {
        two(c)?;
        c.site.forge("a", &json!([{ "ip": "10.0.0.1" }]), "p")?;
        c.want("a", "10.0.0.0 @p", MOVED)?;
        c.want_still("b", "10.0.0.1 @p")
    }),
    ("3.7, two hold one address: the later is moved", |c| {
        // The older has the later name; the API server counts in seconds.
        c.put(&svc("z").status("10.0.0.0", "p"))?;
        thread::sleep(Duration::from_millis(1100));
        c.put(&svc("a").status("10.0.0.0", "p"))?;
        c.pools(&[pool("p", "10.0.0.0/29")])?;
        c.want("a", "10.0.0.1 @p", MOVED)?;
        c.want("z", "10.0.0.0 @p", "")
    }),
    ("3.7, the same while the controller looks", |c| {
        c.pools(&[pool("p", "10.0.0.0/29")])?;
        c.put(&svc("z"))?;
        c.want("z", "10.0.0.0 @p", GOT)?;
        thread::sleep(Duration::from_millis(1100));
        c.put(&svc("a"))?;
        c.want("a", "10.0.0.1 @p", GOT)?;
        // Whichever is written to, the address stays with whom it was booked to.
        c.site.forge("z", &json!([{ "ip": "10.0.0.1" }]), "p")?;
        c.want("z", "10.0.0.0 @p", MOVED)?;
        c.site.forge("a", &json!([{ "ip": "10.0.0.0" }]), "p")?;
        c.want("a", "10.0.0.1 @p", MOVED)
    }),
    ("3.8, ports and ipMode of others survive", |c| {
        two(c)?;
        c.site.forge("a", &foreign(), "p")?;
        c.want_still("a", "10.0.0.0 @p")?;
        keeps(c.site, "a")?;
        // The annotation alone has to be put right.
        c.site.forge("a", &foreign(), "nonsense")?;
        c.want("a", "10.0.0.0 @p", "")?;
        keeps(c.site, "a")?;
        c.restart()?;
        c.want_still("a", "10.0.0.0 @p")?;
        keeps(c.site, "a")
    }),
    ("3.8, the same beside a second family", |c| {
        c.pools(&[pool("p", "10.0.0.0/32")])?;
        c.put(&svc("a").families("46").prefer())?;
        c.want("a", "10.0.0.0 @p", "IPAllocated, AdditionalAssignFailed")?;
        c.site.forge("a", &foreign(), "p")?;
        c.pools(&[pool("p", "10.0.0.0/32 fd00::1/128")])?;
        c.want("a", "10.0.0.0 fd00::1 @p", GOT)?;
        keeps(c.site, "a")?;
        let added = &c.site.service("a")?["status"]["loadBalancer"]["ingress"][1];
        ensure!(
            added["ipMode"] == "VIP" && added.get("ports").is_none(),
            "{added}"
        );
        Ok(())
    }),
];

fn two(case: &mut Case<'_>) -> Result<()> {
    case.pools(&[pool("p", "10.0.0.0/29")])?;
    case.put(&svc("a"))?;
    case.want("a", "10.0.0.0 @p", GOT)?;
    case.put(&svc("b"))?;
    case.want("b", "10.0.0.1 @p", GOT)
}

/// An entry as another controller completes it.
fn foreign() -> Value {
    let ports = json!([{ "port": 80, "protocol": "TCP", "error": "example.com/Busy" }]);
    json!([{ "ip": "10.0.0.0", "ipMode": "Proxy", "ports": ports }])
}

fn keeps(site: &Site, name: &str) -> Result<()> {
    let entry = &site.service(name)?["status"]["loadBalancer"]["ingress"][0];
    ensure!(
        *entry == foreign()[0],
        "{name}: expected {}, the API server shows {entry}",
        foreign()[0]
    );
    Ok(())
}

/// Services of every kind, settled: nothing is written while nothing happens, nor after a restart.
#[test]
fn nothing_is_written_without_need() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    let mut case = Case::new(&site);
    settled_services(&mut case).unwrap();
    case.site.want_pool("p", [27, 256 - 27, 1, 255]).unwrap();
    let before = site.writes().unwrap();
    thread::sleep(QUIET);
    let after = site.writes().unwrap();
    assert_eq!(
        news(&before, &after),
        Vec::<String>::new(),
        "while nothing happened"
    );

    case.stop().unwrap();
    let held = without_waiting(&mut case).unwrap();
    let before = site.writes().unwrap();
    case.start().unwrap();
    thread::sleep(QUIET);
    let after = site.writes().unwrap();
    assert_eq!(
        news(&before, &after),
        Vec::<String>::new(),
        "by a new process over {held} Services: {}",
        case.log()
    );
    case.stop().unwrap();
}

fn settled_services(case: &mut Case<'_>) -> Result<()> {
    case.pools(&[
        pool("p", "10.0.0.0/24 fd00::/120"),
        pool("z-four", "10.1.0.0/32"),
    ])?;
    for n in 0..20 {
        case.put(&svc(&format!("plain-{n}")))?;
        case.want(&format!("plain-{n}"), &format!("10.0.0.{n} @p"), GOT)?;
    }
    case.put(&svc("dual").families("46").require())?;
    case.put(&svc("asks").ips("10.0.0.200"))?;
    case.put(&svc("old").legacy_from("p"))?;
    case.put(&svc("shares-1").share("k").ips("10.0.0.201"))?;
    case.put(&svc("shares-2").share("k").ips("10.0.0.201").port("TCP", 81))?;
    case.put(&svc("local").local("x"))?;
    case.put(&svc("lacks").families("46").prefer().ips("10.9.9.9"))?;
    case.put(&svc("waits").ips("10.9.9.9"))?;
    case.put(&svc("host").status("host:foo.example 10.0.0.210", "p"))?;
    case.put(&svc("foreign"))?;
    case.settle()?;
    case.want("waits", "", "W:AllocationFailed")?;
    case.want("lacks", "", "W:AllocationFailed")?;
    // What others put beside our address.
    let there = case.site.service("foreign")?;
    let mut ingress = there["status"]["loadBalancer"]["ingress"].clone();
    ingress[0]["ports"] = json!([{ "port": 80, "protocol": "TCP" }]);
    case.site.forge("foreign", &ingress, "p")?;
    case.settle()?;
    thread::sleep(Duration::from_millis(1500));
    Ok(())
}

/// Deletes those that wait: each process says once why they do.
fn without_waiting(case: &mut Case<'_>) -> Result<usize> {
    case.delete("waits")?;
    case.delete("lacks")?;
    let path = format!(
        "/api/v1/namespaces/{}/services",
        case.site.namespace("plain")?
    );
    let all = case.site.lab.get(&path)?;
    Ok(all["items"].as_array().map_or(0, Vec::len))
}

/// What serving a Service takes: one PATCH and one Event, however many there are.
#[test]
fn a_service_costs_two_requests() {
    const SERVICES: usize = 60;
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/24")).unwrap();
    let controller = site.start().unwrap();
    controller.0.wait_for_log("assigning", SOON).unwrap();
    site.want_pool("p", [0, 256, 0, 0]).unwrap();
    let before = lab.cluster.requests_of(&site.user()).unwrap();
    let begun = Instant::now();
    let calls = many::create(&site, SERVICES as u32).unwrap();
    lab.admin().each(4, calls).unwrap();
    many::all_served(&site, SERVICES, SOON).unwrap();
    site.want_pool("p", [60, 196, 0, 0]).unwrap();
    // Events come after statuses.
    thread::sleep(Duration::from_secs(1));
    let all = lab.cluster.requests_of(&site.user()).unwrap();
    let new = all.get(before.len()..).unwrap();
    let count = |verb: &str, resource: &str| {
        let these = new
            .iter()
            .filter(|one| one.verb == verb && one.resource == resource);
        these.count()
    };
    assert_eq!(count("patch", "services"), SERVICES, "{new:#?}");
    assert_eq!(count("create", "events"), SERVICES, "{new:#?}");
    assert_eq!(
        count("get", "services") + count("list", "services"),
        0,
        "{new:#?}"
    );
    let counters = count("patch", "ipaddresspools");
    // Twice a second at the most, however many Services there are.
    let most = begun.elapsed().as_secs() * 2 + 2;
    assert!(
        counters as u64 <= most,
        "{counters} writes of the pool's counters, expected at most {most}"
    );
    controller.stop().unwrap();
}

fn news(before: &[Request], after: &[Request]) -> Vec<String> {
    let more = after.get(before.len()..).unwrap_or_default();
    let line = |one: &Request| format!("{} {} {}", one.verb, one.uri, one.code);
    more.iter().map(line).collect()
}
