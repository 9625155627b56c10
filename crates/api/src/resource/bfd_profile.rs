// SPDX-License-Identifier: Apache-2.0
//! `BFDProfile`: timers for Bidirectional Forwarding Detection.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

use super::resource;

/// Timers for Bidirectional Forwarding Detection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BFDProfile {
    /// Name, namespace, labels.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What the operator wants.
    #[serde(default)]
    pub spec: BFDProfileSpec,
}

resource!(BFDProfile, "BFDProfile", "v1beta1", "bfdprofiles");

/// What the operator wants of a profile. Intervals are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BFDProfileSpec {
    /// Shortest time between packets we accept, 10 to 60000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_interval: Option<u32>,
    /// Shortest time between packets we send, 10 to 60000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transmit_interval: Option<u32>,
    /// Packets that may be lost before the session is down, 2 to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect_multiplier: Option<u32>,
    /// Time between echo packets, 10 to 60000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo_interval: Option<u32>,
    /// Send echo packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo_mode: Option<bool>,
    /// Wait for the other side to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passive_mode: Option<bool>,
    /// Lowest TTL accepted in multihop sessions, 1 to 254.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_ttl: Option<u32>,
}
