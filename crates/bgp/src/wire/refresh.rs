// SPDX-License-Identifier: Apache-2.0
//! ROUTE-REFRESH (RFC 2918) and its subtypes (RFC 7313).

use bytes::{BufMut, BytesMut};

use super::{
    AfiSafi, ErrorCode, MaxLength, MessageType, RefreshError,
    cursor::{Cursor, Short},
    header::{self, SessionReset},
};

/// What a ROUTE-REFRESH message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefreshSubtype {
    /// Send the routes of the family again (0).
    Request,
    /// Begin of Route Refresh: the routes sent again begin (1).
    Begin,
    /// End of Route Refresh: they are complete (2).
    End,
    /// To be ignored (RFC 7313 section 5).
    Unknown(u8),
}

impl From<u8> for RefreshSubtype {
    fn from(octet: u8) -> Self {
        match octet {
            0 => Self::Request,
            1 => Self::Begin,
            2 => Self::End,
            other => Self::Unknown(other),
        }
    }
}

impl From<RefreshSubtype> for u8 {
    fn from(subtype: RefreshSubtype) -> Self {
        match subtype {
            RefreshSubtype::Request => 0,
            RefreshSubtype::Begin => 1,
            RefreshSubtype::End => 2,
            RefreshSubtype::Unknown(other) => other,
        }
    }
}

/// A ROUTE-REFRESH message.
///
/// ```text
///  0               1               2               3
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +-------------------------------+---------------+---------------+
/// |              AFI              |    Subtype    |     SAFI      |
/// +-------------------------------+---------------+---------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRefresh {
    /// Which routes.
    pub family: AfiSafi,
    /// What about them.
    pub subtype: RefreshSubtype,
}

impl RouteRefresh {
    /// Reads the body of a message. Filters after a request (RFC 5291, never offered) are ignored.
    ///
    /// # Errors
    /// When the length is wrong (RFC 7313 section 5).
    pub(super) fn parse(body: &[u8]) -> Result<Self, SessionReset> {
        const CAUSE: &str = "the length of a ROUTE-REFRESH is wrong";
        let refresh = Self::read(body).map_err(|Short| header::bad_length(body.len(), CAUSE))?;
        let delimits = matches!(refresh.subtype, RefreshSubtype::Begin | RefreshSubtype::End);
        if delimits && body.len() != 4 {
            let code = ErrorCode::RouteRefresh(RefreshError::InvalidMessageLength);
            return Err(SessionReset::new(code, &whole(body), CAUSE));
        }
        Ok(refresh)
    }

    /// Appends the whole message.
    pub fn emit(&self, buf: &mut BytesMut) {
        header::emit(buf, MessageType::RouteRefresh, MaxLength::Standard, |buf| {
            buf.put_u16(self.family.afi);
            buf.put_u8(self.subtype.into());
            buf.put_u8(self.family.safi);
        });
    }

    fn read(body: &[u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(body);
        let (afi, subtype, safi) = (cursor.u16()?, cursor.u8()?, cursor.u8()?);
        Ok(Self {
            family: AfiSafi { afi, safi },
            subtype: subtype.into(),
        })
    }
}

/// The complete message, which is the data of the error.
fn whole(body: &[u8]) -> BytesMut {
    let mut message = BytesMut::new();
    header::emit(
        &mut message,
        MessageType::RouteRefresh,
        MaxLength::Extended,
        |buf| {
            buf.put_slice(body);
        },
    );
    message
}
