// SPDX-License-Identifier: Apache-2.0
//! The names of the annotations and labels that carry meaning.

/// The prefix of MetalLB's own annotations.
pub const PREFIX: &str = "metallb.io/";
/// The prefix the same annotations had in old releases: still read, never written.
pub const LEGACY_PREFIX: &str = "metallb.universe.tf/";

/// Input: the pool a Service wants its address from.
pub const ADDRESS_POOL: &str = "metallb.io/address-pool";
/// Input: the addresses a Service wants, separated by commas.
pub const LOAD_BALANCER_IPS: &str = "metallb.io/loadBalancerIPs";
/// Input: the sharing key; Services with the same one may share an address.
pub const ALLOW_SHARED_IP: &str = "metallb.io/allow-shared-ip";
/// Output: the pool the held addresses came from.
pub const ALLOCATED_FROM_POOL: &str = "metallb.io/ip-allocated-from-pool";

/// Node label that takes a node out of announcing, whatever its value.
pub const EXCLUDE_FROM_LOAD_BALANCERS: &str =
    "node.kubernetes.io/exclude-from-external-load-balancers";
/// Label on an EndpointSlice: the Service it belongs to.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// On a BGPPeer as `v1beta1` shows it: the fields that only `v1beta2` has, as JSON. Never stored.
pub const V1BETA2_FIELDS: &str = "ferrolb.io/v1beta2-fields";
