// SPDX-License-Identifier: Apache-2.0
//! The store: its data, and its own commands through etcd's JSON gateway.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::{PATIENCE, Site};
use crate::exec;

/// `ferrolb-lab`: a key beside those of Kubernetes, written to make the revision move.
const TICK: &str = "ZmVycm9sYi1sYWI=";

/// The folder of the data.
pub(super) fn data(site: &Site) -> PathBuf {
    site.dir.join("etcd")
}

/// Copies the data of a store that does not run.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut command = Command::new("cp");
    command.arg("-a").arg("--").arg(from).arg(to);
    exec::run(command, PATIENCE)?.success().map(drop)
}

/// Whether the store answers that it is well.
pub(super) fn healthy(site: &Site) -> Result<bool> {
    let answer = curl(site, "/health", None)?;
    Ok(answer
        .pointer("/health")
        .is_some_and(|health| health == "true"))
}

/// Writes once more, and forgets everything before that.
pub(super) fn compact(site: &Site) -> Result<()> {
    let put = curl(
        site,
        "/v3/kv/put",
        Some(&json!({ "key": TICK, "value": TICK })),
    )?;
    let revision = put.pointer("/header/revision").context("no revision")?;
    let body = json!({ "revision": revision, "physical": true });
    curl(site, "/v3/kv/compaction", Some(&body)).map(drop)
}

/// Writes objects under their keys, past the API server.
pub(super) fn put(site: &Site, objects: &[(String, Value)]) -> Result<()> {
    /// Operations that etcd takes in one transaction.
    const MOST: usize = 128;
    let text = |bytes: Vec<u8>| serde_json::to_value(ByteString(bytes));
    for some in objects.chunks(MOST) {
        let mut puts = Vec::new();
        for (key, object) in some {
            let (key, value) = (
                text(key.clone().into_bytes())?,
                text(serde_json::to_vec(object)?)?,
            );
            puts.push(json!({ "requestPut": { "key": key, "value": value } }));
        }
        curl(site, "/v3/kv/txn", Some(&json!({ "success": puts })))?;
    }
    Ok(())
}

fn curl(site: &Site, path: &str, body: Option<&Value>) -> Result<Value> {
    let url = format!("{}{path}", site.ports.etcd_url());
    // Many objects are too long for an argument.
    let file = site.dir.join("body.json");
    let from = format!("@{}", file.display());
    let mut arguments = vec!["-sSf", "--noproxy", "*", "--max-time", "5"];
    if let Some(body) = body {
        fs::write(&file, body.to_string())?;
        arguments.extend(["-d", &from]);
    }
    arguments.push(&url);
    let said = site.namespace.exec("curl", &arguments)?;
    Ok(serde_json::from_str(&said)?)
}
