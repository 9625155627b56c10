// SPDX-License-Identifier: Apache-2.0
//! `metallb_allocator_*`: how full the pools are.

use ferrolb_types::PoolName;

use crate::text::Page;

/// How full a pool is. Figures beyond 64 bits are told as the largest there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUsage {
    /// Which.
    pub pool: PoolName,
    /// IPv4 addresses it can give.
    pub ipv4_total: u64,
    /// IPv6 addresses it can give.
    pub ipv6_total: u64,
    /// IPv4 addresses somebody holds.
    pub ipv4_in_use: u64,
    /// IPv6 addresses somebody holds.
    pub ipv6_in_use: u64,
}

/// Name, help and how to read the figure.
type Figure = (&'static str, &'static str, fn(&PoolUsage) -> u64);

// MetalLB's sums stop at the largest signed number.
const MOST: u64 = i64::MAX as u64;

const FIGURES: [Figure; 6] = [
    (
        "metallb_allocator_addresses_total",
        "Addresses the pool can give.",
        |pool| pool.ipv4_total.saturating_add(pool.ipv6_total).min(MOST),
    ),
    (
        "metallb_allocator_ipv4_addresses_total",
        "IPv4 addresses the pool can give.",
        |pool| pool.ipv4_total.min(MOST),
    ),
    (
        "metallb_allocator_ipv6_addresses_total",
        "IPv6 addresses the pool can give.",
        |pool| pool.ipv6_total.min(MOST),
    ),
    (
        "metallb_allocator_addresses_in_use_total",
        "Addresses of the pool that are held.",
        |pool| pool.ipv4_in_use.saturating_add(pool.ipv6_in_use),
    ),
    (
        "metallb_allocator_ipv4_addresses_in_use_total",
        "IPv4 addresses of the pool that are held.",
        |pool| pool.ipv4_in_use,
    ),
    (
        "metallb_allocator_ipv6_addresses_in_use_total",
        "IPv6 addresses of the pool that are held.",
        |pool| pool.ipv6_in_use,
    ),
];

pub(super) fn write(page: &mut Page, pools: &[PoolUsage]) {
    for (name, help, figure) in FIGURES {
        let family = page.gauge(name, help);
        for pool in pools {
            family.add(&[("pool", pool.pool.as_str())], figure(pool));
        }
    }
}
