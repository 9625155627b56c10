// SPDX-License-Identifier: Apache-2.0
//! Neighbour solicitation and advertisement (RFC 4861 sections 4.3, 4.4, 7.1).

use std::net::Ipv6Addr;

use super::{Frame, MacAddress, WireError, ethernet, ipv6, reader::Reader};

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const OPTION_SOURCE_LINK: u8 = 1;
const OPTION_TARGET_LINK: u8 = 2;
const FLAG_ROUTER: u8 = 0x80;
const FLAG_SOLICITED: u8 = 0x40;
const FLAG_OVERRIDE: u8 = 0x20;

/// A neighbour discovery message about `target`.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Type 135 / 136 |    Code (0)   |           Checksum            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |R|S|O| (136)                 Reserved                          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                       Target Address (16)                     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Option 1 / 2  | Length (1)    |   Link-layer address (6)      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Who has the target address?
    Solicitation {
        /// The address asked for.
        target: Ipv6Addr,
        /// Hardware address of who asks; absent in a duplicate address probe.
        source_link: Option<MacAddress>,
    },
    /// The sender has the target address.
    Advertisement {
        /// The address claimed.
        target: Ipv6Addr,
        /// R, S and O.
        flags: Flags,
        /// Where the target is.
        target_link: Option<MacAddress>,
    },
}

/// The flags of an advertisement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// R: the sender is a router.
    pub router: bool,
    /// S: answers a solicitation.
    pub solicited: bool,
    /// O: replaces what the receiver has in its cache.
    pub overrides: bool,
}

/// A message with the addresses that carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The IPv6 addresses.
    pub header: ipv6::Header,
    /// The message.
    pub message: Message,
}

impl Packet {
    /// Reads what follows the Ethernet header. `Ok(None)` is valid ICMPv6 of another type.
    ///
    /// # Errors
    /// A [`WireError`] for what RFC 4861 sections 7.1.1 and 7.1.2 tell to discard.
    pub fn parse(payload: &[u8]) -> Result<Option<Self>, WireError> {
        let (header, bytes) = ipv6::Header::parse(payload)?;
        let mut reader = Reader::new(bytes);
        let (kind, code, _checksum) = (reader.u8()?, reader.u8()?, reader.u16()?);
        let flags = Flags::from_octet(reader.array::<4>()?);
        if !matches!(kind, SOLICITATION | ADVERTISEMENT) {
            return Ok(None);
        }
        let target = Ipv6Addr::from(reader.array()?);
        if code != 0 || target.is_multicast() || header.source.is_multicast() {
            return Err(WireError::Forbidden);
        }
        let message = if kind == SOLICITATION {
            let source_link = link_option(reader, OPTION_SOURCE_LINK)?;
            check_probe(&header, target, source_link)?;
            Message::Solicitation {
                target,
                source_link,
            }
        } else {
            let target_link = link_option(reader, OPTION_TARGET_LINK)?;
            check_advertisement(&header, flags)?;
            Message::Advertisement {
                target,
                flags,
                target_link,
            }
        };
        Ok(Some(Self { header, message }))
    }

    /// The whole frame from `source` to `destination`.
    #[must_use]
    pub fn emit(&self, source: MacAddress, destination: MacAddress) -> Frame {
        let (bytes, length) = self.message.emit(&self.header);
        let ethernet = ethernet::Header {
            destination,
            source,
            ethertype: ethernet::IPV6,
        };
        let mut frame = ethernet.emit();
        self.header.emit(&mut frame, length);
        frame.put(bytes.get(..usize::from(length)).unwrap_or(&bytes));
        frame
    }
}

impl Message {
    /// The message with its checksum, and its length.
    fn emit(&self, header: &ipv6::Header) -> ([u8; 32], u16) {
        let (kind, flags, target, option, link) = match *self {
            Self::Solicitation {
                target,
                source_link,
            } => (SOLICITATION, 0, target, OPTION_SOURCE_LINK, source_link),
            Self::Advertisement {
                target,
                flags,
                target_link,
            } => (
                ADVERTISEMENT,
                flags.octet(),
                target,
                OPTION_TARGET_LINK,
                target_link,
            ),
        };
        let mut bytes = [0; 32];
        let fixed = [kind, 0, 0, 0, flags, 0, 0, 0];
        let link_bytes = link.unwrap_or(MacAddress::ZERO).0;
        let fields = fixed
            .into_iter()
            .chain(target.octets())
            .chain([option, 1])
            .chain(link_bytes);
        let length: u16 = if link.is_some() { 32 } else { 24 };
        for (slot, byte) in bytes.iter_mut().zip(fields).take(length.into()) {
            *slot = byte;
        }
        let message = bytes.get(..usize::from(length)).unwrap_or(&bytes);
        let [high, low] = header.checksum(message).to_be_bytes();
        let [_, _, c0, c1, ..] = &mut bytes;
        (*c0, *c1) = (high, low);
        (bytes, length)
    }
}

impl Flags {
    fn from_octet([octet, ..]: [u8; 4]) -> Self {
        Self {
            router: octet & FLAG_ROUTER != 0,
            solicited: octet & FLAG_SOLICITED != 0,
            overrides: octet & FLAG_OVERRIDE != 0,
        }
    }

    fn octet(self) -> u8 {
        let flag = |set, bit| if set { bit } else { 0 };
        flag(self.router, FLAG_ROUTER)
            | flag(self.solicited, FLAG_SOLICITED)
            | flag(self.overrides, FLAG_OVERRIDE)
    }
}

/// Finds the link-layer address option of the kind; the other options are skipped.
fn link_option(mut options: Reader<'_>, wanted: u8) -> Result<Option<MacAddress>, WireError> {
    let mut found = None;
    while !options.rest().is_empty() {
        let (kind, units) = (options.u8()?, options.u8()?);
        // RFC 4861 4.6: a length of zero makes the whole packet invalid.
        let length = usize::from(units)
            .checked_mul(8)
            .and_then(|all| all.checked_sub(2));
        let body = options.bytes(length.ok_or(WireError::Forbidden)?)?;
        if kind == wanted && found.is_none() {
            // Another length would be the address of another kind of link.
            found = body.try_into().ok().map(MacAddress);
        }
    }
    Ok(found)
}

/// RFC 4861 7.1.1: what a solicitation from the unspecified address must fulfil.
fn check_probe(
    header: &ipv6::Header,
    target: Ipv6Addr,
    source_link: Option<MacAddress>,
) -> Result<(), WireError> {
    let is_probe = header.source.is_unspecified();
    let asks_group = header.destination == ipv6::solicited_node(target);
    if is_probe && (source_link.is_some() || !asks_group) {
        return Err(WireError::Forbidden);
    }
    Ok(())
}

/// RFC 4861 7.1.2: what is sent to everybody answers nobody.
fn check_advertisement(header: &ipv6::Header, flags: Flags) -> Result<(), WireError> {
    if header.destination.is_multicast() && flags.solicited {
        return Err(WireError::Forbidden);
    }
    Ok(())
}
