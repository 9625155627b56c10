// SPDX-License-Identifier: Apache-2.0
//! ARP for IPv4 over Ethernet (RFC 826).

use std::net::Ipv4Addr;

use super::{Frame, MacAddress, WireError, ethernet, reader::Reader};

const HARDWARE_ETHERNET: u16 = 1;
const PROTOCOL_IPV4: u16 = 0x0800;

/// What an ARP packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Who has the target address?
    Request,
    /// The sender has the sender address.
    Reply,
    /// Anything else, for example reverse ARP.
    Other(u16),
}

impl From<u16> for Operation {
    fn from(number: u16) -> Self {
        match number {
            1 => Self::Request,
            2 => Self::Reply,
            other => Self::Other(other),
        }
    }
}

impl From<Operation> for u16 {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Request => 1,
            Operation::Reply => 2,
            Operation::Other(number) => number,
        }
    }
}

/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |       Hardware type (1)       |    Protocol type (0x0800)     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | HW length (6) | Pr length (4) |           Operation           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                    Sender hardware address                    |
/// +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                               |    Sender protocol address    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Sender protocol address, ctd |                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+    Target hardware address    +
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                    Target protocol address                    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Question or answer.
    pub operation: Operation,
    /// Hardware address of the sender.
    pub sender_mac: MacAddress,
    /// IPv4 address of the sender; unspecified in a probe (RFC 5227).
    pub sender: Ipv4Addr,
    /// Hardware address of the target, unknown in a request.
    pub target_mac: MacAddress,
    /// IPv4 address that is asked for or answered to.
    pub target: Ipv4Addr,
}

impl Packet {
    /// Reads what follows the Ethernet header; padding behind the packet is allowed.
    ///
    /// # Errors
    /// [`WireError::Truncated`], or [`WireError::Protocol`] where it is not IPv4 over Ethernet.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload);
        let kind = (reader.u16()?, reader.u16()?, reader.u8()?, reader.u8()?);
        if kind != (HARDWARE_ETHERNET, PROTOCOL_IPV4, 6, 4) {
            return Err(WireError::Protocol);
        }
        Ok(Self {
            operation: reader.u16()?.into(),
            sender_mac: reader.mac()?,
            sender: reader.array()?.into(),
            target_mac: reader.mac()?,
            target: reader.array()?.into(),
        })
    }

    /// The whole frame, sent from the sender's hardware address to `destination`, padded to the
    /// shortest length of Ethernet.
    #[must_use]
    pub fn emit(&self, destination: MacAddress) -> Frame {
        let header = ethernet::Header {
            destination,
            source: self.sender_mac,
            ethertype: ethernet::ARP,
        };
        let mut frame = header.emit();
        frame
            .put(&HARDWARE_ETHERNET.to_be_bytes())
            .put(&PROTOCOL_IPV4.to_be_bytes())
            .put(&[6, 4])
            .put(&u16::from(self.operation).to_be_bytes())
            .put(&self.sender_mac.0)
            .put(&self.sender.octets())
            .put(&self.target_mac.0)
            .put(&self.target.octets())
            .pad();
        frame
    }

    /// Whether the sender only makes its own address known, asking nothing (RFC 5227 section 3).
    #[must_use]
    pub fn is_announcement(&self) -> bool {
        self.sender == self.target
    }

    /// The answer to this request: `address` is at `mac`.
    #[must_use]
    pub fn reply(&self, mac: MacAddress) -> Self {
        Self {
            operation: Operation::Reply,
            sender_mac: mac,
            sender: self.target,
            target_mac: self.sender_mac,
            target: self.sender,
        }
    }

    /// An unasked claim that `address` is at `mac`, for broadcast.
    #[must_use]
    pub fn gratuitous(operation: Operation, address: Ipv4Addr, mac: MacAddress) -> Self {
        Self {
            operation,
            sender_mac: mac,
            sender: address,
            target_mac: MacAddress::BROADCAST,
            target: address,
        }
    }
}
