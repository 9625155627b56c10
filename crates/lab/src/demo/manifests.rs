// SPDX-License-Identifier: Apache-2.0
//! The scene of the broken manifest: a diagnostic, and nothing else happens.

use std::{fs, time::Duration};

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{
    scenes::{SHOP, WEB},
    screen::Screen,
    stage::{PATIENCE, Stage},
};
use crate::{
    probe::{Prober, child::Pace},
    wait,
};

/// A pool whose second range overlaps the pool `lan` and whose third is no range.
const BROKEN: &str = "\
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: more
  namespace: metallb-system
spec:
  addresses:
    - 198.18.0.0/28
    - 192.0.2.210-192.0.2.230
    - 192.0.2.240-192.0.2.2x
";

/// Adds the broken manifest while clients go on asking, shows what is said, and removes it.
pub(super) fn broken(stage: &Stage, screen: &mut Screen) -> Result<()> {
    screen.scene("A broken manifest: refused alone, with the reason; everything else goes on")?;
    let inside = Prober::start(
        stage.net.client.namespace(),
        stage.page(WEB, true)?,
        Pace::default(),
    )?;
    let outside = Prober::start(
        stage.outside()?.namespace(),
        stage.page(SHOP, true)?,
        Pace::default(),
    )?;
    let marks = [&inside, &outside].map(|prober| {
        prober.answering(PATIENCE)?;
        prober.mark()
    });
    let path = stage.ferrolb.manifests().join("more.yaml");
    fs::write(&path, BROKEN)?;
    let (code, said) = stage.check()?;
    screen.command("ferrolb check examples/demo", &said, 24)?;
    screen.say(&format!("exit code {code}"))?;
    ensure!(code != 0, "the check found nothing wrong");
    faults_in_status(stage, screen)?;
    fs::remove_file(&path)?;
    wait::until("the fault is gone from status", PATIENCE, || {
        Ok(faults(stage)?.is_empty())
    })?;
    for ((prober, mark), who) in [&inside, &outside]
        .into_iter()
        .zip(marks)
        .zip(["LAN", "outside"])
    {
        let outage = prober.outage_since(mark?, Duration::from_millis(200), PATIENCE)?;
        screen.figure(
            &format!("requests failed while a manifest was broken, client {who}"),
            &format!("{} of {}", outage.failed, outage.failed + outage.answered),
        )?;
    }
    Ok(())
}

fn faults_in_status(stage: &Stage, screen: &Screen) -> Result<()> {
    let (found, _) = wait::arrival("the fault in status", PATIENCE, || {
        let found = faults(stage)?;
        Ok((!found.is_empty()).then_some(found))
    })?;
    for fault in found {
        let text = |name: &str| {
            fault
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        screen.say(&format!(
            "status of the controller: {} {} {}: {}",
            text("code"),
            text("object"),
            text("field"),
            text("cause")
        ))?;
    }
    Ok(())
}

/// What the controller says of the broken pool.
fn faults(stage: &Stage) -> Result<Vec<Value>> {
    let Some(controller) = &stage.controller else {
        return Ok(Vec::new());
    };
    let status = controller.status()?;
    let faults = status
        .get("faults")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let of_the_pool = |fault: &&Value| {
        let object = fault.get("object").and_then(Value::as_str);
        object.is_some_and(|object| object.contains("more"))
    };
    Ok(faults.filter(of_the_pool).cloned().collect())
}
