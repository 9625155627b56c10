// SPDX-License-Identifier: Apache-2.0
//! One PATCH where the role allows it; otherwise a read and a PUT of the object as it was read, with only
//! our fields changed, so that fields of versions newer than we survive.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::Value;

use super::LIMIT;
use crate::{
    Cluster, Error,
    request::{self, PatchKind},
};

/// Where a status is written. The server is to give up in time, should we be gone by then; and need not
/// compare the fields with its schema for a warning: they are few, and right.
pub(crate) const STATUS: &str = "/status?timeout=5s&fieldValidation=Ignore";

/// Which of the two a resource takes, as far as we know. Clones share the knowledge.
#[derive(Clone, Debug)]
pub(crate) struct Mode {
    resource: &'static str,
    put: Arc<AtomicBool>,
}

/// A write in both forms.
pub(crate) struct Change<'a, F> {
    /// Path of the object.
    pub path: &'a str,
    /// What is appended to write: `/status`.
    pub subresource: &'a str,
    /// The merge patch.
    pub patch: &'a Value,
    /// The object where it was read already.
    pub object: Option<Value>,
    /// The same change on the whole object; false: the object is not the one decided on.
    pub edit: F,
}

impl Mode {
    pub(crate) fn new(resource: &'static str) -> Self {
        Self {
            resource,
            put: Arc::default(),
        }
    }

    /// Writes, and gives the new resourceVersion.
    pub(crate) async fn write<F>(
        &self,
        cluster: &Cluster,
        change: Change<'_, F>,
    ) -> Result<Box<str>, Error>
    where
        F: FnOnce(&mut Value) -> bool,
    {
        let target = format!("{}{}", change.path, change.subresource);
        if !self.put.load(Ordering::Relaxed) {
            let request = request::patch(PatchKind::Merge, &target, change.patch)?;
            match cluster.call(request::in_short(request), LIMIT).await {
                Ok(written) => return Ok(version(written)),
                Err(error) if error.is_forbidden() => {}
                Err(error) => return Err(error),
            }
        }
        let mut object = match change.object {
            Some(object) => object,
            None => cluster.call(request::get(change.path)?, LIMIT).await?,
        };
        if !(change.edit)(&mut object) {
            return Err(conflict());
        }
        let request = request::in_short(request::put(&target, &object)?);
        let written = cluster.call(request, LIMIT).await?;
        self.settle();
        Ok(version(written))
    }

    /// A PUT went through where a PATCH was refused: so it stays.
    fn settle(&self) {
        if !self.put.swap(true, Ordering::Relaxed) {
            let resource = self.resource;
            tracing::info!(
                resource,
                "the role grants no patch: each write is a read and an update from now on"
            );
        }
    }
}

/// The part of an answer we look at.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Written {
    metadata: WrittenMeta,
}

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WrittenMeta {
    resource_version: Box<str>,
}

fn version(written: Written) -> Box<str> {
    written.metadata.resource_version
}

/// What the API server would have said.
pub(crate) fn conflict() -> Error {
    Error::Api {
        code: 409,
        reason: "Conflict".into(),
        message: "the object was written since".into(),
    }
}
