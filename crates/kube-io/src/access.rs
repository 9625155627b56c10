// SPDX-License-Identifier: Apache-2.0
//! What the API server lets us do, asked before it matters.

use serde_json::{Value, json};

use crate::{Cluster, Error, client::REQUEST, request};

/// One thing to be allowed. Empty texts mean what they mean in RBAC: no subresource, any name, the core group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: String,
    /// API group; empty for the core.
    pub group: String,
    /// Plural.
    pub resource: String,
    /// `status`, for example.
    pub subresource: String,
    /// Namespace; empty for all of them.
    pub namespace: String,
    /// One object.
    pub name: String,
}

impl Cluster {
    /// Whether the API server would let us (`SelfSubjectAccessReview`).
    ///
    /// # Errors
    /// Whatever keeps the question from being answered.
    pub async fn may(&self, access: &Access) -> Result<bool, Error> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "verb": access.verb, "group": access.group, "resource": access.resource,
                "subresource": access.subresource, "namespace": access.namespace, "name": access.name,
            }},
        });
        let path = request::collection("authorization.k8s.io/v1", None, "selfsubjectaccessreviews");
        let answer: Value = self.call(request::post(path, &review)?, REQUEST).await?;
        Ok(answer
            .pointer("/status/allowed")
            .and_then(Value::as_bool)
            .unwrap_or(false))
    }
}
