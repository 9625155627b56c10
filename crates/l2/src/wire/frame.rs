// SPDX-License-Identifier: Apache-2.0
//! A frame to send, in a buffer of fixed size: answering costs no allocation.

use std::fmt;

/// Ethernet (14) + IPv6 (40) + neighbour advertisement with one option (32).
const CAPACITY: usize = 86;

/// The shortest Ethernet frame, without its check sequence.
const MINIMUM: usize = 60;

/// A complete Ethernet frame, without its check sequence.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Frame {
    /// An empty frame.
    pub(super) fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            length: 0,
        }
    }

    /// Appends a field. No format of this module is longer than the buffer.
    pub(super) fn put(&mut self, field: &[u8]) -> &mut Self {
        let end = self.length.saturating_add(field.len());
        debug_assert!(end <= CAPACITY, "a format outgrew the frame buffer");
        if let Some(slot) = self.bytes.get_mut(self.length..end) {
            slot.copy_from_slice(field);
            self.length = end;
        }
        self
    }

    /// Pads with zeroes up to the shortest frame that Ethernet carries.
    pub(super) fn pad(&mut self) {
        self.length = self.length.max(MINIMUM);
    }

    /// The bytes to hand to the interface.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:02x?})", self.as_bytes())
    }
}
