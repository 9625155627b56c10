// SPDX-License-Identifier: Apache-2.0
//! `Community`: names for BGP communities.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

use super::resource;

/// Names for BGP communities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Community {
    /// Name, namespace, labels.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What the operator wants.
    #[serde(default)]
    pub spec: CommunitySpec,
}

resource!(Community, "Community", "v1beta1", "communities");

/// The aliases of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunitySpec {
    /// The aliases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub communities: Vec<CommunityAlias>,
}

/// One alias.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityAlias {
    /// The alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `A:B` or `large:A:B:C`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
