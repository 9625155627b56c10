// SPDX-License-Identifier: Apache-2.0
//! Any octets as a stream of messages.
#![no_main]

use ferrolb_bgp::wire::{Framing, MaxLength, Message, Options, frame};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok(Framing::Whole(frame)) = frame(rest, MaxLength::Extended) {
        let _ = Message::parse(frame, &Options::default());
        rest = &rest[frame.wire_len()..];
    }
});
