// SPDX-License-Identifier: Apache-2.0
//! Under the rules of MetalLB's own account: no Lease, no patch of a status, and everything works.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use ferrolb_lab::wait;
use serde_json::json;

use crate::{
    case::Case,
    lab::{self, SOON},
    many,
    objects::{fixture, pool, svc},
    site::Site,
};

const GOT: &str = "IPAllocated";

#[test]
fn metallb_rules_suffice() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::under_metallb_rules(&lab).unwrap();
    let mut case = Case::new(&site);
    main_job(&mut case).unwrap();
    foreign_fields(&mut case).unwrap();
    case.restart().unwrap();
    case.want_still("a", "1.2.3.1 @p1").unwrap();
    state(&site).unwrap();
    case.stop().unwrap();
    only_what_is_granted(&site).unwrap();
}

/// Without a Lease two may run for a moment, as when a Deployment is rolled. What they give out twice is
/// found, the later holder is moved, and both come to rest.
#[test]
fn two_without_a_lease_come_to_rest() {
    const SERVICES: usize = 200;
    let Some(lab) = lab::shared() else { return };
    let site = Site::under_metallb_rules(&lab).unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/23")).unwrap();
    let both = [site.start().unwrap(), site.start().unwrap()];
    for one in &both {
        one.0.wait_for_log("assigning", SOON).unwrap();
    }
    let calls = many::create(&site, SERVICES as u32).unwrap();
    site.lab.admin().each(8, calls).unwrap();
    wait::until("nobody shares", SOON, || {
        let (held, _) = many::all_served(&site, SERVICES, SOON)?;
        many::none_doubled(&held)?;
        Ok(true)
    })
    .unwrap();
    thread::sleep(Duration::from_secs(1));
    let before = site.writes().unwrap().len();
    thread::sleep(Duration::from_secs(2));
    let all = site.writes().unwrap();
    let more = all.get(before..).unwrap_or_default();
    assert!(more.is_empty(), "they write against each other: {more:#?}");
    let (held, _) = many::all_served(&site, SERVICES, SOON).unwrap();
    let used = i64::try_from(held.len()).unwrap();
    site.want_pool("p", [used, 512 - used, 0, 0]).unwrap();
    for one in both {
        one.stop().unwrap();
    }
}

fn main_job(case: &mut Case<'_>) -> Result<()> {
    case.pools(&fixture())?;
    case.put(&svc("a"))?;
    case.want("a", "1.2.3.0 @p1", GOT)?;
    case.put(&svc("dual").families("46").require())?;
    case.want("dual", "1.2.4.0 1000::4:0 @p5", GOT)?;
    case.put(&svc("test-ns1/pinned"))?;
    case.want("test-ns1/pinned", "7.8.9.0 @n10", GOT)?;
    case.put(&svc("refused").ips("9.9.9.9"))?;
    case.want("refused", "", "W:AllocationFailed")?;
    case.edit(&svc("a").ips("1.2.3.1"))?;
    case.want("a", "1.2.3.1 @p1", GOT)?;
    case.site.want_pool("p1", [1, 1, 0, 0])?;
    case.site.want_pool("p5", [1, 1, 1, 1])?;
    case.site
        .forge("dual", &json!([{ "ip": "1.2.3.1" }]), "p1")?;
    case.want("dual", "1.2.4.0 1000::4:0 @p5", "IPAllocated")?;
    case.edit(&svc("test-ns1/pinned").kind("ClusterIP"))?;
    case.want("test-ns1/pinned", "", "")?;
    case.site.want_pool("n10", [0, 2, 0, 0])
}

/// A PUT of the whole object leaves what others wrote into it.
fn foreign_fields(case: &mut Case<'_>) -> Result<()> {
    let entry = json!({
        "ip": "1.2.3.1", "ipMode": "Proxy", "ports": [{ "port": 80, "protocol": "TCP" }],
    });
    let path = case.site.path("a")?;
    let theirs = json!({ "metadata": { "annotations": { "example.com/mine": "1" } } });
    let call = ferrolb_lab::cluster::Call::merge(&path, theirs);
    case.site.lab.admin().call(&call)?.ok()?;
    case.site.forge("a", &json!([entry]), "nonsense")?;
    case.want("a", "1.2.3.1 @p1", "")?;
    let shown = case.site.service("a")?;
    ensure!(
        shown["status"]["loadBalancer"]["ingress"][0] == entry,
        "{}",
        shown["status"]
    );
    ensure!(
        shown["metadata"]["annotations"]["example.com/mine"] == "1",
        "{}",
        shown["metadata"]
    );
    Ok(())
}

fn state(site: &Site) -> Result<()> {
    site.apply_pool(&pool("broken", "10.0.0.9-10.0.0.1"))?;
    let path = format!("{}/controller", site.ours("configurationstates"));
    wait::until("the fault is told", SOON, || {
        let state = site.lab.get(&path)?;
        let summary = state["status"]["errorSummary"].as_str().unwrap_or_default();
        Ok(state["status"]["result"] == "Invalid" && summary.contains("FLB-P005"))
    })?;
    site.delete_pool("broken")?;
    wait::until("the fault is gone", SOON, || {
        Ok(site.lab.get(&path)?["status"]["result"] == "Valid")
    })?;
    Ok(())
}

/// After a few refusals the way that is granted is known, and nothing else is tried.
fn only_what_is_granted(site: &Site) -> Result<()> {
    thread::sleep(Duration::from_millis(200));
    let all = site.lab.cluster.requests_of(&site.user())?;
    let refused: Vec<String> = all
        .iter()
        .filter(|one| one.code == 403)
        .map(|one| format!("{} {} {}", one.verb, one.resource, one.subresource))
        .collect();
    let expected = |line: &String| {
        line.contains("leases")
            || line == "patch services status"
            || line == "patch ipaddresspools status"
    };
    let odd: Vec<&String> = refused.iter().filter(|line| !expected(line)).collect();
    ensure!(odd.is_empty(), "refused without need: {odd:?}");
    // Two processes, a few workers each.
    ensure!(refused.len() < 100, "{} refusals", refused.len());
    let updates = all
        .iter()
        .filter(|one| one.verb == "update" && one.resource == "services" && one.code == 200);
    ensure!(updates.count() >= 6, "the statuses were not written by PUT");
    Ok(())
}
