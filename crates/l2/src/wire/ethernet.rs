// SPDX-License-Identifier: Apache-2.0
//! The Ethernet II header (RFC 894).

use super::{Frame, MacAddress, WireError, reader::Reader};

/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;

/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                          Destination                          |
/// +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               |                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+            Source             +
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |           EtherType           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who shall take the frame.
    pub destination: MacAddress,
    /// Who sent it.
    pub source: MacAddress,
    /// What it carries.
    pub ethertype: u16,
}

impl Header {
    /// Splits a frame into its header and what follows.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), WireError> {
        let mut reader = Reader::new(bytes);
        let header = Self {
            destination: reader.mac()?,
            source: reader.mac()?,
            ethertype: reader.u16()?,
        };
        Ok((header, reader.rest()))
    }

    /// Begins a frame.
    pub(super) fn emit(&self) -> Frame {
        let mut frame = Frame::new();
        frame
            .put(&self.destination.0)
            .put(&self.source.0)
            .put(&self.ethertype.to_be_bytes());
        frame
    }
}
