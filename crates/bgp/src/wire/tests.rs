// SPDX-License-Identifier: Apache-2.0
//! Tests of the codec: byte vectors both ways, verdicts on faults, and any bytes at all.

#![allow(clippy::arithmetic_side_effects)]

mod anything;
mod messages;
mod notifications;
mod sent;
mod verdicts;

use bytes::BytesMut;

use super::*;

/// The octets of a hexadecimal text; white space is ignored.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|d| u8::try_from(d).unwrap())
        .collect();
    assert!(digits.len().is_multiple_of(2), "{text}");
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// A whole message of the type, around the body.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(HEADER_LEN + body.len()).unwrap();
    let mut bytes = vec![0xff; 16];
    bytes.extend(length.to_be_bytes());
    bytes.push(kind);
    bytes.extend(body);
    bytes
}

/// Reads the one message that `bytes` are.
fn parse<'a>(bytes: &'a [u8], options: &Options) -> Result<Message<'a>, SessionReset> {
    match frame(bytes, MaxLength::Extended)? {
        Framing::Whole(frame) => {
            assert_eq!(frame.wire_len(), bytes.len());
            Message::parse(frame, options)
        }
        Framing::Incomplete { needed } => panic!("{needed} octets are needed"),
    }
}

/// What `emit` appends.
fn emitted(emit: impl FnOnce(&mut BytesMut)) -> Vec<u8> {
    let mut buf = BytesMut::new();
    emit(&mut buf);
    buf.to_vec()
}
