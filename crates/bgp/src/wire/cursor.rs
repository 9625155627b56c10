// SPDX-License-Identifier: Apache-2.0
//! Reading of received bytes: every read either succeeds or says that the bytes have run out.
//!
//! The codec reads peers' bytes through this type alone.

/// The bytes ended before the value did. What that means is decided by the caller, who knows what the
/// value was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short;

/// The bytes not yet read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// Reads from the start of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all is read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left, without reading it.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Short> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(Short)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(Short)?;
        self.0 = tail;
        Ok(*head)
    }

    /// One octet.
    pub(super) fn u8(&mut self) -> Result<u8, Short> {
        self.array().map(|[octet]| octet)
    }

    /// Two octets in network order.
    pub(super) fn u16(&mut self) -> Result<u16, Short> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four octets in network order.
    pub(super) fn u32(&mut self) -> Result<u32, Short> {
        self.array().map(u32::from_be_bytes)
    }

    /// The bytes a one-octet length announces.
    pub(super) fn prefixed_u8(&mut self) -> Result<&'a [u8], Short> {
        let length = self.u8()?;
        self.take(length.into())
    }

    /// The bytes a two-octet length announces.
    pub(super) fn prefixed_u16(&mut self) -> Result<&'a [u8], Short> {
        let length = self.u16()?;
        self.take(length.into())
    }
}
