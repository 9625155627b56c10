// SPDX-License-Identifier: Apache-2.0
//! AS_PATH (RFC 4271 section 4.3, RFC 6793): checked once, read as it is walked.

use bytes::{BufMut, BytesMut};
use ferrolb_types::Asn;

use super::cursor::{Cursor, Short};

/// The width of AS numbers on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsWidth {
    /// Two octets; a larger number shows as 23456.
    Two,
    /// Four octets: both sides offered the capability (RFC 6793).
    Four,
}

impl AsWidth {
    fn octets(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    fn take(self, cursor: &mut Cursor<'_>) -> Result<Asn, Short> {
        match self {
            Self::Two => cursor.u16().map(|asn| Asn(asn.into())),
            Self::Four => cursor.u32().map(Asn),
        }
    }

    fn put(self, buf: &mut BytesMut, asn: Asn) {
        match self {
            Self::Two => buf.put_u16(asn.two_octets()),
            Self::Four => buf.put_u32(asn.0),
        }
    }
}

/// What a segment of an AS_PATH is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// AS_SET (1): in no order.
    Set,
    /// AS_SEQUENCE (2): in the order passed, the latest first.
    Sequence,
}

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// What it is.
    pub kind: SegmentKind,
    width: AsWidth,
    bytes: &'a [u8],
}

impl Segment<'_> {
    /// Its AS numbers; at least one.
    pub fn asns(&self) -> impl Iterator<Item = Asn> + use<'_> {
        let mut cursor = Cursor::new(self.bytes);
        std::iter::from_fn(move || self.width.take(&mut cursor).ok())
    }
}

/// A checked AS_PATH.
///
/// ```text
///  0               1               2
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +---------------+---------------+----------------
/// | Segment type  |  Count of AS  |  AS numbers ...      (repeated)
/// +---------------+---------------+----------------
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsPath<'a> {
    width: AsWidth,
    bytes: &'a [u8],
}

impl<'a> AsPath<'a> {
    /// Checks a path from a peer that is in no confederation with us.
    ///
    /// # Errors
    /// What is wrong with it (RFC 7606 section 7.2, RFC 5065 section 5, RFC 7607).
    pub(super) fn parse(width: AsWidth, bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            let segment = take_segment(width, &mut cursor)?;
            if segment.asns().any(|asn| asn == Asn(0)) {
                return Err("AS_PATH holds AS 0");
            }
        }
        Ok(Self { width, bytes })
    }

    /// Whether the path has no segment: the route begins in our own AS.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The segments, the latest first.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + use<'a> {
        let (width, mut cursor) = (self.width, Cursor::new(self.bytes));
        std::iter::from_fn(move || take_segment(width, &mut cursor).ok())
    }

    /// The AS that sent the route, where the path begins with a sequence.
    #[must_use]
    pub fn first(&self) -> Option<Asn> {
        let segment = self.segments().next()?;
        (segment.kind == SegmentKind::Sequence).then(|| segment.asns().next())?
    }
}

fn take_segment<'a>(width: AsWidth, cursor: &mut Cursor<'a>) -> Result<Segment<'a>, &'static str> {
    const OVERRUN: &str = "a segment overruns AS_PATH";
    let kind = match cursor.u8() {
        Ok(1) => SegmentKind::Set,
        Ok(2) => SegmentKind::Sequence,
        Ok(3 | 4) => return Err("AS_PATH holds a confederation segment"),
        Ok(_) => return Err("AS_PATH holds a segment of unknown type"),
        Err(Short) => return Err(OVERRUN),
    };
    let count = cursor.u8().map_err(|Short| OVERRUN)?;
    if count == 0 {
        return Err("AS_PATH holds an empty segment");
    }
    let octets = usize::from(count).saturating_mul(width.octets());
    let bytes = cursor.take(octets).map_err(|Short| OVERRUN)?;
    Ok(Segment { kind, width, bytes })
}

/// Appends a path of one sequence, in segments of 255 AS numbers at most.
pub(super) fn emit_sequence(buf: &mut BytesMut, width: AsWidth, path: &[Asn]) {
    for segment in path.chunks(255) {
        buf.put_u8(2);
        buf.put_u8(u8::try_from(segment.len()).unwrap_or(u8::MAX));
        segment.iter().for_each(|asn| width.put(buf, *asn));
    }
}
