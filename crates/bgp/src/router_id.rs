// SPDX-License-Identifier: Apache-2.0
//! The BGP Identifier where none is configured.

use std::net::{IpAddr, Ipv4Addr};

use ferrolb_types::RouterId;

use crate::{Ends, PeerConfig};

/// An identifier made of the node's name: its CRC-32 with the lowest octet first, as MetalLB derives it.
#[must_use]
pub fn router_id_of_node(name: &str) -> RouterId {
    match crc32(name.as_bytes()).to_le_bytes() {
        // An identifier of zero is not allowed (RFC 6286 section 2.1).
        [0, 0, 0, 0] => RouterId(Ipv4Addr::new(0, 0, 0, 1)),
        octets => RouterId(Ipv4Addr::from(octets)),
    }
}

/// The identifier for a connection: the configured one; else our IPv4 address of the connection; else
/// the IPv4 address of its interface; else `fallback`.
pub(crate) fn choose(config: &PeerConfig, ends: &Ends, fallback: RouterId) -> RouterId {
    let of_connection = match ends.local.ip() {
        IpAddr::V4(local) => Some(local),
        IpAddr::V6(_) => ends.next_hops.v4,
    };
    let derived = of_connection
        .filter(|address| !address.is_unspecified())
        .map(RouterId);
    config.router_id.or(derived).unwrap_or(fallback)
}

/// CRC-32 of IEEE 802.3, bit by bit: it runs once per start.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_standard_check_string() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn octets_lowest_first() {
        assert_eq!(
            router_id_of_node("123456789").0,
            Ipv4Addr::new(0x26, 0x39, 0xf4, 0xcb)
        );
    }
}
