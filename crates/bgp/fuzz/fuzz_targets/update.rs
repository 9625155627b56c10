// SPDX-License-Identifier: Apache-2.0
//! Any octets as the body of an UPDATE, with everything in it walked.
#![no_main]

use ferrolb_bgp::wire::{AsWidth, Frame, Message, MessageType, Options, PeerKind};

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let frame = Frame { kind: MessageType::Update, body };
    let options =
        Options { as_width: AsWidth::Four, peer: PeerKind::Internal, ipv4_over_ipv6: true };
    if let Ok(Message::Update(update)) = Message::parse(frame, &options) {
        assert!(update.announced().count() + update.withdrawn().count() <= body.len());
    }
});
