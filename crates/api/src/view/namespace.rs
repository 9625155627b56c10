// SPDX-License-Identifier: Apache-2.0
//! A Namespace: its labels.

use ferrolb_types::Labels;
use k8s_openapi::api::core::v1::Namespace;

use super::{Nameless, labels, name};

/// A Namespace, for `namespaceSelectors`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceView {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

impl TryFrom<&Namespace> for NamespaceView {
    type Error = Nameless;

    fn try_from(object: &Namespace) -> Result<Self, Nameless> {
        Ok(Self {
            name: name(&object.metadata)?.to_owned(),
            labels: labels(&object.metadata),
        })
    }
}
