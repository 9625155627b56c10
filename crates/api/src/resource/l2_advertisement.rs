// SPDX-License-Identifier: Apache-2.0
//! `L2Advertisement`: how addresses of pools are announced by ARP and NDP.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::{Deserialize, Serialize};

use super::resource;

/// How addresses of pools are announced by ARP and NDP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct L2Advertisement {
    /// Name, namespace, labels.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What the operator wants.
    #[serde(default)]
    pub spec: L2AdvertisementSpec,
}

resource!(
    L2Advertisement,
    "L2Advertisement",
    "v1beta1",
    "l2advertisements"
);

/// What the operator wants of an advertisement. Every empty list means "no restriction".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L2AdvertisementSpec {
    /// Pools by name.
    #[serde(
        default,
        rename = "ipAddressPools",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ip_address_pools: Vec<String>,
    /// Pools by label.
    #[serde(
        default,
        rename = "ipAddressPoolSelectors",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ip_address_pool_selectors: Vec<LabelSelector>,
    /// Interfaces to answer on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<String>,
    /// Nodes that may answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_selectors: Vec<LabelSelector>,
    /// Nodes that should rather answer than others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred_node_selectors: Vec<PreferredNodeSelector>,
    /// Services by label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_selectors: Vec<LabelSelector>,
}

/// A preference for some nodes in the election.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PreferredNodeSelector {
    /// The nodes preferred.
    pub preference: LabelSelector,
    /// 1 to 100; the weights of all matching entries add up.
    pub weight: i32,
}
