// SPDX-License-Identifier: Apache-2.0
//! The API server and its store fail in the middle of the work. Who holds an address keeps it, and
//! everything that happened meanwhile is found afterwards.
//!
//! The API server is away for 16 s each time, longer than a Lease holds; for 60 s with `FERROLB_SOAK` set.

use std::{sync::Arc, thread, time::Duration};

use anyhow::Result;
use ferrolb_lab::{
    cluster::{Call, Options},
    wait,
};
use serde_json::{Value, json};

use crate::{
    case::Case,
    lab::{self, SOON},
    many,
    objects::{self, pool, svc},
    site::{Controller, Site},
};

/// Long enough to serve everything that piled up, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(45);

fn away() -> Duration {
    match std::env::var_os("FERROLB_SOAK") {
        Some(_) => Duration::from_secs(60),
        None => Duration::from_secs(16),
    }
}

pub fn the_api_server_fails() {
    // Of one family, so that a Service that prefers both has one cluster address.
    let options = Options {
        flags: vec!["--service-cluster-ip-range=10.96.0.0/12".to_owned()],
        ..Options::default()
    };
    let Some(lab) = lab::own(&options) else {
        return;
    };
    let site = Site::new(&Arc::new(lab)).unwrap();
    one_cluster_address(&site).unwrap();
    site.apply_pool(&pool("p", "10.0.0.0/22")).unwrap();
    let controller = site.start().unwrap();
    let mut count = 0;
    for round in ["first", "second"] {
        count = killed_in_mid_churn(&site, count).unwrap();
        println!("{count} Services hold theirs after the {round} time");
    }
    store_restarted(&site, &mut count).unwrap();
    server_frozen(&site, &mut count).unwrap();
    history_forgotten(&site, &controller).unwrap();
    assert!(
        !controller.0.log().contains("panicked"),
        "{}",
        controller.tail()
    );
    controller.stop().unwrap();
}

/// Case 47: a single-stack Service that prefers both families has one address for good.
fn one_cluster_address(site: &Site) -> Result<()> {
    let mut case = Case::new(site);
    case.pools(&[pool("p5", "1.2.4.0/31 1000::4:0/127")])?;
    case.put(&svc("s").prefer().from("p5"))?;
    case.want("s", "1.2.4.0 @p5", "IPAllocated")?;
    for _ in 0..2 {
        case.want_still("s", "1.2.4.0 @p5")?;
    }
    case.restart()?;
    case.want_still("s", "1.2.4.0 @p5")?;
    case.stop()?;
    site.clear()
}

/// A hundred Services more, and the API server is killed among them.
fn killed_in_mid_churn(site: &Site, before: u32) -> Result<u32> {
    let count = before + 100;
    let calls = many::create(site, count)?;
    let old = many::held(site)?;
    let admin = site.lab.admin().clone();
    let churn = thread::spawn(move || {
        for call in calls.into_iter().skip(before as usize) {
            // It fails when the API server is gone.
            let _ = admin.call(&call);
            thread::sleep(Duration::from_millis(3));
        }
    });
    thread::sleep(Duration::from_millis(250));
    site.lab.cluster.stop_api()?;
    thread::sleep(away());
    site.lab.cluster.start_api()?;
    churn.join().expect("the churn");
    for call in many::create(site, count)? {
        site.lab.admin().call(&call)?;
    }
    let (held, took) = many::all_served(site, count as usize, PATIENCE)?;
    println!("all served {took:?} after the API server is back");
    many::kept(&old, &held)?;
    Ok(count)
}

fn store_restarted(site: &Site, count: &mut u32) -> Result<()> {
    let old = many::held(site)?;
    let versions = versions(site)?;
    site.lab.cluster.stop_etcd()?;
    thread::sleep(Duration::from_secs(2));
    site.lab.cluster.start_etcd()?;
    *count += 20;
    ferrolb_lab::wait::until("the API server writes again", SOON, || {
        for call in many::create(site, *count)? {
            let code = site.lab.admin().call(&call)?.code;
            anyhow::ensure!(code == 201 || code == 200 || code == 409, "{code}");
        }
        Ok(true)
    })?;
    let (held, _) = many::all_served(site, *count as usize, PATIENCE)?;
    many::kept(&old, &held)?;
    untouched(site, &versions)
}

/// Connections stay and nothing answers, for longer than the Lease lasts.
fn server_frozen(site: &Site, count: &mut u32) -> Result<()> {
    let old = many::held(site)?;
    let versions = versions(site)?;
    site.lab.cluster.freeze()?;
    thread::sleep(Duration::from_secs(13));
    site.lab.cluster.thaw()?;
    *count += 20;
    for call in many::create(site, *count)? {
        site.lab.admin().call(&call)?;
    }
    let (held, took) = many::all_served(site, *count as usize, PATIENCE)?;
    println!("all served {took:?} after the API server goes on");
    many::kept(&old, &held)?;
    untouched(site, &versions)
}

/// Everything changes while the controller is frozen, and the history of it is forgotten: each of its
/// watches is told 410 Gone, and only lists tell what happened, deletions too.
fn history_forgotten(site: &Site, controller: &Controller) -> Result<()> {
    let old = many::held(site)?;
    let namespace = site.namespace("many")?;
    controller.0.signal("STOP")?;
    for index in 0..30 {
        let path = format!("/api/v1/namespaces/{namespace}/services/s{index}");
        site.lab.admin().call(&Call::delete(&path))?.ok()?;
    }
    site.create(&svc("new").from("other"))?;
    site.apply_pool(&pool("other", "10.9.0.0/30").manual())?;
    let labels = json!({ "metadata": { "labels": { "stage": "prod" } } });
    let path = format!("/api/v1/namespaces/{}", site.namespace("plain")?);
    site.lab.admin().call(&Call::merge(&path, labels))?.ok()?;
    site.apply_pool(&pool("staged", "10.8.0.0/30").stage("prod"))?;
    site.create(&svc("staged").from("staged"))?;
    let versions = versions(site)?;
    site.lab.cluster.expire()?;
    controller.0.signal("CONT")?;

    ends_with(site, "new", "10.9.0.0 @other")?;
    ends_with(site, "staged", "10.8.0.0 @staged")?;
    let count = old.len() - 30;
    let (held, _) = many::all_served(site, count, PATIENCE)?;
    many::kept(&old, &held)?;
    let used = i64::try_from(count)?;
    site.want_pool("p", [used, 1024 - used, 0, 0])?;
    untouched(site, &versions)?;
    println!("after 410 on every watch: 30 deletions found, nothing written of the others");
    Ok(())
}

/// Services, pools and Namespaces are listed anew in any order, so that a Service may be seen before its pool
/// and be refused at first.
fn ends_with(site: &Site, name: &str, standing: &str) -> Result<()> {
    let is_so = || Ok(objects::standing(&site.service(name)?) == standing);
    wait::until(&format!("{name}: {standing}"), PATIENCE, is_so).map(drop)
}

/// The version of each Service.
fn versions(site: &Site) -> Result<Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = many::all(site)?;
    let version = |one: &Value| {
        let meta = &one["metadata"];
        (text(&meta["name"]), text(&meta["resourceVersion"]))
    };
    Ok(all.iter().map(version).collect())
}

/// Fails where one of these was written since.
fn untouched(site: &Site, before: &[(String, String)]) -> Result<()> {
    let now = versions(site)?;
    let written: Vec<_> = before.iter().filter(|one| !now.contains(one)).collect();
    anyhow::ensure!(written.is_empty(), "written without need: {written:?}");
    Ok(())
}
