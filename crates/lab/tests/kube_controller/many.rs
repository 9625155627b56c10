// SPDX-License-Identifier: Apache-2.0
//! Many Services at once: made, counted, and held against the rule that nobody shares by mistake.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use ferrolb_lab::{
    cluster::{Call, load::Services},
    wait,
};
use serde_json::Value;

use crate::{objects::standing, site::Site};

/// What Services hold, by name.
pub type Held = BTreeMap<String, String>;

/// Makes Services `s0`, `s1`, … in the namespace `many`; those that are there stay.
pub fn create(site: &Site, count: u32) -> Result<Vec<Call>> {
    let namespace = site.namespace("many")?;
    let services = Services {
        namespace: &namespace,
        count,
        class: site.class.as_deref(),
        local: false,
    };
    Ok(services.create())
}

/// All Services in `many`, as the API server shows them.
pub fn all(site: &Site) -> Result<Vec<Value>> {
    let path = format!("/api/v1/namespaces/{}/services", site.namespace("many")?);
    let list = site.lab.get(&path)?;
    let items = list["items"].as_array().context("a list")?;
    Ok(items.clone())
}

/// What each of them holds.
pub fn held(site: &Site) -> Result<Held> {
    let all = all(site)?;
    let line = |one: &Value| {
        let name = one["metadata"]["name"].as_str().unwrap_or_default();
        (name.to_owned(), standing(one))
    };
    Ok(all.iter().map(line).collect())
}

/// Fails where two hold one address.
pub fn none_doubled(held: &Held) -> Result<()> {
    let mut by_address: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, standing) in held {
        let address = standing.split(' ').next().unwrap_or_default();
        // A wiped status leaves the annotation alone.
        if address.is_empty() || address.starts_with('@') {
            continue;
        }
        if let Some(other) = by_address.insert(address, name) {
            bail!("{other} and {name} both hold {address}");
        }
    }
    Ok(())
}

/// Waits until each of this many holds an address of pool `p` that nobody else holds.
pub fn all_served(site: &Site, count: usize, patience: Duration) -> Result<(Held, Duration)> {
    let mut last = Held::new();
    let waited = wait::arrival("every Service has an address", patience, || {
        std::thread::sleep(Duration::from_millis(50));
        last = held(site)?;
        let served = last.values().filter(|one| one.ends_with(" @p")).count();
        Ok((served == count && last.len() == count).then(|| last.clone()))
    });
    let (held, took) = waited.with_context(|| {
        let served = last.values().filter(|one| one.ends_with(" @p")).count();
        format!("expected {count} Services with an address; the API server shows {} of which {served} have one", last.len())
    })?;
    none_doubled(&held)?;
    Ok((held, took))
}

/// Fails where one that is in both lost or changed what it held.
pub fn kept(before: &Held, after: &Held) -> Result<()> {
    let holds = |standing: &&String| !standing.is_empty() && !standing.starts_with('@');
    for (name, standing) in before.iter().filter(|(_, standing)| holds(standing)) {
        if let Some(now) = after.get(name).filter(|now| *now != standing) {
            bail!("{name}: expected to keep {standing:?}; the API server shows {now:?}");
        }
    }
    Ok(())
}
