// SPDX-License-Identifier: Apache-2.0
//! Compact views of the core kinds: just what decisions need, a few hundred bytes each.
//!
//! A source (watch or folder) reduces each object here at the border and drops the rest. Texts that
//! may be wrong (addresses a user typed) are kept as texts: judging them is the allocator's work.

mod endpoints;
mod namespace;
mod node;
mod secret;
mod service;

pub use endpoints::{EndpointSliceView, UsableEndpoint};
pub use namespace::NamespaceView;
pub use node::NodeView;
pub use secret::{PASSWORD_KEY, SecretView};
pub use service::{
    ClusterIp, FamilyPolicy, Ingress, Protocol, ServiceAnnotations, ServicePort, ServiceType,
    ServiceView, TrafficPolicy,
};

use ferrolb_types::Labels;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Why an object cannot be reduced: it has no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nameless;

impl std::fmt::Display for Nameless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the object has no metadata.name")
    }
}

impl std::error::Error for Nameless {}

/// Name of the namespace an object without one belongs to.
pub const DEFAULT_NAMESPACE: &str = "default";

fn name(meta: &ObjectMeta) -> Result<&str, Nameless> {
    meta.name
        .as_deref()
        .filter(|name| !name.is_empty())
        .ok_or(Nameless)
}

fn namespace(meta: &ObjectMeta) -> &str {
    meta.namespace
        .as_deref()
        .filter(|name| !name.is_empty())
        .unwrap_or(DEFAULT_NAMESPACE)
}

fn labels(meta: &ObjectMeta) -> Labels {
    meta.labels.as_ref().map(Labels::from).unwrap_or_default()
}
