// SPDX-License-Identifier: Apache-2.0
//! `caBundle` where the API server reads it, by patches of just that field, each with a test that the list
//! still is what was read.

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::{CONFIGURATIONS, DEFINITIONS};
use crate::{
    Cluster, Error,
    client::REQUEST,
    request::{self, PatchKind},
};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injected {
    /// It was there already.
    Unchanged,
    /// It is there now.
    Written,
    /// There is nothing to put it into: no such object, or no webhook in it.
    Missing,
}

/// Puts the CA into every webhook of a `ValidatingWebhookConfiguration`.
///
/// # Errors
/// That it may not be read or written, that somebody wrote it meanwhile, or that nobody answers.
pub async fn inject_webhooks(
    cluster: &Cluster,
    configuration: &str,
    ca_pem: &[u8],
) -> Result<Injected, Error> {
    let path = request::object(CONFIGURATIONS.0, None, CONFIGURATIONS.1, configuration);
    let Some(object) = read(cluster, &path).await? else {
        return Ok(Injected::Missing);
    };
    let webhooks = object["webhooks"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if webhooks.is_empty() {
        return Ok(Injected::Missing);
    }
    write(cluster, &path, webhook_patch(webhooks, &bundle(ca_pem))).await
}

/// Puts the CA into the conversion webhook of a `CustomResourceDefinition`.
///
/// # Errors
/// That it may not be read or written, that somebody wrote it meanwhile, or that nobody answers.
pub async fn inject_conversion(
    cluster: &Cluster,
    crd: &str,
    ca_pem: &[u8],
) -> Result<Injected, Error> {
    let path = request::object(DEFINITIONS.0, None, DEFINITIONS.1, crd);
    let Some(object) = read(cluster, &path).await? else {
        return Ok(Injected::Missing);
    };
    let config = &object["spec"]["conversion"]["webhook"]["clientConfig"];
    if !config.is_object() {
        return Ok(Injected::Missing);
    }
    let bundle = bundle(ca_pem);
    let add = json!({ "op": "add", "path": "/spec/conversion/webhook/clientConfig/caBundle", "value": bundle });
    let patch = if config["caBundle"] == bundle {
        Vec::new()
    } else {
        vec![add]
    };
    write(cluster, &path, patch).await
}

fn webhook_patch(webhooks: &[Value], bundle: &Value) -> Vec<Value> {
    let mut patch = Vec::new();
    for (n, webhook) in webhooks.iter().enumerate() {
        let config = &webhook["clientConfig"];
        if !config.is_object() || config["caBundle"] == *bundle {
            continue;
        }
        let at = format!("/webhooks/{n}");
        patch.push(json!({ "op": "test", "path": format!("{at}/name"), "value": webhook["name"] }));
        patch.push(
            json!({ "op": "add", "path": format!("{at}/clientConfig/caBundle"), "value": bundle }),
        );
    }
    patch
}

fn bundle(ca_pem: &[u8]) -> Value {
    json!(ByteString(ca_pem.to_vec()))
}

async fn read(cluster: &Cluster, path: &str) -> Result<Option<Value>, Error> {
    match cluster.call(request::get(path)?, REQUEST).await {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn write(cluster: &Cluster, path: &str, patch: Vec<Value>) -> Result<Injected, Error> {
    if patch.is_empty() {
        return Ok(Injected::Unchanged);
    }
    let path = format!("{path}?fieldManager=MetalLB");
    cluster
        .text(request::patch(PatchKind::Json, path, &patch)?, REQUEST)
        .await?;
    Ok(Injected::Written)
}
