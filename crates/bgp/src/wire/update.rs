// SPDX-License-Identifier: Apache-2.0
//! UPDATE as received: which prefixes came and went, with what, and what is wrong with it.
//!
//! The order of reading is that of RFC 7606 section 5: the prefixes first, since without them nothing can be
//! withdrawn, then each attribute by the table in `attribute`, then what is missing.

use ferrolb_types::Family;
use ipnet::IpNet;

use super::{
    Attributes, Disposition, ErrorCode, Fault, NextHop, Options, Prefixes, SessionReset,
    UpdateError,
    attribute::{self, OPTIONAL, Raw, Row},
    cursor::{Cursor, Short},
    multiprotocol::{self, MpFault, Reach},
};

/// More faults than this are not kept; what they lead to counts all the same.
const MOST_FAULTS: usize = 16;

/// An UPDATE message that leaves the session standing.
///
/// ```text
///  0               1               2               3
///  0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
/// +-------------------------------+--------------------------------
/// |   Withdrawn Routes Length     |  Withdrawn Routes ...
/// +-------------------------------+--------------------------------
/// | Total Path Attribute Length   |  Path Attributes ...
/// +-------------------------------+--------------------------------
/// |  Network Layer Reachability Information ...
/// +----------------------------------------------------------------
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update<'a> {
    withdrawn: Prefixes<'a>,
    nlri: Prefixes<'a>,
    reach: Option<Reach<'a>>,
    unreach: Option<Prefixes<'a>>,
    attributes: Attributes<'a>,
    /// How many attributes there are, known or not.
    count: u16,
    /// Whether an MP_REACH_NLRI is there, of whatever family.
    reaches: bool,
    seen: Seen,
    faults: Vec<Fault>,
    worst: Option<Disposition>,
}

/// The attribute types met so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen([u128; 2]);

impl Seen {
    /// Whether the type is new; it no longer is.
    fn insert(&mut self, code: u8) -> bool {
        let new = !self.has(code);
        if let Some(half) = self.0.get_mut(usize::from(code >> 7)) {
            *half |= 1 << (code & 0x7f);
        }
        new
    }

    fn has(self, code: u8) -> bool {
        self.0
            .get(usize::from(code >> 7))
            .is_some_and(|half| half >> (code & 0x7f) & 1 == 1)
    }
}

impl<'a> Update<'a> {
    /// Reads the body of a message.
    ///
    /// # Errors
    /// When prefixes cannot be told apart, or the fault is one that RFC 7606 leaves to a reset.
    pub(super) fn parse(body: &'a [u8], options: &Options) -> Result<Self, SessionReset> {
        let [withdrawn, attributes, nlri] = split(body)
            .map_err(|Short| malformed("the lengths in an UPDATE exceed the message"))?;
        let mut update = Self {
            withdrawn: classic(withdrawn)?,
            nlri: classic(nlri)?,
            reach: None,
            unreach: None,
            attributes: Attributes::default(),
            count: 0,
            reaches: false,
            seen: Seen::default(),
            faults: Vec::new(),
            worst: None,
        };
        update.read_attributes(attributes, options)?;
        update.find_missing();
        update.check_reliable()?;
        Ok(update)
    }

    /// Prefixes announced, with [`attributes`](Self::attributes): none if they count as withdrawn.
    pub fn announced(&self) -> impl Iterator<Item = IpNet> + use<'a> {
        let announced = if self.is_withdrawal() {
            None
        } else {
            Some(self.reachable())
        };
        announced.into_iter().flatten()
    }

    /// Prefixes withdrawn, and those that count as withdrawn because of a fault.
    pub fn withdrawn(&self) -> impl Iterator<Item = IpNet> + use<'a> {
        let unreach = self.unreach.into_iter().flatten();
        let treated = if self.is_withdrawal() {
            Some(self.reachable())
        } else {
            None
        };
        self.withdrawn
            .chain(unreach)
            .chain(treated.into_iter().flatten())
    }

    /// What is said of the prefixes announced.
    #[must_use]
    pub fn attributes(&self) -> &Attributes<'a> {
        &self.attributes
    }

    /// The next hop of the prefixes in MP_REACH_NLRI.
    #[must_use]
    pub fn mp_next_hop(&self) -> Option<NextHop> {
        self.reach.map(|reach| reach.next_hop)
    }

    /// The family whose routes are now complete: the UPDATE is an End-of-RIB (RFC 4724 section 2).
    #[must_use]
    pub fn end_of_rib(&self) -> Option<Family> {
        if !self.withdrawn.is_empty() || !self.nlri.is_empty() {
            return None;
        }
        match (self.count, self.unreach) {
            (0, _) => Some(Family::IPv4),
            (1, Some(prefixes)) if prefixes.is_empty() => Some(prefixes.family()),
            _ => None,
        }
    }

    /// What is wrong, in the order found; at most sixteen faults are kept.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The gravest of what the faults lead to.
    #[must_use]
    pub fn disposition(&self) -> Option<Disposition> {
        self.worst
    }

    fn is_withdrawal(&self) -> bool {
        self.worst >= Some(Disposition::TreatAsWithdraw)
    }

    fn reachable(&self) -> impl Iterator<Item = IpNet> + use<'a> {
        self.nlri
            .chain(self.reach.into_iter().flat_map(|reach| reach.prefixes))
    }

    fn read_attributes(&mut self, bytes: &'a [u8], options: &Options) -> Result<(), SessionReset> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            self.count = self.count.saturating_add(1);
            let Ok(raw) = Raw::parse(&mut cursor) else {
                // RFC 7606 section 4: what follows is not attributes; the prefixes are known.
                self.fault(
                    None,
                    Disposition::TreatAsWithdraw,
                    "an attribute overruns its list",
                );
                break;
            };
            self.read_attribute(&raw, options)?;
        }
        Ok(())
    }

    fn read_attribute(&mut self, raw: &Raw<'a>, options: &Options) -> Result<(), SessionReset> {
        if !self.seen.insert(raw.code) {
            return self.duplicate(raw.code);
        }
        let Some(row) = Row::of(raw.code) else {
            return self.unknown(raw);
        };
        let judged = row.judge(raw, options);
        if let Err(fault) = judged {
            self.fault(fault.attribute, fault.disposition, fault.cause);
        }
        match raw.code {
            // Their prefixes are wanted even when the flags are wrong: they may be to withdraw.
            attribute::MP_REACH_NLRI => self.reach(raw.value, options),
            attribute::MP_UNREACH_NLRI => self.unreach(raw.value),
            _ if judged.is_err() => Ok(()),
            code => {
                if let Err(cause) = self.attributes.set(raw, options) {
                    self.fault(Some(code), row.on_fault(), cause);
                }
                Ok(())
            }
        }
    }

    /// RFC 7606 section 3 (g).
    fn duplicate(&mut self, code: u8) -> Result<(), SessionReset> {
        if matches!(code, attribute::MP_REACH_NLRI | attribute::MP_UNREACH_NLRI) {
            return Err(malformed("an UPDATE holds an MP attribute twice"));
        }
        self.fault(
            Some(code),
            Disposition::AttributeDiscard,
            "an attribute stands twice",
        );
        Ok(())
    }

    fn unknown(&mut self, raw: &Raw<'a>) -> Result<(), SessionReset> {
        if raw.flags & OPTIONAL == 0 {
            let code = ErrorCode::Update(UpdateError::UnrecognizedWellKnownAttribute);
            let cause = "an attribute claims to be well-known and is not";
            return Err(SessionReset::new(code, raw.whole, cause));
        }
        self.attributes.unknown = self.attributes.unknown.saturating_add(1);
        Ok(())
    }

    fn reach(&mut self, value: &'a [u8], options: &Options) -> Result<(), SessionReset> {
        self.reaches = true;
        match Reach::parse(value, options) {
            Ok(reach) => self.reach = reach,
            Err(fault) => self.mp_fault(attribute::MP_REACH_NLRI, fault)?,
        }
        Ok(())
    }

    fn unreach(&mut self, value: &'a [u8]) -> Result<(), SessionReset> {
        match multiprotocol::parse_unreach(value) {
            Ok(prefixes) => self.unreach = prefixes,
            Err(fault) => self.mp_fault(attribute::MP_UNREACH_NLRI, fault)?,
        }
        Ok(())
    }

    fn mp_fault(&mut self, code: u8, fault: MpFault) -> Result<(), SessionReset> {
        let (disposition, cause) = fault.disposition().ok_or_else(|| {
            let code = ErrorCode::Update(UpdateError::OptionalAttributeError);
            SessionReset::new(code, &[], "an MP attribute is too short to name its family")
        })?;
        self.fault(Some(code), disposition, cause);
        Ok(())
    }

    /// RFC 7606 section 3 (d).
    fn find_missing(&mut self) {
        let classic = !self.nlri.is_empty();
        let required = [
            (
                classic || self.reaches,
                attribute::ORIGIN,
                "ORIGIN is missing",
            ),
            (
                classic || self.reaches,
                attribute::AS_PATH,
                "AS_PATH is missing",
            ),
            (classic, attribute::NEXT_HOP, "NEXT_HOP is missing"),
        ];
        for (required, code, cause) in required {
            if required && !self.seen.has(code) {
                self.fault(Some(code), Disposition::TreatAsWithdraw, cause);
            }
        }
    }

    /// RFC 7606 section 5.2: a fault without any prefix may mean that the prefixes were not found.
    fn check_reliable(&self) -> Result<(), SessionReset> {
        let announces = !self.nlri.is_empty() || self.reaches;
        match self
            .faults
            .iter()
            .find(|fault| fault.disposition >= Disposition::TreatAsWithdraw)
        {
            Some(fault) if !announces && !self.disables() => Err(malformed(fault.cause)),
            _ => Ok(()),
        }
    }

    fn disables(&self) -> bool {
        matches!(self.worst, Some(Disposition::DisableFamily(_)))
    }

    fn fault(&mut self, attribute: Option<u8>, disposition: Disposition, cause: &'static str) {
        self.worst = self.worst.max(Some(disposition));
        let first_grave = disposition > Disposition::AttributeDiscard
            && !self
                .faults
                .iter()
                .any(|f| f.disposition > Disposition::AttributeDiscard);
        if self.faults.len() < MOST_FAULTS || first_grave {
            self.faults.push(Fault {
                attribute,
                disposition,
                cause,
            });
        }
    }
}

/// Withdrawn prefixes, attributes, announced prefixes.
fn split(body: &[u8]) -> Result<[&[u8]; 3], Short> {
    let mut cursor = Cursor::new(body);
    let (withdrawn, attributes) = (cursor.prefixed_u16()?, cursor.prefixed_u16()?);
    Ok([withdrawn, attributes, cursor.rest()])
}

fn classic(bytes: &[u8]) -> Result<Prefixes<'_>, SessionReset> {
    Prefixes::parse(Family::IPv4, bytes).map_err(|Short| {
        let code = ErrorCode::Update(UpdateError::InvalidNetworkField);
        SessionReset::new(code, &[], "a prefix of an UPDATE is malformed")
    })
}

fn malformed(cause: &'static str) -> SessionReset {
    SessionReset::new(
        ErrorCode::Update(UpdateError::MalformedAttributeList),
        &[],
        cause,
    )
}
