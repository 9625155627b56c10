// SPDX-License-Identifier: Apache-2.0
//! Prefixes as UPDATE carries them (RFC 4271 section 4.3): a length in bits, then as many octets as it takes.

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::{BufMut, BytesMut};
use ferrolb_types::Family;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::cursor::{Cursor, Short};

/// A checked list of prefixes of one family, read one by one as it is walked. Bits behind the length of
/// a prefix are cleared.
///
/// ```text
///  0               1               2
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +---------------+--------------------------------
/// | Length (bits) |  Prefix, ceil(Length / 8) octets
/// +---------------+--------------------------------
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes<'a> {
    family: Family,
    bytes: &'a [u8],
}

impl<'a> Prefixes<'a> {
    /// Checks the list.
    ///
    /// # Errors
    /// When a length is out of range, or a prefix overruns the bytes.
    pub(super) fn parse(family: Family, bytes: &'a [u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            take(family, &mut cursor)?;
        }
        Ok(Self { family, bytes })
    }

    /// Of which family they are.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Iterator for Prefixes<'_> {
    type Item = IpNet;

    fn next(&mut self) -> Option<IpNet> {
        let mut cursor = Cursor::new(self.bytes);
        let (length, octets) = take(self.family, &mut cursor).ok()?;
        self.bytes = cursor.rest();
        match self.family {
            Family::IPv4 => {
                let address = Ipv4Addr::from(padded::<4>(octets));
                Some(IpNet::V4(Ipv4Net::new(address, length).ok()?.trunc()))
            }
            Family::IPv6 => {
                let address = Ipv6Addr::from(padded::<16>(octets));
                Some(IpNet::V6(Ipv6Net::new(address, length).ok()?.trunc()))
            }
        }
    }
}

fn take<'a>(family: Family, cursor: &mut Cursor<'a>) -> Result<(u8, &'a [u8]), Short> {
    let length = cursor.u8()?;
    if length > family.bits() {
        return Err(Short);
    }
    let octets = cursor.take(length.div_ceil(8).into())?;
    Ok((length, octets))
}

fn padded<const N: usize>(octets: &[u8]) -> [u8; N] {
    let mut address = [0; N];
    if let Some(head) = address.get_mut(..octets.len()) {
        head.copy_from_slice(octets);
    }
    address
}

/// A prefix ready to be written: the length, then the octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoded<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Encoded<N> {
    /// The octets it takes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Appends it.
    #[inline]
    pub(super) fn emit(&self, buf: &mut BytesMut) {
        buf.put_slice(self.bytes.get(..self.len).unwrap_or_default());
    }
}

impl From<Ipv4Net> for Encoded<5> {
    #[inline]
    fn from(net: Ipv4Net) -> Self {
        let length = net.prefix_len();
        let [a, b, c, d] = net.network().octets();
        let len = usize::from(length.div_ceil(8)).saturating_add(1);
        Self {
            bytes: [length, a, b, c, d],
            len,
        }
    }
}

impl From<Ipv6Net> for Encoded<17> {
    #[inline]
    fn from(net: Ipv6Net) -> Self {
        let length = net.prefix_len();
        let mut bytes = [0; 17];
        let [first, rest @ ..] = &mut bytes;
        *first = length;
        *rest = net.network().octets();
        let len = usize::from(length.div_ceil(8)).saturating_add(1);
        Self { bytes, len }
    }
}
