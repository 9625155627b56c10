// SPDX-License-Identifier: Apache-2.0
//! Writes that meet others' writes, or are refused.

use std::{collections::BTreeSet, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::{cluster::Call, wait};
use serde_json::{Value, json};

use crate::{
    case::Case,
    lab::{self, SOON},
    many,
    objects::{pool, svc},
    site::Site,
};

/// Services that somebody edits at the same time.
const EDITED: u32 = 40;

/// Somebody edits each Service while its status is written: every one is served, and told of, once.
#[test]
fn edited_while_they_are_served() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/24")).unwrap();
    let controller = site.start().unwrap();
    controller.0.wait_for_log("assigning", SOON).unwrap();
    let namespace = site.namespace("many").unwrap();
    let edits = |name: &str| -> Vec<Call> {
        let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
        let edit = |n: u32| json!({ "metadata": { "labels": { "edit": n.to_string() } } });
        (0..6).map(|n| Call::merge(&path, edit(n))).collect()
    };
    let calls = many::create(&site, EDITED).unwrap();
    let calls: Vec<Call> = calls
        .into_iter()
        .enumerate()
        .flat_map(|(n, create)| [vec![create], edits(&format!("s{n}"))].concat())
        .collect();
    site.lab.admin().each(1, calls).unwrap();
    many::all_served(&site, EDITED as usize, SOON).unwrap();
    told_of_each(&site, &namespace)
        .with_context(|| controller.tail())
        .unwrap();
    let conflicts = site.writes().unwrap();
    let conflicts = conflicts.iter().filter(|one| one.code == 409).count();
    println!("{conflicts} of {EDITED} first writes met an edit");
    controller.stop().unwrap();
}

/// The pool moves before the statuses of its last move are written: the last decision wins for each.
#[test]
fn pools_that_change_faster_than_statuses() {
    const SERVICES: usize = 100;
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    let place = |n: u32| pool("p", &format!("10.{n}.0.0/24"));
    site.apply_pool(&place(0)).unwrap();
    let controller = site.start().unwrap();
    let calls = many::create(&site, SERVICES as u32).unwrap();
    lab.admin().each(8, calls).unwrap();
    many::all_served(&site, SERVICES, SOON).unwrap();
    for n in 1..=25 {
        site.apply_pool(&place(n)).unwrap();
        thread::sleep(Duration::from_millis(u64::from(n % 5) * 15));
    }
    let mut held = many::Held::new();
    let moved = wait::until("all have moved", SOON, || {
        thread::sleep(Duration::from_millis(50));
        held = many::all_served(&site, SERVICES, SOON)?.0;
        Ok(held.values().all(|one| one.starts_with("10.25.")))
    });
    let left: Vec<_> = held
        .iter()
        .filter(|(_, one)| !one.starts_with("10.25."))
        .collect();
    assert!(
        moved.is_ok(),
        "left behind: {left:?}\n{}",
        controller.tail()
    );
    site.want_pool("p", [100, 156, 0, 0]).unwrap();
    controller.stop().unwrap();
}

/// Each Service has one Event of its address.
fn told_of_each(site: &Site, namespace: &str) -> Result<()> {
    let path = format!("/api/v1/namespaces/{namespace}/events");
    let mut told = BTreeSet::new();
    let all = wait::until("an Event of each", SOON, || {
        thread::sleep(Duration::from_millis(50));
        let events = site.lab.get(&path)?;
        let events = events["items"].as_array().context("a list")?;
        let ours = events.iter().filter(|one| one["reason"] == "IPAllocated");
        told = ours
            .map(|one| format!("{} {}", one["involvedObject"]["name"], one["count"]))
            .collect();
        Ok(told.len() == EDITED as usize)
    });
    all.with_context(|| format!("expected {EDITED}; the API server shows {told:?}"))?;
    ensure!(
        told.iter().all(|one| one.ends_with(" 1")),
        "told more than once: {told:?}"
    );
    Ok(())
}

/// The API server refuses one status, by a rule of the cluster's own: others do not wait for it, it is
/// not tried without end, and it is written when the rule is gone.
#[test]
fn a_status_that_is_refused() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    let name = format!("{}-refuse", site.name);
    refuse(&site, &name).unwrap();
    let mut case = Case::new(&site);
    case.pools(&[pool("p", "10.0.0.0/24")]).unwrap();
    refused_for_a_while(&mut case).unwrap();
    for kind in [
        "validatingadmissionpolicybindings",
        "validatingadmissionpolicies",
    ] {
        let path = format!("{ADMISSION}/{kind}/{name}");
        lab.admin()
            .call(&Call::delete(&path))
            .unwrap()
            .ok()
            .unwrap();
    }
    case.want("stuck", "10.0.0.9 @p", "IPAllocated").unwrap();
    case.stop().unwrap();
}

fn refused_for_a_while(case: &mut Case<'_>) -> Result<()> {
    case.put(&svc("stuck").team("refused").ips("10.0.0.9"))?;
    case.put(&svc("good"))?;
    case.want("good", "10.0.0.0 @p", "IPAllocated")?;
    case.want("stuck", "", "W:StatusUpdateFailed")?;
    let log = case.log();
    let told = ["FLB-T008", "services/status"];
    ensure!(told.iter().all(|one| log.contains(one)), "{log}");
    thread::sleep(Duration::from_secs(4));
    let tried = case.site.writes()?;
    let tried: Vec<_> = tried
        .iter()
        .filter(|one| one.name == "stuck" && one.subresource == "status")
        .collect();
    ensure!(!tried.is_empty(), "it was never tried");
    ensure!(
        tried.iter().all(|one| one.code != 200),
        "it was not refused: {tried:?}"
    );
    ensure!(tried.len() <= 4, "{} tries within 4 s", tried.len());
    // An Event of an address that nobody has would be wrong.
    case.want("stuck", "", "")
}

/// A request is taken back before its address was written: a later edit of the status is somebody's own.
#[test]
fn a_request_that_is_taken_back() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    refuse(&site, &format!("{}-refuse", site.name)).unwrap();
    let mut case = Case::new(&site);
    taken_back(&mut case).unwrap();
    case.stop().unwrap();
}

fn taken_back(case: &mut Case<'_>) -> Result<()> {
    case.pools(&[pool("p", "10.0.0.0/24")])?;
    case.put(&svc("s"))?;
    case.want("s", "10.0.0.0 @p", "IPAllocated")?;
    // Of a team that is refused, so that the write waits for the next edit.
    case.edit(&svc("s").team("refused").ips("10.0.0.9"))?;
    case.want("s", "10.0.0.0 @p", "W:StatusUpdateFailed")?;
    case.edit(&svc("s").ips("10.0.0.0"))?;
    case.want("s", "10.0.0.0 @p", "IPAllocated")?;
    case.settle()?;
    case.edit(&svc("s"))?;
    case.site.forge("s", &json!([{ "ip": "10.0.0.9" }]), "p")?;
    case.want_still("s", "10.0.0.9 @p")?;
    case.put(&svc("t").ips("10.0.0.9"))?;
    case.want("t", "", "W:AllocationFailed")
}

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// Refuses statuses of Services of a team, in the namespaces of a site.
fn refuse(site: &Site, name: &str) -> Result<()> {
    let policy = json!({
        "metadata": { "name": name },
        "spec": {
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"],
                "resources": ["services/status"],
            }]},
            "validations": [{
                "expression": format!(
                    "object.metadata.namespace != '{}' || !has(object.metadata.labels) || \
                     !('team' in object.metadata.labels)",
                    site.namespace("plain")?,
                ),
                "message": "not this one",
            }],
        },
    });
    let binding = json!({
        "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] },
    });
    let make = |kind: &str, object: Value| -> Result<()> {
        let call = Call::create(&format!("{ADMISSION}/{kind}"), object);
        site.lab.admin().call(&call)?.ok().map(drop)
    };
    make("validatingadmissionpolicies", policy)?;
    make("validatingadmissionpolicybindings", binding)?;
    // It takes the API server a moment to heed it.
    site.create(&svc("probe").team("x").class("nobody"))?;
    let path = format!("{}/status", site.path("probe")?);
    wait::until("the rule is in force", SOON, || {
        let touch = json!({ "metadata": { "annotations": { "example.com/x": "y" } } });
        Ok(site.lab.admin().call(&Call::merge(&path, touch))?.code != 200)
    })?;
    Ok(())
}
