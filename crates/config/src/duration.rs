// SPDX-License-Identifier: Apache-2.0
//! Durations in Go's notation, as the timers of a `BGPPeer` are written: `90s`, `1m30s`, `1.5h`, `0`.

use std::{fmt, time::Duration};

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// Nothing to read, or a part without a number.
    Number,
    /// A number without a unit.
    MissingUnit,
    /// A unit that does not exist.
    UnknownUnit,
    /// Below zero.
    Negative,
    /// More than about 292 years.
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number is missing",
            Self::MissingUnit => "a number has no unit",
            Self::UnknownUnit => "the unit is none of h, m, s, ms, us, ns",
            Self::Negative => "it is below zero",
            Self::TooLong => "it is longer than 292 years",
        })
    }
}

impl std::error::Error for DurationError {}

/// Units, longest spelling first where one begins with another; in nanoseconds. The two signs for micro
/// are U+00B5 and U+03BC.
const UNITS: [(&str, u64); 8] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ns", 1),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

/// Reads a duration: numbers with a unit each, added up; a fraction is allowed, and `0` needs no unit.
///
/// # Errors
/// [`DurationError`] says what is wrong with the text.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let (negative, mut rest) = sign(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(DurationError::Number);
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (nanoseconds, after) = part(rest)?;
        total = total.saturating_add(nanoseconds);
        rest = after;
    }
    match (negative, i64::try_from(total)) {
        (true, _) if total > 0 => Err(DurationError::Negative),
        (_, Err(_)) => Err(DurationError::TooLong),
        (_, Ok(total)) => Ok(Duration::from_nanos(total.unsigned_abs())),
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn part(text: &str) -> Result<(u128, &str), DurationError> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Number);
    }
    let (unit, rest) = unit(rest)?;
    let whole: u128 = match whole {
        "" => 0,
        digits => digits.parse().map_err(|_| DurationError::TooLong)?,
    };
    let nanoseconds = whole.saturating_mul(u128::from(unit));
    Ok((nanoseconds.saturating_add(part_of(fraction, unit)), rest))
}

/// The digits after the point as nanoseconds; what is finer than a nanosecond is dropped.
fn part_of(fraction: &str, unit: u64) -> u128 {
    let mut share = u128::from(unit) * 1_000_000;
    let mut sum = 0;
    for digit in fraction.bytes() {
        share /= 10;
        sum += share * u128::from(digit - b'0');
    }
    sum / 1_000_000
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn unit(text: &str) -> Result<(u64, &str), DurationError> {
    if text.is_empty() {
        return Err(DurationError::MissingUnit);
    }
    let mut known = UNITS.iter();
    known
        .find_map(|(name, length)| Some((*length, text.strip_prefix(name)?)))
        .ok_or(DurationError::UnknownUnit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation() {
        let table: &[(&str, Result<u64, DurationError>)] = &[
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("0s", Ok(0)),
            ("90s", Ok(90_000_000_000)),
            ("+90s", Ok(90_000_000_000)),
            ("1m30s", Ok(90_000_000_000)),
            ("1.5h", Ok(5_400_000_000_000)),
            (".5s", Ok(500_000_000)),
            ("1.s", Ok(1_000_000_000)),
            ("900ms", Ok(900_000_000)),
            ("3us", Ok(3_000)),
            ("3\u{b5}s", Ok(3_000)),
            ("3\u{3bc}s", Ok(3_000)),
            ("7ns", Ok(7)),
            ("0.1ns", Ok(0)),
            ("0.3333333333333333333h", Ok(1_199_999_999_999)),
            ("1h2m3s4ms5us6ns", Ok(3_723_004_005_006)),
            ("2562047h", Ok(9_223_369_200_000_000_000)),
            ("", Err(DurationError::Number)),
            ("-", Err(DurationError::Number)),
            ("s", Err(DurationError::Number)),
            (".s", Err(DurationError::Number)),
            (" 1s", Err(DurationError::Number)),
            ("90", Err(DurationError::MissingUnit)),
            ("1m30", Err(DurationError::MissingUnit)),
            ("1d", Err(DurationError::UnknownUnit)),
            ("1 s", Err(DurationError::UnknownUnit)),
            ("-1s", Err(DurationError::Negative)),
            ("2562048h", Err(DurationError::TooLong)),
            (
                "99999999999999999999999999999999999999999s",
                Err(DurationError::TooLong),
            ),
        ];
        for (text, want) in table {
            let got = parse(text);
            // A long fraction loses its last digits, as floating point would.
            let near = |a: u64, b: u64| a.abs_diff(b) <= 1;
            match (got, want) {
                (Ok(got), Ok(want)) => {
                    let got = u64::try_from(got.as_nanos()).unwrap();
                    assert!(near(got, *want), "{text}: {got}");
                }
                (got, want) => assert_eq!(got.err(), want.err(), "{text}"),
            }
        }
    }
}
