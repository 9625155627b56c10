// SPDX-License-Identifier: Apache-2.0
//! NOTIFICATION: the last message of a session, with the reason (RFC 4271 section 4.5), the operator's
//! text (RFC 9003) and the hard reset (RFC 8538).

use std::{borrow::Cow, fmt};

use bytes::{BufMut, BytesMut};

use super::{
    CeaseError, ErrorCode, MaxLength, MessageType,
    cursor::Cursor,
    header::{self, HEADER_LEN, SessionReset},
};

/// The most data a NOTIFICATION of the standard maximum length can carry.
const MOST_DATA: usize = 4096 - HEADER_LEN - 2;
/// The longest shutdown communication, in octets (RFC 9003 section 2).
const LONGEST_TEXT: usize = 255;

/// A NOTIFICATION message.
///
/// ```text
///  0               1               2               3
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +---------------+---------------+-------------------------------+
/// |  Error code   | Error subcode |        Data (variable)        |
/// +---------------+---------------+-------------------------------+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Why.
    pub code: ErrorCode,
    /// What the code says the data are; often empty.
    pub data: Vec<u8>,
}

impl From<ErrorCode> for Notification {
    /// Without data.
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            data: Vec::new(),
        }
    }
}

impl Notification {
    /// With data; what does not fit a message of 4096 octets is cut off.
    #[must_use]
    pub fn with_data(code: ErrorCode, data: &[u8]) -> Self {
        let data = data.get(..MOST_DATA).unwrap_or(data);
        Self {
            code,
            data: data.to_vec(),
        }
    }

    /// A Cease. The text goes along where the subcode has room for one (Administrative Shutdown and
    /// Administrative Reset), cut at a character boundary to 255 octets.
    #[must_use]
    pub fn cease(subcode: CeaseError, text: &str) -> Self {
        let code = ErrorCode::Cease(subcode);
        if text.is_empty() || !carries_text(code) {
            return code.into();
        }
        let text = text
            .get(..text.floor_char_boundary(LONGEST_TEXT))
            .unwrap_or_default();
        let mut data = Vec::with_capacity(text.len().saturating_add(1));
        data.push(u8::try_from(text.len()).unwrap_or(0));
        data.extend_from_slice(text.as_bytes());
        Self { code, data }
    }

    /// This NOTIFICATION as a hard reset, which ends the session without graceful restart (RFC 8538
    /// section 3.1).
    #[must_use]
    pub fn into_hard_reset(self) -> Self {
        let mut data = self.code.octets().to_vec();
        data.extend_from_slice(&self.data);
        data.truncate(MOST_DATA);
        Self {
            code: ErrorCode::Cease(CeaseError::HardReset),
            data,
        }
    }

    /// What a hard reset says besides that it is one; `None` where this is none, or says nothing.
    #[must_use]
    pub fn inner(&self) -> Option<Self> {
        if self.code != ErrorCode::Cease(CeaseError::HardReset) {
            return None;
        }
        Self::read(&self.data)
    }

    /// The operator's text, if any. Octets that are not UTF-8 are replaced.
    #[must_use]
    pub fn communication(&self) -> Option<Cow<'_, str>> {
        if !carries_text(self.code) {
            return None;
        }
        let text = Cursor::new(&self.data).prefixed_u8().ok()?;
        (!text.is_empty()).then(|| String::from_utf8_lossy(text))
    }

    /// Reads the body of a message.
    ///
    /// # Errors
    /// When it has not even a code and a subcode.
    pub(super) fn parse(body: &[u8]) -> Result<Self, SessionReset> {
        Self::read(body).ok_or_else(|| header::bad_length(body.len(), "NOTIFICATION is too short"))
    }

    /// Appends the whole message.
    pub fn emit(&self, buf: &mut BytesMut) {
        let data = self.data.get(..MOST_DATA).unwrap_or(&self.data);
        header::emit(buf, MessageType::Notification, MaxLength::Standard, |buf| {
            buf.put_slice(&self.code.octets());
            buf.put_slice(data);
        });
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (code, subcode) = (cursor.u8().ok()?, cursor.u8().ok()?);
        let code = ErrorCode::from_octets(code, subcode);
        Some(Self {
            code,
            data: cursor.rest().to_vec(),
        })
    }
}

fn carries_text(code: ErrorCode) -> bool {
    use CeaseError::{AdministrativeReset, AdministrativeShutdown};
    matches!(
        code,
        ErrorCode::Cease(AdministrativeShutdown | AdministrativeReset)
    )
}

impl fmt::Display for Notification {
    /// The code in words, then the operator's text, quoted and escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        if let Some(text) = self.communication() {
            write!(f, ": {text:?}")?;
        }
        if let Some(inner) = self.inner() {
            // One level: a peer could nest thousands.
            write!(f, ": {}", inner.code)?;
            if let Some(text) = inner.communication() {
                write!(f, ": {text:?}")?;
            }
        }
        Ok(())
    }
}
