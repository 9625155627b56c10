// SPDX-License-Identifier: Apache-2.0
//! What FerroLB reads and writes: the `metallb.io` resources with names exactly as on the wire, the
//! core Kubernetes kinds, the compact views of both that the rest of the program keeps, the names of
//! annotations and labels, and the CRDs we ship.
//!
//! No logic: a type here says what stands in an object, never whether it makes sense.

pub mod annotations;
pub mod crds;
pub mod resource;
pub mod view;

/// The core kinds, as the Kubernetes API defines them.
pub mod core {
    pub use k8s_openapi::api::core::v1::{Namespace, Node, Secret, Service};
    pub use k8s_openapi::api::discovery::v1::EndpointSlice;
    pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
        LabelSelector, LabelSelectorRequirement, ObjectMeta, Time,
    };
}
