// SPDX-License-Identifier: Apache-2.0
//! Path attributes as data: per type its flags, length and scope, and what a fault in it leads to.
//!
//! RFC 4271 section 5, RFC 7606 sections 3 to 7; the other sources stand at the rows of the table.

use super::{
    AfiSafi, AsWidth, Options, PeerKind,
    cursor::{Cursor, Short},
};

/// What becomes of an UPDATE with a fault that does not reset the session (RFC 7606 section 2). Later
/// ones include earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// The attribute is ignored, the routes stand.
    AttributeDiscard,
    /// The routes announced count as withdrawn.
    TreatAsWithdraw,
    /// Nothing of this family is believed any more on this session: its routes are dropped and its
    /// later UPDATEs ignored.
    DisableFamily(AfiSafi),
}

/// One fault in an UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Type code of the attribute at fault, where it is one.
    pub attribute: Option<u8>,
    /// What becomes of the UPDATE.
    pub disposition: Disposition,
    /// What is wrong, as a clause without a full stop.
    pub cause: &'static str,
}

pub(super) const OPTIONAL: u8 = 0x80;
pub(super) const TRANSITIVE: u8 = 0x40;
pub(super) const EXTENDED_LENGTH: u8 = 0x10;

pub(super) const ORIGIN: u8 = 1;
pub(super) const AS_PATH: u8 = 2;
pub(super) const NEXT_HOP: u8 = 3;
pub(super) const MULTI_EXIT_DISC: u8 = 4;
pub(super) const LOCAL_PREF: u8 = 5;
pub(super) const ATOMIC_AGGREGATE: u8 = 6;
pub(super) const COMMUNITIES: u8 = 8;
pub(super) const MP_REACH_NLRI: u8 = 14;
pub(super) const MP_UNREACH_NLRI: u8 = 15;
pub(super) const AS4_PATH: u8 = 17;
pub(super) const LARGE_COMMUNITIES: u8 = 32;

/// An attribute with its value not yet read.
///
/// ```text
///  0               1               2               3
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +-+-+-+-+-------+---------------+-------------------------------+
/// |O|T|P|E|       |   Type code   | Length: 1 octet, 2 if E ...
/// +-+-+-+-+-------+---------------+-------------------------------+
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a> {
    pub(super) flags: u8,
    pub(super) code: u8,
    pub(super) value: &'a [u8],
    /// Flags, type, length and value.
    pub(super) whole: &'a [u8],
}

impl<'a> Raw<'a> {
    /// Reads the next attribute.
    pub(super) fn parse(cursor: &mut Cursor<'a>) -> Result<Self, Short> {
        let start = *cursor;
        let (flags, code) = (cursor.u8()?, cursor.u8()?);
        let value = if flags & EXTENDED_LENGTH == 0 {
            cursor.prefixed_u8()?
        } else {
            cursor.prefixed_u16()?
        };
        let length = start.len().saturating_sub(cursor.len());
        let whole = start.rest().get(..length).unwrap_or_default();
        Ok(Self {
            flags,
            code,
            value,
            whole,
        })
    }
}

/// Which lengths a value may have.
#[derive(Clone, Copy)]
enum Length {
    /// Judged where the value is read.
    Any,
    Exactly(usize),
    /// At least once this many octets.
    MultipleOf(usize),
    /// An AS number of the session's width and an IPv4 address.
    Aggregator,
}

/// On which sessions an attribute is believed.
#[derive(Clone, Copy)]
enum Scope {
    Any,
    /// From external peers it is discarded.
    Internal,
    /// Only where AS numbers have two octets (RFC 6793 section 6).
    TwoOctetAs,
}

/// What is known of one type of attribute.
pub(super) struct Row {
    code: u8,
    flags: u8,
    length: Length,
    scope: Scope,
    on_fault: Disposition,
}

use Disposition::{AttributeDiscard as Discard, TreatAsWithdraw as Withdraw};
use Length::{Aggregator, Any as AnyLength, Exactly, MultipleOf};

const WELL_KNOWN: u8 = TRANSITIVE;
const OPTIONAL_TRANSITIVE: u8 = OPTIONAL | TRANSITIVE;

const fn row(code: u8, flags: u8, length: Length, scope: Scope, on_fault: Disposition) -> Row {
    Row {
        code,
        flags,
        length,
        scope,
        on_fault,
    }
}

#[rustfmt::skip]
static TABLE: [Row; 18] = [
    row(ORIGIN,            WELL_KNOWN,          Exactly(1),     Scope::Any,        Withdraw), // RFC 7606 7.1
    row(AS_PATH,           WELL_KNOWN,          AnyLength,      Scope::Any,        Withdraw), // 7.2
    row(NEXT_HOP,          WELL_KNOWN,          Exactly(4),     Scope::Any,        Withdraw), // 7.3
    row(MULTI_EXIT_DISC,   OPTIONAL,            Exactly(4),     Scope::Any,        Withdraw), // 7.4
    row(LOCAL_PREF,        WELL_KNOWN,          Exactly(4),     Scope::Internal,   Withdraw), // 7.5
    row(ATOMIC_AGGREGATE,  WELL_KNOWN,          Exactly(0),     Scope::Any,        Discard),  // 7.6
    row(7 /* AGGREGATOR */, OPTIONAL_TRANSITIVE, Aggregator,    Scope::Any,        Discard),  // 7.7
    row(COMMUNITIES,       OPTIONAL_TRANSITIVE, MultipleOf(4),  Scope::Any,        Withdraw), // 7.8
    row(9 /* ORIGINATOR_ID */, OPTIONAL,        Exactly(4),     Scope::Internal,   Withdraw), // 7.9
    row(10 /* CLUSTER_LIST */, OPTIONAL,        MultipleOf(4),  Scope::Internal,   Withdraw), // 7.10
    row(MP_REACH_NLRI,     OPTIONAL,            AnyLength,      Scope::Any,        Withdraw), // 7.11
    row(MP_UNREACH_NLRI,   OPTIONAL,            AnyLength,      Scope::Any,        Withdraw), // 7.12
    row(16 /* EXTENDED COMMUNITIES */, OPTIONAL_TRANSITIVE, MultipleOf(8), Scope::Any, Withdraw), // 7.14
    row(AS4_PATH,          OPTIONAL_TRANSITIVE, AnyLength,      Scope::TwoOctetAs, Discard),  // RFC 6793 6
    row(18 /* AS4_AGGREGATOR */, OPTIONAL_TRANSITIVE, Exactly(8), Scope::TwoOctetAs, Discard), // RFC 6793 6
    row(25 /* IPv6 ext. communities */, OPTIONAL_TRANSITIVE, MultipleOf(20), Scope::Any, Withdraw), // RFC 7606 7.15
    row(26 /* AIGP */,     OPTIONAL,            AnyLength,      Scope::Any,        Discard),  // RFC 7311 3
    row(LARGE_COMMUNITIES, OPTIONAL_TRANSITIVE, MultipleOf(12), Scope::Any,        Withdraw), // RFC 8092 6
];

impl Row {
    /// What is known of the type, if anything.
    pub(super) fn of(code: u8) -> Option<&'static Self> {
        TABLE.iter().find(|row| row.code == code)
    }

    /// What a fault in the value leads to.
    pub(super) fn on_fault(&self) -> Disposition {
        self.on_fault
    }

    /// What is wrong with scope, flags or length of the attribute.
    pub(super) fn judge(&self, raw: &Raw<'_>, options: &Options) -> Result<(), Fault> {
        let fault = |disposition, cause| Fault {
            attribute: Some(self.code),
            disposition,
            cause,
        };
        if !self.in_scope(options) {
            return Err(fault(
                Discard,
                "an attribute does not belong on this kind of session",
            ));
        }
        // RFC 7606 section 3 (c): the Partial bit is not looked at.
        if raw.flags & (OPTIONAL | TRANSITIVE) != self.flags {
            return Err(fault(
                Withdraw,
                "the flags of an attribute do not suit its type",
            ));
        }
        if !self.length.admits(raw.value.len(), options.as_width) {
            return Err(fault(
                self.on_fault,
                "the length of an attribute does not suit its type",
            ));
        }
        Ok(())
    }

    fn in_scope(&self, options: &Options) -> bool {
        match self.scope {
            Scope::Any => true,
            Scope::Internal => options.peer == PeerKind::Internal,
            Scope::TwoOctetAs => options.as_width == AsWidth::Two,
        }
    }
}

impl Length {
    fn admits(self, length: usize, width: AsWidth) -> bool {
        match (self, width) {
            (Self::Any, _) => true,
            (Self::Exactly(octets), _) => length == octets,
            (Self::MultipleOf(octets), _) => length != 0 && length.is_multiple_of(octets),
            (Self::Aggregator, AsWidth::Two) => length == 6,
            (Self::Aggregator, AsWidth::Four) => length == 8,
        }
    }
}
