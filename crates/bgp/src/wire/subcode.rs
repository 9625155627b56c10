// SPDX-License-Identifier: Apache-2.0
//! Error codes and subcodes of NOTIFICATION messages with the names IANA gives them.
//!
//! RFC 4271 section 4.5, RFC 4486, 5492, 6608, 7313, 8538, 9384, 9687. Unknown values are kept.

use std::fmt;

macro_rules! subcodes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $value:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!($text, " (", $value, ").")] $variant,)*
            /// A subcode without a name here.
            Unknown(u8),
        }

        impl From<u8> for $name {
            fn from(value: u8) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(subcode: $name) -> Self {
                match subcode {
                    $($name::$variant => $value,)*
                    $name::Unknown(value) => value,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($text),)*
                    Self::Unknown(value) => write!(f, "subcode {value}"),
                }
            }
        }
    };
}

subcodes! {
    /// Subcodes of Message Header Error.
    HeaderError {
        Unspecific = 0, "Unspecific";
        ConnectionNotSynchronized = 1, "Connection Not Synchronized";
        BadMessageLength = 2, "Bad Message Length";
        BadMessageType = 3, "Bad Message Type";
    }
}
subcodes! {
    /// Subcodes of OPEN Message Error.
    OpenError {
        Unspecific = 0, "Unspecific";
        UnsupportedVersionNumber = 1, "Unsupported Version Number";
        BadPeerAs = 2, "Bad Peer AS";
        BadBgpIdentifier = 3, "Bad BGP Identifier";
        UnsupportedOptionalParameter = 4, "Unsupported Optional Parameter";
        UnacceptableHoldTime = 6, "Unacceptable Hold Time";
        UnsupportedCapability = 7, "Unsupported Capability";
        RoleMismatch = 11, "Role Mismatch";
    }
}
subcodes! {
    /// Subcodes of UPDATE Message Error.
    UpdateError {
        Unspecific = 0, "Unspecific";
        MalformedAttributeList = 1, "Malformed Attribute List";
        UnrecognizedWellKnownAttribute = 2, "Unrecognized Well-known Attribute";
        MissingWellKnownAttribute = 3, "Missing Well-known Attribute";
        AttributeFlagsError = 4, "Attribute Flags Error";
        AttributeLengthError = 5, "Attribute Length Error";
        InvalidOriginAttribute = 6, "Invalid ORIGIN Attribute";
        InvalidNextHopAttribute = 8, "Invalid NEXT_HOP Attribute";
        OptionalAttributeError = 9, "Optional Attribute Error";
        InvalidNetworkField = 10, "Invalid Network Field";
        MalformedAsPath = 11, "Malformed AS_PATH";
    }
}
subcodes! {
    /// Subcodes of Finite State Machine Error (RFC 6608).
    FsmError {
        Unspecific = 0, "Unspecific";
        UnexpectedInOpenSent = 1, "Receive Unexpected Message in OpenSent State";
        UnexpectedInOpenConfirm = 2, "Receive Unexpected Message in OpenConfirm State";
        UnexpectedInEstablished = 3, "Receive Unexpected Message in Established State";
    }
}
subcodes! {
    /// Subcodes of Cease (RFC 4486, 8538, 9384).
    CeaseError {
        Unspecific = 0, "Unspecific";
        MaximumPrefixes = 1, "Maximum Number of Prefixes Reached";
        AdministrativeShutdown = 2, "Administrative Shutdown";
        PeerDeconfigured = 3, "Peer De-configured";
        AdministrativeReset = 4, "Administrative Reset";
        ConnectionRejected = 5, "Connection Rejected";
        OtherConfigurationChange = 6, "Other Configuration Change";
        ConnectionCollisionResolution = 7, "Connection Collision Resolution";
        OutOfResources = 8, "Out of Resources";
        HardReset = 9, "Hard Reset";
        BfdDown = 10, "BFD Down";
    }
}
subcodes! {
    /// Subcodes of ROUTE-REFRESH Message Error (RFC 7313).
    RefreshError {
        Unspecific = 0, "Unspecific";
        InvalidMessageLength = 1, "Invalid Message Length";
    }
}

/// Why a NOTIFICATION is sent: error code and subcode in one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Message Header Error (1).
    Header(HeaderError),
    /// OPEN Message Error (2).
    Open(OpenError),
    /// UPDATE Message Error (3).
    Update(UpdateError),
    /// Hold Timer Expired (4); the subcode is zero.
    HoldTimerExpired,
    /// Finite State Machine Error (5).
    Fsm(FsmError),
    /// Cease (6).
    Cease(CeaseError),
    /// ROUTE-REFRESH Message Error (7).
    RouteRefresh(RefreshError),
    /// Send Hold Timer Expired (8, RFC 9687); the subcode is zero.
    SendHoldTimerExpired,
    /// Anything else.
    Unknown {
        /// Error code.
        code: u8,
        /// Error subcode.
        subcode: u8,
    },
}

impl ErrorCode {
    /// The value of the two octets on the wire.
    #[must_use]
    pub fn from_octets(code: u8, subcode: u8) -> Self {
        match (code, subcode) {
            (1, _) => Self::Header(subcode.into()),
            (2, _) => Self::Open(subcode.into()),
            (3, _) => Self::Update(subcode.into()),
            (4, 0) => Self::HoldTimerExpired,
            (5, _) => Self::Fsm(subcode.into()),
            (6, _) => Self::Cease(subcode.into()),
            (7, _) => Self::RouteRefresh(subcode.into()),
            (8, 0) => Self::SendHoldTimerExpired,
            _ => Self::Unknown { code, subcode },
        }
    }

    /// Error code and subcode as on the wire.
    #[must_use]
    pub fn octets(self) -> [u8; 2] {
        match self {
            Self::Header(subcode) => [1, subcode.into()],
            Self::Open(subcode) => [2, subcode.into()],
            Self::Update(subcode) => [3, subcode.into()],
            Self::HoldTimerExpired => [4, 0],
            Self::Fsm(subcode) => [5, subcode.into()],
            Self::Cease(subcode) => [6, subcode.into()],
            Self::RouteRefresh(subcode) => [7, subcode.into()],
            Self::SendHoldTimerExpired => [8, 0],
            Self::Unknown { code, subcode } => [code, subcode],
        }
    }
}

impl fmt::Display for ErrorCode {
    /// `OPEN Message Error: Bad Peer AS`; the subcode Unspecific is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [code, subcode] = self.octets();
        match code {
            1 => f.write_str("Message Header Error")?,
            2 => f.write_str("OPEN Message Error")?,
            3 => f.write_str("UPDATE Message Error")?,
            4 => f.write_str("Hold Timer Expired")?,
            5 => f.write_str("Finite State Machine Error")?,
            6 => f.write_str("Cease")?,
            7 => f.write_str("ROUTE-REFRESH Message Error")?,
            8 => f.write_str("Send Hold Timer Expired")?,
            _ => write!(f, "error code {code}")?,
        }
        match self {
            _ if subcode == 0 => Ok(()),
            Self::Header(subcode) => write!(f, ": {subcode}"),
            Self::Open(subcode) => write!(f, ": {subcode}"),
            Self::Update(subcode) => write!(f, ": {subcode}"),
            Self::Fsm(subcode) => write!(f, ": {subcode}"),
            Self::Cease(subcode) => write!(f, ": {subcode}"),
            Self::RouteRefresh(subcode) => write!(f, ": {subcode}"),
            _ => write!(f, ": subcode {subcode}"),
        }
    }
}
