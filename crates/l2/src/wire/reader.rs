// SPDX-License-Identifier: Apache-2.0
//! A cursor over received bytes that never runs past their end.

use super::{MacAddress, WireError};

/// Reads fields in the order in which they lie on the wire.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes not read yet.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (field, rest) = self.0.split_first_chunk().ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(*field)
    }

    /// The next `length` bytes.
    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (field, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(field)
    }

    /// The next byte.
    pub(super) fn u8(&mut self) -> Result<u8, WireError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// The next two bytes, in network order.
    pub(super) fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next hardware address.
    pub(super) fn mac(&mut self) -> Result<MacAddress, WireError> {
        self.array().map(MacAddress)
    }
}
