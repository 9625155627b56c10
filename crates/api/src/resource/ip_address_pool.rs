// SPDX-License-Identifier: Apache-2.0
//! `IPAddressPool`: addresses that Services may get.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::{Deserialize, Serialize};

use super::resource;

/// Addresses that Services may get.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IPAddressPool {
    /// Name, namespace, labels.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What the operator wants.
    #[serde(default)]
    pub spec: IPAddressPoolSpec,
    /// What the controller counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<IPAddressPoolStatus>,
}

resource!(IPAddressPool, "IPAddressPool", "v1beta1", "ipaddresspools");

/// What the operator wants of a pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IPAddressPoolSpec {
    /// CIDRs and `first-last` ranges, in order of use.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Whether Services that ask for nothing may draw from it; absent means true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_assign: Option<bool>,
    /// Whether IPv4 addresses ending in .0 and .255 are left out; absent means false.
    #[serde(
        default,
        rename = "avoidBuggyIPs",
        skip_serializing_if = "Option::is_none"
    )]
    pub avoid_buggy_ips: Option<bool>,
    /// Which Services may draw from it; its presence alone makes the pool a pinned one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_allocation: Option<ServiceAllocation>,
}

/// Which Services may draw from a pinned pool, and how early it is tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAllocation {
    /// Lower is tried first; 0 or absent comes last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Namespaces by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Namespaces by label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespace_selectors: Vec<LabelSelector>,
    /// Services by label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_selectors: Vec<LabelSelector>,
}

/// Counters of a pool; all four are always written together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IPAddressPoolStatus {
    /// Distinct IPv4 addresses in use.
    #[serde(rename = "assignedIPv4")]
    pub assigned_ipv4: i64,
    /// Distinct IPv6 addresses in use.
    #[serde(rename = "assignedIPv6")]
    pub assigned_ipv6: i64,
    /// IPv4 addresses still free.
    #[serde(rename = "availableIPv4")]
    pub available_ipv4: i64,
    /// IPv6 addresses still free, at most 2^63 - 1.
    #[serde(rename = "availableIPv6")]
    pub available_ipv6: i64,
}
