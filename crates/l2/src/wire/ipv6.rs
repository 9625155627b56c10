// SPDX-License-Identifier: Apache-2.0
//! The IPv6 header (RFC 8200 section 3) around neighbour discovery, and the ICMPv6 checksum.

use std::net::Ipv6Addr;

use super::{Frame, WireError, reader::Reader};

const NEXT_HEADER_ICMPV6: u8 = 58;

/// The hop limit that proves a packet came from the same link (RFC 4861 section 7.1).
const ON_LINK_HOP_LIMIT: u8 = 255;

/// All nodes on the link, `ff02::1`.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// The group in which an address is asked for (RFC 4291 section 2.7.1).
#[must_use]
pub fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Version| Traffic Class |              Flow Label               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |         Payload Length        |  Next Header  |   Hop Limit   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                        Source Address (16)                    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      Destination Address (16)                 |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// Version 6, next header ICMPv6 and hop limit 255 are checked on the way in and written on the
/// way out; they are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who sent it.
    pub source: Ipv6Addr,
    /// Whom it is for.
    pub destination: Ipv6Addr,
}

impl Header {
    /// Splits off the header; gives back the ICMPv6 message without Ethernet padding.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::Protocol`] where it is no plain ICMPv6,
    /// [`WireError::HopLimit`], or [`WireError::Checksum`] over the message.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), WireError> {
        let mut reader = Reader::new(payload);
        let [version, ..] = reader.array::<4>()?;
        let length = reader.u16()?;
        let (next_header, hop_limit) = (reader.u8()?, reader.u8()?);
        if version >> 4 != 6 || next_header != NEXT_HEADER_ICMPV6 {
            return Err(WireError::Protocol);
        }
        if hop_limit != ON_LINK_HOP_LIMIT {
            return Err(WireError::HopLimit);
        }
        let header = Self {
            source: reader.array()?.into(),
            destination: reader.array()?.into(),
        };
        let message = reader.bytes(length.into())?;
        if header.checksum(message) != 0 {
            return Err(WireError::Checksum);
        }
        Ok((header, message))
    }

    /// Appends the header for a message of `length` bytes.
    pub(super) fn emit(&self, frame: &mut Frame, length: u16) {
        frame
            .put(&[0x60, 0, 0, 0])
            .put(&length.to_be_bytes())
            .put(&[NEXT_HEADER_ICMPV6, ON_LINK_HOP_LIMIT])
            .put(&self.source.octets())
            .put(&self.destination.octets());
    }

    /// The ICMPv6 checksum (RFC 4443 section 2.3) of a message whose checksum field is zero; over a
    /// received message, zero means that it is right.
    #[must_use]
    pub fn checksum(&self, message: &[u8]) -> u16 {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let sum = sum(&self.source.octets())
            .wrapping_add(sum(&self.destination.octets()))
            .wrapping_add(sum(&length.to_be_bytes()))
            .wrapping_add(NEXT_HEADER_ICMPV6.into())
            .wrapping_add(sum(message));
        !fold(sum)
    }
}

/// The 16-bit words added up; an odd last byte counts as the upper half of a word. A message is
/// shorter than 64 KiB, so 64 bits cannot overflow.
fn sum(bytes: &[u8]) -> u64 {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let last = odd.first().map_or(0, |byte| u64::from(*byte) << 8);
    pairs.iter().fold(last, |sum, pair| {
        sum.wrapping_add(u16::from_be_bytes(*pair).into())
    })
}

/// Adds the carries back in, to 16 bits.
fn fold(mut sum: u64) -> u16 {
    loop {
        match u16::try_from(sum) {
            Ok(folded) => return folded,
            Err(_) => sum = (sum & 0xffff).wrapping_add(sum >> 16),
        }
    }
}
