// SPDX-License-Identifier: Apache-2.0
//! The message header: cutting a byte stream into messages, with the checks of RFC 4271 section 6.1 and
//! the lengths of RFC 8654.

use bytes::{BufMut, BytesMut};

use super::{ErrorCode, HeaderError, Notification, cursor::Cursor};

/// Length of the header in octets.
pub const HEADER_LEN: usize = 19;
const MARKER: [u8; 16] = [0xff; 16];

/// The session must be reset: what the peer is told, and what was wrong in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct SessionReset {
    /// What the peer is told.
    pub notification: Notification,
    /// What was wrong, as a clause without a full stop.
    pub cause: &'static str,
}

impl SessionReset {
    /// A reset with the data the code asks for.
    pub(super) fn new(code: ErrorCode, data: &[u8], cause: &'static str) -> Self {
        Self {
            notification: Notification::with_data(code, data),
            cause,
        }
    }
}

/// The five types of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// OPEN (1).
    Open,
    /// UPDATE (2).
    Update,
    /// NOTIFICATION (3).
    Notification,
    /// KEEPALIVE (4).
    KeepAlive,
    /// ROUTE-REFRESH (5, RFC 2918).
    RouteRefresh,
}

impl MessageType {
    fn from_octet(octet: u8) -> Option<Self> {
        Some(match octet {
            1 => Self::Open,
            2 => Self::Update,
            3 => Self::Notification,
            4 => Self::KeepAlive,
            5 => Self::RouteRefresh,
            _ => return None,
        })
    }

    fn octet(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Update => 2,
            Self::Notification => 3,
            Self::KeepAlive => 4,
            Self::RouteRefresh => 5,
        }
    }

    /// The shortest whole message of this type, in octets.
    fn min_len(self) -> usize {
        match self {
            Self::Open => 29,
            Self::Update | Self::RouteRefresh => 23,
            Self::Notification => 21,
            Self::KeepAlive => HEADER_LEN,
        }
    }

    /// The longest whole message of this type, in octets.
    fn max_len(self, limit: MaxLength) -> usize {
        match self {
            Self::KeepAlive => HEADER_LEN,
            // RFC 8654 section 3: OPEN stays within 4096 octets.
            Self::Open => MaxLength::Standard.octets(),
            Self::Update | Self::Notification | Self::RouteRefresh => limit.octets(),
        }
    }
}

/// The maximum length of messages of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxLength {
    /// 4096 octets (RFC 4271).
    #[default]
    Standard,
    /// 65535 octets: the receiver offered extended messages (RFC 8654).
    Extended,
}

impl MaxLength {
    /// In octets, header included.
    #[must_use]
    pub fn octets(self) -> usize {
        match self {
            Self::Standard => 4096,
            Self::Extended => 65535,
        }
    }
}

/// One message, header checked.
///
/// ```text
///  0               1               2               3
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +---------------------------------------------------------------+
/// |                                                               |
/// +                                                               +
/// |                    Marker (16 octets of ones)                 |
/// +                                                               +
/// |                                                               |
/// +-------------------------------+---------------+---------------+
/// |            Length             |     Type      |  Body ...
/// +-------------------------------+---------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Which message.
    pub kind: MessageType,
    /// What follows the header.
    pub body: &'a [u8],
}

impl Frame<'_> {
    /// How many octets of the buffer the message took, header included.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        self.body.len().saturating_add(HEADER_LEN)
    }
}

/// What stands at the start of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing<'a> {
    /// A whole message.
    Whole(Frame<'a>),
    /// A part of one; it is not whole before the buffer holds this many octets.
    Incomplete {
        /// Octets from the start of the buffer.
        needed: usize,
    },
}

/// Finds the message at the start of `buf`. The header is judged as soon as it is there.
///
/// # Errors
/// When the header is wrong: nothing that follows can be read (RFC 4271 section 6.1).
pub fn frame(buf: &[u8], limit: MaxLength) -> Result<Framing<'_>, SessionReset> {
    let mut cursor = Cursor::new(buf);
    let Ok((marker, length, kind)) = read_header(&mut cursor) else {
        return Ok(Framing::Incomplete { needed: HEADER_LEN });
    };
    if marker != MARKER {
        let code = ErrorCode::Header(HeaderError::ConnectionNotSynchronized);
        return Err(SessionReset::new(
            code,
            &[],
            "the marker of a message is not all ones",
        ));
    }
    let kind = check_type(length, kind, limit)?;
    let whole = usize::from(length);
    match cursor.take(whole.saturating_sub(HEADER_LEN)) {
        Ok(body) => Ok(Framing::Whole(Frame { kind, body })),
        Err(_) => Ok(Framing::Incomplete { needed: whole }),
    }
}

fn read_header(cursor: &mut Cursor<'_>) -> Result<([u8; 16], u16, u8), super::cursor::Short> {
    Ok((cursor.array()?, cursor.u16()?, cursor.u8()?))
}

fn check_type(length: u16, kind: u8, limit: MaxLength) -> Result<MessageType, SessionReset> {
    let whole = usize::from(length);
    if !(HEADER_LEN..=limit.octets()).contains(&whole) {
        return Err(length_error(
            length,
            "the length of a message is out of range",
        ));
    }
    let Some(kind) = MessageType::from_octet(kind) else {
        let code = ErrorCode::Header(HeaderError::BadMessageType);
        return Err(SessionReset::new(
            code,
            &[kind],
            "the type of a message is unknown",
        ));
    };
    if !(kind.min_len()..=kind.max_len(limit)).contains(&whole) {
        return Err(length_error(
            length,
            "the length of a message does not suit its type",
        ));
    }
    Ok(kind)
}

fn length_error(length: u16, cause: &'static str) -> SessionReset {
    let code = ErrorCode::Header(HeaderError::BadMessageLength);
    SessionReset::new(code, &length.to_be_bytes(), cause)
}

/// Bad Message Length for a body of this many octets.
pub(super) fn bad_length(body: usize, cause: &'static str) -> SessionReset {
    let whole = u16::try_from(body.saturating_add(HEADER_LEN)).unwrap_or(u16::MAX);
    length_error(whole, cause)
}

/// Appends a message whose body `body` writes. One that came out longer than `limit` is taken back.
pub(super) fn emit(
    buf: &mut BytesMut,
    kind: MessageType,
    limit: MaxLength,
    body: impl FnOnce(&mut BytesMut),
) {
    let start = begin(buf, kind);
    body(buf);
    if !finish(buf, start, limit) {
        buf.truncate(start);
    }
}

/// Appends a header without length and gives the place where it begins.
pub(super) fn begin(buf: &mut BytesMut, kind: MessageType) -> usize {
    let start = buf.len();
    buf.put_slice(&MARKER);
    buf.put_u16(0);
    buf.put_u8(kind.octet());
    start
}

/// Fills in the length of the message that begins at `start`; false when it exceeds `limit`.
pub(super) fn finish(buf: &mut BytesMut, start: usize, limit: MaxLength) -> bool {
    let whole = buf.len().saturating_sub(start);
    whole <= limit.octets() && patch_u16(buf, start.saturating_add(MARKER.len()), whole)
}

/// Overwrites two octets; false when the value or the place is out of range.
pub(super) fn patch_u16(buf: &mut BytesMut, at: usize, value: usize) -> bool {
    let Ok(value) = u16::try_from(value) else {
        return false;
    };
    match buf
        .get_mut(at..)
        .and_then(|tail| tail.first_chunk_mut::<2>())
    {
        Some(place) => {
            *place = value.to_be_bytes();
            true
        }
        None => false,
    }
}
