// SPDX-License-Identifier: Apache-2.0
//! The status of one Service: the ingress entries and, in the same request, the annotation that names the pool.

use std::net::IpAddr;

use ferrolb_api::annotations::ALLOCATED_FROM_POOL;
use ferrolb_types::{PoolName, ServiceKey};
use serde_json::{Value, json};

use super::{
    LIMIT,
    put::{Change, Mode, STATUS, conflict},
};
use crate::{Cluster, Error, events::Note, request};

/// What a Service's status has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceStatus {
    /// The Service.
    pub key: ServiceKey,
    /// Its uid, for the Events.
    pub uid: Box<str>,
    /// The resourceVersion this was decided on.
    pub resource_version: Box<str>,
    /// The addresses, in order; empty clears the status.
    pub ingress: Vec<IpAddr>,
    /// The pool they are from; none removes the annotation.
    pub pool: Option<PoolName>,
    /// The status had entries: those whose address stays are kept as they are (`ipMode`, `ports`, and what
    /// newer versions put there), which takes a read first.
    pub keep: bool,
    /// What to say of it once it is written.
    pub events: Vec<Note>,
}

/// Writes it, and gives the new resourceVersion.
pub(super) async fn write(
    cluster: &Cluster,
    mode: &Mode,
    status: &ServiceStatus,
) -> Result<Box<str>, Error> {
    let path = request::object(
        "v1",
        Some(status.key.namespace()),
        "services",
        status.key.name(),
    );
    let object = if status.keep && !status.ingress.is_empty() {
        let object: Value = cluster.call(request::get(&path)?, LIMIT).await?;
        if !is_decided_on(&object, status) {
            return Err(conflict());
        }
        if holds(&object, status) {
            return Ok(status.resource_version.clone());
        }
        Some(object)
    } else {
        None
    };
    let entries = entries(object.as_ref(), status);
    let change = Change {
        path: &path,
        subresource: STATUS,
        patch: &patch(status, &entries),
        object,
        edit: |object: &mut Value| is_decided_on(object, status) && edit(object, status, &entries),
    };
    mode.write(cluster, change).await
}

fn is_decided_on(object: &Value, status: &ServiceStatus) -> bool {
    object["metadata"]["resourceVersion"].as_str() == Some(&*status.resource_version)
}

/// Whether the object says already what it has to.
fn holds(object: &Value, status: &ServiceStatus) -> bool {
    let pool = object["metadata"]["annotations"][ALLOCATED_FROM_POOL].as_str();
    let ingress = &object["status"]["loadBalancer"]["ingress"];
    let held = ingress.as_array().map(Vec::as_slice).unwrap_or_default();
    pool == status.pool.as_ref().map(PoolName::as_str)
        && held.len() == status.ingress.len()
        && held
            .iter()
            .map(address)
            .eq(status.ingress.iter().copied().map(Some))
}

/// The ingress entries to write: those that stay as they are, the others with their address alone.
fn entries(object: Option<&Value>, status: &ServiceStatus) -> Vec<Value> {
    let held = object
        .and_then(|object| object["status"]["loadBalancer"]["ingress"].as_array())
        .map(Vec::as_slice)
        .unwrap_or_default();
    let entry = |wanted: &IpAddr| {
        let kept = held.iter().find(|entry| address(entry) == Some(*wanted));
        kept.cloned().unwrap_or_else(|| json!({ "ip": wanted }))
    };
    status.ingress.iter().map(entry).collect()
}

fn address(entry: &Value) -> Option<IpAddr> {
    entry["ip"].as_str()?.parse().ok()
}

/// The merge patch. Lists are replaced as a whole, null removes.
fn patch(status: &ServiceStatus, entries: &[Value]) -> Value {
    let ingress = if entries.is_empty() {
        Value::Null
    } else {
        entries.into()
    };
    json!({
        "metadata": {
            "resourceVersion": status.resource_version,
            "annotations": { ALLOCATED_FROM_POOL: status.pool },
        },
        "status": { "loadBalancer": { "ingress": ingress } },
    })
}

/// The same on a whole object. False where it has not the form of one.
fn edit(object: &mut Value, status: &ServiceStatus, entries: &[Value]) -> bool {
    let Some(object) = object.as_object_mut() else {
        return false;
    };
    let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return false;
    };
    match &status.pool {
        Some(pool) => {
            let annotations = meta.entry("annotations").or_insert_with(|| json!({}));
            if !annotations.is_object() {
                *annotations = json!({});
            }
            annotations[ALLOCATED_FROM_POOL] = pool.as_str().into();
        }
        None => {
            if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove(ALLOCATED_FROM_POOL);
            }
        }
    }
    let held = object.entry("status").or_insert_with(|| json!({}));
    if !held.is_object() {
        *held = json!({});
    }
    held["loadBalancer"] = match entries {
        [] => json!({}),
        entries => json!({ "ingress": entries }),
    };
    true
}
