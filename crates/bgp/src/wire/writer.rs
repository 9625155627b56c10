// SPDX-License-Identifier: Apache-2.0
//! UPDATE as sent: one message filled with as many prefixes as fit.

use bytes::{BufMut, BytesMut};
use ferrolb_types::Family;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{
    AfiSafi, EncodedAttributes, MaxLength, MessageType,
    attribute::{EXTENDED_LENGTH, MP_REACH_NLRI, MP_UNREACH_NLRI, OPTIONAL},
    header::{self, patch_u16},
    nlri::Encoded,
};

/// One UPDATE in the making, at the end of a buffer. Begin with [`announce`](Self::announce) or
/// [`withdraw`](Self::withdraw), push prefixes until one does not fit, and [`finish`](Self::finish); a
/// writer dropped before leaves the buffer as it was.
///
/// IPv4 withdrawals go into the classic field, IPv6 ones into MP_UNREACH_NLRI.
#[derive(Debug)]
pub struct UpdateWriter<'b> {
    buf: &'b mut BytesMut,
    family: Family,
    limit: MaxLength,
    /// Where the message begins.
    start: usize,
    /// Where the length of an MP attribute stands, if the prefixes are in one.
    mp_length: Option<usize>,
    /// Where the prefixes begin.
    prefixes: usize,
    /// The last octet of the buffer a prefix may take.
    end: usize,
    /// Whether the prefixes are withdrawn in the classic field.
    withdraws: bool,
    /// The attributes to follow MP_REACH_NLRI.
    tail: Option<&'b [u8]>,
}

impl<'b> UpdateWriter<'b> {
    /// Begins a message that announces prefixes of the family of `attributes`.
    pub fn announce(
        buf: &'b mut BytesMut,
        attributes: &'b EncodedAttributes,
        limit: MaxLength,
    ) -> Self {
        let start = Self::begin(buf, limit);
        buf.put_u16(0);
        let (mp_length, tail) = match &attributes.reach {
            None => {
                // A list that does not fit the field does not fit the message: no prefix will.
                buf.put_u16(u16::try_from(attributes.bytes.len()).unwrap_or(u16::MAX));
                buf.put_slice(&attributes.bytes);
                (None, None)
            }
            Some(head) => (
                Some(begin_mp(buf, MP_REACH_NLRI, head)),
                Some(&*attributes.bytes),
            ),
        };
        Self::new(buf, attributes.family, limit, start, (mp_length, tail))
    }

    /// Begins a message that withdraws prefixes of `family`.
    pub fn withdraw(buf: &'b mut BytesMut, family: Family, limit: MaxLength) -> Self {
        let start = Self::begin(buf, limit);
        buf.put_u16(0);
        match family {
            Family::IPv4 => {
                // The length of the attributes, zero, follows the prefixes.
                let mut writer = Self::new(buf, family, limit, start, (None, Some(&[0, 0])));
                writer.withdraws = true;
                writer
            }
            Family::IPv6 => {
                let mp_length = begin_mp(buf, MP_UNREACH_NLRI, &family_octets(family.into()));
                Self::new(buf, family, limit, start, (Some(mp_length), Some(&[])))
            }
        }
    }

    /// Adds a prefix. False when it does not fit, or is of the other family: nothing was added.
    #[inline]
    pub fn push(&mut self, prefix: IpNet) -> bool {
        match prefix {
            IpNet::V4(net) => self.push_v4(net),
            IpNet::V6(net) => self.push_v6(net),
        }
    }

    /// [`push`](Self::push) for IPv4.
    #[inline]
    pub fn push_v4(&mut self, net: Ipv4Net) -> bool {
        self.family == Family::IPv4 && self.put::<5>(&net.into())
    }

    /// [`push`](Self::push) for IPv6.
    #[inline]
    pub fn push_v6(&mut self, net: Ipv6Net) -> bool {
        self.family == Family::IPv6 && self.put::<17>(&net.into())
    }

    /// Whether no prefix was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buf.len() == self.prefixes
    }

    /// Completes the message. False when it has no prefix: then the buffer is as it was.
    pub fn finish(mut self) -> bool {
        let done = !self.is_empty() && self.complete();
        if done {
            self.start = self.buf.len();
        }
        done
    }

    fn begin(buf: &mut BytesMut, limit: MaxLength) -> usize {
        buf.reserve(limit.octets());
        header::begin(buf, MessageType::Update)
    }

    fn new(
        buf: &'b mut BytesMut,
        family: Family,
        limit: MaxLength,
        start: usize,
        (mp_length, tail): (Option<usize>, Option<&'b [u8]>),
    ) -> Self {
        let room = limit.octets().saturating_sub(tail.map_or(0, <[u8]>::len));
        let (prefixes, end) = (buf.len(), start.saturating_add(room));
        Self {
            buf,
            family,
            limit,
            start,
            mp_length,
            prefixes,
            end,
            withdraws: false,
            tail,
        }
    }

    #[inline]
    fn put<const N: usize>(&mut self, prefix: &Encoded<N>) -> bool {
        let fits = self.buf.len().saturating_add(prefix.len()) <= self.end;
        if fits {
            prefix.emit(self.buf);
        }
        fits
    }

    /// Appends what follows the prefixes and fills in the lengths.
    fn complete(&mut self) -> bool {
        let withdrawn_at = self.start.saturating_add(header::HEADER_LEN);
        let prefixes = self.buf.len().saturating_sub(self.prefixes);
        if self.withdraws && !patch_u16(self.buf, withdrawn_at, prefixes) {
            return false;
        }
        if let Some(at) = self.mp_length {
            let value = self.buf.len().saturating_sub(at.saturating_add(2));
            if !patch_u16(self.buf, at, value) {
                return false;
            }
        }
        self.buf.put_slice(self.tail.unwrap_or_default());
        self.patch_attributes(withdrawn_at.saturating_add(2))
            && header::finish(self.buf, self.start, self.limit)
    }

    /// Where the prefixes stand in an attribute, the list of attributes is as long as the rest.
    fn patch_attributes(&mut self, at: usize) -> bool {
        let list = self.buf.len().saturating_sub(at.saturating_add(2));
        self.mp_length.is_none() || patch_u16(self.buf, at, list)
    }
}

impl Drop for UpdateWriter<'_> {
    fn drop(&mut self) {
        // After `finish` the message begins where the buffer ends.
        self.buf.truncate(self.start);
    }
}

/// Appends the length of the attributes and an MP attribute up to its prefixes; gives the place of the
/// attribute's length.
fn begin_mp(buf: &mut BytesMut, code: u8, head: &[u8]) -> usize {
    buf.put_u16(0);
    buf.put_slice(&[OPTIONAL | EXTENDED_LENGTH, code]);
    let at = buf.len();
    buf.put_u16(0);
    buf.put_slice(head);
    at
}

fn family_octets(family: AfiSafi) -> [u8; 3] {
    let [high, low] = family.afi.to_be_bytes();
    [high, low, family.safi]
}

/// Appends the End-of-RIB of a family (RFC 4724 section 2): an UPDATE without prefixes.
pub fn emit_end_of_rib(buf: &mut BytesMut, family: Family) {
    header::emit(buf, MessageType::Update, MaxLength::Standard, |buf| {
        buf.put_u16(0);
        match family {
            Family::IPv4 => buf.put_u16(0),
            Family::IPv6 => {
                buf.put_u16(6);
                buf.put_slice(&[OPTIONAL, MP_UNREACH_NLRI, 3]);
                buf.put_slice(&family_octets(family.into()));
            }
        }
    });
}
