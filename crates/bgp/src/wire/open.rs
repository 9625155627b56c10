// SPDX-License-Identifier: Apache-2.0
//! OPEN: who the sender is and what it can do (RFC 4271 sections 4.2 and 6.2, RFC 5492, RFC 9072).

use std::net::Ipv4Addr;

use bytes::{BufMut, BytesMut};
use ferrolb_types::{Asn, RouterId};

use super::{
    Capability, ErrorCode, MaxLength, MessageType, OpenError,
    cursor::{Cursor, Short},
    header::{self, HEADER_LEN, SessionReset},
};

const VERSION: u8 = 4;
const CAPABILITIES: u8 = 2;
/// Stands for the optional parameter type where lengths have two octets (RFC 9072 section 2).
const EXTENDED: u8 = 255;
/// What an OPEN may hold of capabilities: the fixed part and the longest parameter head taken off.
const MOST_CAPABILITIES: usize = 4096 - HEADER_LEN - 10 - 3 - 3;

/// An OPEN message.
///
/// ```text
///  0               1               2               3
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +---------------+-------------------------------+---------------+
/// |    Version    |     My Autonomous System      |   Hold Time ...
/// +---------------+-------------------------------+---------------+
///   ... Hold Time |                BGP Identifier                 ...
/// +---------------+---------------+-------------------------------+
///   ... BGP Id.   | Opt Parm Len  |  Optional Parameters ...
/// +---------------+---------------+--------------------------------
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The two-octet AS field; see [`Open::asn`].
    pub my_as: u16,
    /// Proposed hold time in seconds: zero, or three and more.
    pub hold_time: u16,
    /// BGP Identifier, never zero.
    pub router_id: RouterId,
    /// All capabilities of all parameters, in order.
    pub capabilities: Vec<Capability>,
}

impl Open {
    /// The OPEN of a speaker in `asn`. Whether the four-octet AS capability is offered is up to
    /// `capabilities`.
    #[must_use]
    pub fn new(
        asn: Asn,
        hold_time: u16,
        router_id: RouterId,
        capabilities: Vec<Capability>,
    ) -> Self {
        Self {
            my_as: asn.two_octets(),
            hold_time,
            router_id,
            capabilities,
        }
    }

    /// The sender's AS: that of the four-octet capability if there is one, else that of the field.
    #[must_use]
    pub fn asn(&self) -> Asn {
        self.four_octet_as().unwrap_or(Asn(self.my_as.into()))
    }

    /// The AS of the four-octet AS capability, if offered.
    #[must_use]
    pub fn four_octet_as(&self) -> Option<Asn> {
        self.capabilities
            .iter()
            .find_map(|capability| match capability {
                Capability::FourOctetAs(asn) => Some(*asn),
                _ => None,
            })
    }

    /// Reads the body of a message.
    ///
    /// # Errors
    /// As in RFC 4271 section 6.2. Whether the AS is the right one and the identifier is not our own is
    /// for the session to say.
    pub(super) fn parse(body: &[u8]) -> Result<Self, SessionReset> {
        let mut cursor = Cursor::new(body);
        let (version, mut open) = Self::parse_fixed(&mut cursor).map_err(|Short| malformed())?;
        if version != VERSION {
            let code = ErrorCode::Open(OpenError::UnsupportedVersionNumber);
            let data = u16::from(VERSION).to_be_bytes();
            return Err(SessionReset::new(code, &data, "the BGP version is not 4"));
        }
        open.capabilities = parse_parameters(&mut cursor)?;
        open.check()?;
        Ok(open)
    }

    /// Appends the whole message: all capabilities in one parameter. One list that exceeds the 4096
    /// octets of an OPEN is cut after the last capability that fits.
    pub fn emit(&self, buf: &mut BytesMut) {
        let mut capabilities = BytesMut::new();
        for capability in &self.capabilities {
            let whole = capabilities.len();
            capability.emit(&mut capabilities);
            if capabilities.len() > MOST_CAPABILITIES {
                capabilities.truncate(whole);
                break;
            }
        }
        header::emit(buf, MessageType::Open, MaxLength::Standard, |buf| {
            buf.put_u8(VERSION);
            buf.put_u16(self.my_as);
            buf.put_u16(self.hold_time);
            buf.put_slice(&self.router_id.0.octets());
            emit_parameters(buf, &capabilities);
        });
    }

    fn parse_fixed(cursor: &mut Cursor<'_>) -> Result<(u8, Self), Short> {
        let version = cursor.u8()?;
        let open = Self {
            my_as: cursor.u16()?,
            hold_time: cursor.u16()?,
            router_id: RouterId(Ipv4Addr::from(cursor.array::<4>()?)),
            capabilities: Vec::new(),
        };
        Ok((version, open))
    }

    fn check(&self) -> Result<(), SessionReset> {
        let fault = |code, cause| Err(SessionReset::new(ErrorCode::Open(code), &[], cause));
        // RFC 7607: AS 0 in either place.
        if self.my_as == 0 || self.asn() == Asn(0) {
            return fault(OpenError::BadPeerAs, "the AS number is 0");
        }
        if matches!(self.hold_time, 1 | 2) {
            return fault(
                OpenError::UnacceptableHoldTime,
                "the hold time is below 3 seconds",
            );
        }
        if self.router_id.0.is_unspecified() {
            return fault(OpenError::BadBgpIdentifier, "the BGP Identifier is 0.0.0.0");
        }
        Ok(())
    }
}

fn malformed() -> SessionReset {
    let code = ErrorCode::Open(OpenError::Unspecific);
    SessionReset::new(
        code,
        &[],
        "an optional parameter or a capability of the OPEN is malformed",
    )
}

/// The width of the lengths of optional parameters.
#[derive(Clone, Copy)]
enum Lengths {
    One,
    Two,
}

impl Lengths {
    fn take<'a>(self, cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
        match self {
            Self::One => cursor.prefixed_u8(),
            Self::Two => cursor.prefixed_u16(),
        }
    }
}

fn parse_parameters(cursor: &mut Cursor<'_>) -> Result<Vec<Capability>, SessionReset> {
    let (lengths, parameters) = find_parameters(cursor).map_err(|Short| malformed())?;
    let mut parameters = Cursor::new(parameters);
    let mut capabilities = Vec::new();
    while !parameters.is_empty() {
        let kind = parameters.u8().map_err(|Short| malformed())?;
        let value = lengths.take(&mut parameters).map_err(|Short| malformed())?;
        if kind != CAPABILITIES {
            let code = ErrorCode::Open(OpenError::UnsupportedOptionalParameter);
            return Err(SessionReset::new(
                code,
                &[],
                "an optional parameter is no capability",
            ));
        }
        let mut value = Cursor::new(value);
        while !value.is_empty() {
            capabilities.push(Capability::parse(&mut value).map_err(|Short| malformed())?);
        }
    }
    Ok(capabilities)
}

/// The bytes of all parameters, which must be the rest of the message.
fn find_parameters<'a>(cursor: &mut Cursor<'a>) -> Result<(Lengths, &'a [u8]), Short> {
    let length = cursor.u8()?;
    // RFC 9072 section 2: the type decides; the length is 255, but only zero means something else.
    let (lengths, parameters) = if length != 0 && cursor.rest().first() == Some(&EXTENDED) {
        cursor.u8()?;
        (Lengths::Two, cursor.prefixed_u16()?)
    } else {
        (Lengths::One, cursor.take(length.into())?)
    };
    if cursor.is_empty() {
        Ok((lengths, parameters))
    } else {
        Err(Short)
    }
}

fn emit_parameters(buf: &mut BytesMut, capabilities: &[u8]) {
    let parameter = capabilities.len().saturating_add(2);
    match (u8::try_from(capabilities.len()), u8::try_from(parameter)) {
        (Ok(0), _) => buf.put_u8(0),
        (Ok(length), Ok(parameter)) => buf.put_slice(&[parameter, CAPABILITIES, length]),
        _ => {
            let [length, parameter] = [capabilities.len(), parameter.saturating_add(1)]
                .map(|length| u16::try_from(length).unwrap_or(u16::MAX));
            buf.put_slice(&[EXTENDED, EXTENDED]);
            buf.put_u16(parameter);
            buf.put_u8(CAPABILITIES);
            buf.put_u16(length);
        }
    }
    buf.put_slice(capabilities);
}
