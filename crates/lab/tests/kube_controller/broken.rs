// SPDX-License-Identifier: Apache-2.0
//! Objects that cannot be used beside objects that can, and objects of versions to come.

use anyhow::{Context, Result};
use ferrolb_lab::{
    cluster::{Call, Options},
    wait,
};
use serde_json::{Value, json};

use std::sync::Arc;

use crate::{
    case::Case,
    lab::{self, SOON},
    objects::{pool, svc},
    site::Site,
};

const GOT: &str = "IPAllocated";
const KINDS: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ipaddresspools.metallb.io";

/// Waits until `ConfigurationState` says so.
fn want_state(site: &Site, result: &str, codes: &[&str]) -> Result<()> {
    let path = format!("{}/controller", site.ours("configurationstates"));
    let mut shown = Value::Null;
    let seen = wait::until("the state", SOON, || {
        shown = site.lab.get(&path)?["status"].clone();
        let summary = shown["errorSummary"].as_str().unwrap_or_default();
        let told = codes.iter().all(|code| summary.contains(code));
        Ok(shown["result"] == result && told && (codes.is_empty() == summary.is_empty()))
    });
    seen.map(drop)
        .with_context(|| format!("expected {result} with {codes:?}; the API server shows {shown}"))
}

#[test]
fn beside_good_ones() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    let mut case = Case::new(&site);
    refused_pools(&mut case).unwrap();
    refused_community(&mut case).unwrap();
    recreated(&site).unwrap();
    case.stop().unwrap();
}

/// The schema takes any text for a range.
fn refused_pools(case: &mut Case<'_>) -> Result<()> {
    let site = case.site;
    case.pools(&[
        pool("bad", "10.0.0.9-10.0.0.1"),
        pool("good", "10.1.0.0/30"),
    ])?;
    case.put(&svc("a"))?;
    case.want("a", "10.1.0.0 @good", GOT)?;
    want_state(site, "Invalid", &["FLB-P005"])?;
    case.put(&svc("b").from("bad"))?;
    case.want("b", "", "W:AllocationFailed")?;

    case.pools(&[pool("bad", "10.0.0.1-10.0.0.9")])?;
    case.want("b", "10.0.0.1 @bad", GOT)?;
    want_state(site, "Valid", &[])?;

    // Broken again: its last good version stays in force.
    case.pools(&[pool("bad", "10.0.0.300/32")])?;
    want_state(site, "Invalid", &["FLB-P003"])?;
    case.want("b", "10.0.0.1 @bad", "")?;
    case.pools(&[pool("overlaps", "10.1.0.0/24")])?;
    want_state(site, "Invalid", &["FLB-P003", "FLB-P009"])?;
    case.want("a", "10.1.0.0 @good", "")?;
    case.put(&svc("c").from("good"))?;
    case.want("c", "10.1.0.1 @good", GOT)?;

    site.delete_pool("overlaps")?;
    case.pools(&[pool("bad", "10.0.0.1-10.0.0.9")])?;
    want_state(site, "Valid", &[])?;
    // Pools that no advertisement selects are no fault that a controller could see.
    let log = case.log();
    anyhow::ensure!(!log.contains("FLB-P051"), "{log}");
    Ok(())
}

fn refused_community(case: &mut Case<'_>) -> Result<()> {
    let site = case.site;
    let object = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "Community", "metadata": { "name": "c" },
        "spec": { "communities": [{ "name": "x", "value": "1234" }] },
    });
    let path = site.ours("communities");
    site.lab.admin().call(&Call::create(&path, object))?.ok()?;
    want_state(site, "Invalid", &["FLB-C"])?;
    case.pools(&[pool("new", "10.2.0.0/30").manual()])?;
    case.put(&svc("d").from("new"))?;
    case.want("d", "10.2.0.0 @new", GOT)?;
    let path = format!("{path}/c");
    site.lab.admin().call(&Call::delete(&path))?.ok()?;
    want_state(site, "Valid", &[])
}

/// A process that starts in the middle of a mistake: with what the one before it remembered it goes on as
/// if nothing were wrong; without, everybody keeps what he has.
#[test]
fn over_a_restart() {
    let Some(lab) = lab::shared() else { return };
    let site = Site::new(&lab).unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/29")).unwrap();
    let memory = lab.cluster.dir().join(&site.name);
    let flag = format!("--state-dir={}", memory.display());
    let mut case = Case::new(&site);
    case.start_with(&[&flag]).unwrap();
    case.put(&svc("a")).unwrap();
    case.want("a", "10.0.0.0 @p", GOT).unwrap();
    mistaken(&mut case, &flag).unwrap();
    case.stop().unwrap();
}

fn mistaken(case: &mut Case<'_>, flag: &str) -> Result<()> {
    let site = case.site;
    site.apply_pool(&pool("p", "10.0.0.0/99"))?;
    want_state(site, "Invalid", &["FLB-P003"])?;
    case.stop()?;
    case.start_with(&[flag])?;
    case.put(&svc("b"))?;
    case.want("b", "10.0.0.1 @p", GOT)?;
    case.want("a", "10.0.0.0 @p", "")?;
    site.want_pool("p", [2, 6, 0, 0])?;

    case.stop()?;
    case.start()?;
    case.put(&svc("c"))?;
    case.want("c", "", "W:AllocationFailed")?;
    case.want("a", "10.0.0.0 @p", "")?;
    case.want("b", "10.0.0.1 @p", "")?;
    site.apply_pool(&pool("p", "10.0.0.0/29"))?;
    case.want("c", "10.0.0.2 @p", GOT)?;
    want_state(site, "Valid", &[])
}

/// Case 100: somebody deletes the `ConfigurationState`.
fn recreated(site: &Site) -> Result<()> {
    site.apply_pool(&pool("bad", "10.0.0.9-10.0.0.1"))?;
    want_state(site, "Invalid", &["FLB-P005"])?;
    let path = format!("{}/controller", site.ours("configurationstates"));
    site.lab.admin().call(&Call::delete(&path))?.ok()?;
    want_state(site, "Invalid", &["FLB-P005"])
}

/// The kinds of a release to come: a field more, and a field of another type.
#[test]
fn of_a_newer_version() {
    let Some(lab) = lab::own(&Options::default()) else {
        return;
    };
    let lab = Arc::new(lab);
    let site = Site::new(&lab).unwrap();
    let mut case = Case::new(&site);
    extend_the_kind(&lab).unwrap();
    let memory = lab.cluster.dir().join("memory");
    newer(&mut case, &format!("--state-dir={}", memory.display())).unwrap();
    case.stop().unwrap();
}

fn extend_the_kind(lab: &lab::Lab) -> Result<()> {
    let mut kind = lab.get(KINDS)?;
    let spec = &mut kind["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    spec["properties"]["colour"] = json!({ "type": "string" });
    spec["properties"]["addresses"]["items"] =
        json!({ "x-kubernetes-preserve-unknown-fields": true });
    lab.admin().call(&Call::replace(KINDS, kind))?.ok()?;
    Ok(())
}

fn newer(case: &mut Case<'_>, flag: &str) -> Result<()> {
    let site = case.site;
    let path = site.ours("ipaddresspools");
    let object = |name: &str, spec: Value| {
        json!({
            "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
            "metadata": { "name": name }, "spec": spec,
        })
    };
    let coloured = object(
        "coloured",
        json!({ "addresses": ["10.0.0.0/30"], "colour": "red" }),
    );
    let typed = object("typed", json!({ "addresses": [{ "cidr": "10.1.0.0/30" }] }));
    // The API server takes a moment to know its kind anew.
    wait::until("the kind is extended", SOON, || {
        let answer = site.lab.admin().call(&Call::create(&path, typed.clone()))?;
        Ok(answer.code == 201 || answer.code == 200 || answer.code == 409)
    })?;
    wait::until("the field is kept", SOON, || {
        site.lab
            .admin()
            .call(&Call::create(&path, coloured.clone()))?;
        let kept = site.lab.get(&format!("{path}/coloured"))?["spec"]["colour"] == "red";
        if !kept {
            site.delete_pool("coloured")?;
        }
        Ok(kept)
    })?;
    case.start_with(&[flag])?;
    case.put(&svc("a"))?;
    case.want("a", "10.0.0.0 @coloured", GOT)?;
    site.want_pool("coloured", [1, 3, 0, 0])?;
    let spec = site.lab.get(&format!("{path}/coloured"))?["spec"].clone();
    anyhow::ensure!(spec["colour"] == "red", "the field is gone: {spec}");
    want_state(site, "Invalid", &["FLB-V003"])?;

    // One that was good becomes one of the newer form: its last good version stays.
    let replace = |spec: Value| -> Result<()> {
        let path = format!("{path}/coloured");
        let merge = Call::merge(&path, json!({ "spec": spec }));
        site.lab.admin().call(&merge)?.ok().map(drop)
    };
    replace(json!({ "addresses": [{ "cidr": "10.0.0.0/30" }] }))?;
    case.put(&svc("b"))?;
    case.want("b", "10.0.0.1 @coloured", GOT)?;
    case.want("a", "10.0.0.0 @coloured", "")?;
    unread_at_a_start(case, flag)?;
    replace(json!({ "addresses": ["10.0.0.0/30"] }))?;
    site.delete_pool("typed")?;
    want_state(site, "Valid", &[])
}

/// A process that never could read the pool goes on with what the one before it remembered, and without
/// that leaves everybody what he has.
fn unread_at_a_start(case: &mut Case<'_>, flag: &str) -> Result<()> {
    case.stop()?;
    case.start_with(&[flag])?;
    case.put(&svc("c"))?;
    case.want("c", "10.0.0.2 @coloured", GOT)?;
    case.stop()?;
    case.start()?;
    case.put(&svc("d"))?;
    case.want("d", "", "W:AllocationFailed")?;
    for (name, status) in [("a", "10.0.0.0"), ("b", "10.0.0.1"), ("c", "10.0.0.2")] {
        case.want(name, &format!("{status} @coloured"), "")?;
    }
    case.site.delete("d")?;
    case.forget("d");
    told_on_the_object(case.site, "coloured")
}

/// The pool has an Event that says why it does not count.
fn told_on_the_object(site: &Site, pool: &str) -> Result<()> {
    let path = format!("/api/v1/namespaces/{}/events", site.name);
    let said = wait::until("an Event on the pool", SOON, || {
        let events = site.lab.get(&path)?;
        let about = |event: &&Value| event["involvedObject"]["name"] == pool;
        let messages = events["items"].as_array().into_iter().flatten();
        let mut messages = messages.filter(about).map(|event| &event["message"]);
        Ok(messages.any(|said| said.as_str().is_some_and(|said| said.contains("FLB-V003"))))
    });
    said.map(drop)
}
