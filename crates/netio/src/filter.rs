// SPDX-License-Identifier: Apache-2.0
//! The classic BPF programs that keep everything but ARP and neighbour discovery in the kernel.
//!
//! They only spare work: the parser checks every field again. Both let in what is addressed to this
//! station, to a group or to all, and drop the rest: what was sent by this host, and frames
//! of others seen in promiscuous mode or with a VLAN tag of no interface here.

use socket2::SockFilter;

const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LOAD_HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_GREATER: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where the kernel keeps the packet type (host, broadcast, multicast, other host, outgoing).
const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE) as u32;
/// `PACKET_HOST`, `PACKET_BROADCAST` and `PACKET_MULTICAST` are 0 to 2.
const LAST_FOR_US: u32 = libc::PACKET_MULTICAST as u32;

const ETHERTYPE_AT: u32 = 12;
const IPV6_NEXT_HEADER_AT: u32 = 14 + 6;
const IPV6_HOP_LIMIT_AT: u32 = 14 + 7;
const ICMPV6_TYPE_AT: u32 = 14 + 40;

const ACCEPT: u32 = u32::MAX;
const DROP: u32 = 0;

const fn op(code: u16, if_true: u8, if_false: u8, value: u32) -> SockFilter {
    SockFilter::new(code, if_true, if_false, value)
}

/// ARP, request or reply: a reply can be somebody else's claim to one of our addresses.
pub(crate) const ARP: &[SockFilter] = &[
    op(LOAD_HALF, 0, 0, ETHERTYPE_AT),
    op(IF_EQUAL, 0, 3, libc::ETH_P_ARP as u32),
    op(LOAD_BYTE, 0, 0, PACKET_TYPE),
    op(IF_GREATER, 1, 0, LAST_FOR_US),
    op(RETURN, 0, 0, ACCEPT),
    op(RETURN, 0, 0, DROP),
];

/// Neighbour solicitations and advertisements from this link (hop limit 255).
pub(crate) const NDP: &[SockFilter] = &[
    op(LOAD_HALF, 0, 0, ETHERTYPE_AT),
    op(IF_EQUAL, 0, 10, libc::ETH_P_IPV6 as u32),
    op(LOAD_BYTE, 0, 0, IPV6_NEXT_HEADER_AT),
    op(IF_EQUAL, 0, 8, libc::IPPROTO_ICMPV6 as u32),
    op(LOAD_BYTE, 0, 0, IPV6_HOP_LIMIT_AT),
    op(IF_EQUAL, 0, 6, 255),
    op(LOAD_BYTE, 0, 0, ICMPV6_TYPE_AT),
    op(IF_EQUAL, 1, 0, 135),
    op(IF_EQUAL, 0, 3, 136),
    op(LOAD_BYTE, 0, 0, PACKET_TYPE),
    op(IF_GREATER, 1, 0, LAST_FOR_US),
    op(RETURN, 0, 0, ACCEPT),
    op(RETURN, 0, 0, DROP),
];
