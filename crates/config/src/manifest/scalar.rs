// SPDX-License-Identifier: Apache-2.0
//! What an unquoted word of YAML means: as `kubectl` reads it, so by the rules of YAML 1.1 with the
//! liberties Go's parser takes (`yes` and `on` are booleans, `010` is eight, `1_000` is a thousand).

use std::borrow::Cow;

/// A scalar as written, and whether its form leaves its type open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scalar<'a> {
    text: Cow<'a, str>,
    /// Quoted, a block scalar, or tagged as text.
    is_text: bool,
}

/// The meaning of a scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meaning<'s> {
    Null,
    Boolean(bool),
    Integer(i64),
    /// A number that is no 64-bit integer.
    Number(f64),
    Text(&'s str),
}

impl<'a> Scalar<'a> {
    /// A scalar that is text whatever it looks like.
    pub fn quoted(text: Cow<'a, str>) -> Self {
        Self {
            text,
            is_text: true,
        }
    }

    /// A scalar whose look decides.
    pub fn plain(text: Cow<'a, str>) -> Self {
        Self {
            text,
            is_text: false,
        }
    }

    /// As written, without quotes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text by itself.
    pub fn into_text(self) -> Cow<'a, str> {
        self.text
    }

    pub fn is_null(&self) -> bool {
        self.meaning() == Meaning::Null
    }

    /// What it means.
    pub fn meaning(&self) -> Meaning<'_> {
        if self.is_text {
            return Meaning::Text(&self.text);
        }
        word(&self.text)
            .or_else(|| integer(&self.text).map(Meaning::Integer))
            .or_else(|| number(&self.text))
            .unwrap_or(Meaning::Text(&self.text))
    }
}

fn word(text: &str) -> Option<Meaning<'static>> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Meaning::Boolean(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Meaning::Boolean(false)
        }
        _ => return None,
    })
}

/// An integer in Go's notation: `12`, `-12`, `0x1f`, `0b101`, `0o17`, `017`, with underscores anywhere.
fn integer(text: &str) -> Option<i64> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') || text.len() > 80 {
        return None;
    }
    let digits: Cow<'_, str> = if text.contains('_') {
        text.replace('_', "").into()
    } else {
        text.into()
    };
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits.strip_prefix('+').unwrap_or(&digits)),
    };
    let (radix, digits) = radix(digits);
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -value } else { value }).ok()
}

fn radix(digits: &str) -> (u32, &str) {
    let Some(rest) = digits.strip_prefix('0') else {
        return (10, digits);
    };
    match rest.chars().next() {
        None => (10, digits),
        Some('x' | 'X') => (16, rest.get(1..).unwrap_or_default()),
        Some('o' | 'O') => (8, rest.get(1..).unwrap_or_default()),
        Some('b' | 'B') => (2, rest.get(1..).unwrap_or_default()),
        Some(_) => (8, rest),
    }
}

/// A number with a fraction, an exponent, or too many digits. One without a fractional part that a
/// 64-bit float holds exactly is the integer it equals.
fn number(text: &str) -> Option<Meaning<'static>> {
    if let ".nan" | ".NaN" | ".NAN" = text {
        return Some(Meaning::Number(f64::NAN));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let ".inf" | ".Inf" | ".INF" = unsigned {
        return Some(Meaning::Number(f64::INFINITY));
    }
    let form = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !unsigned.chars().all(form)
    {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    Some(match exact_integer(value) {
        Some(integer) => Meaning::Integer(integer),
        None => Meaning::Number(value),
    })
}

/// The integer a float equals, where floats still tell neighbouring integers apart.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bounded by the line before"
)]
fn exact_integer(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_mean_what_kubectl_takes_them_for() {
        use Meaning::{Boolean, Integer, Null, Number, Text};
        let table = [
            ("", Null),
            ("~", Null),
            ("Null", Null),
            ("yes", Boolean(true)),
            ("Off", Boolean(false)),
            ("yes please", Text("yes please")),
            ("tRue", Text("tRue")),
            ("12", Integer(12)),
            ("+12", Integer(12)),
            ("-0", Integer(0)),
            ("010", Integer(8)),
            ("0o10", Integer(8)),
            ("0x1F", Integer(31)),
            ("0b101", Integer(5)),
            ("1_000", Integer(1000)),
            ("08", Integer(8)),
            ("24.0", Integer(24)),
            ("1e3", Integer(1000)),
            ("1.5", Number(1.5)),
            (".5", Number(0.5)),
            ("9223372036854775807", Integer(i64::MAX)),
            ("9223372036854775808", Number(9_223_372_036_854_775_808.0)),
            ("65000:100", Text("65000:100")),
            ("192.0.2.1", Text("192.0.2.1")),
            ("192.0.2.0/24", Text("192.0.2.0/24")),
            ("1.2.3", Text("1.2.3")),
            ("-", Text("-")),
            ("--1", Text("--1")),
            ("0x", Text("0x")),
            ("90s", Text("90s")),
            ("2026-01-02", Text("2026-01-02")),
            ("e5", Text("e5")),
        ];
        for (text, want) in table {
            assert_eq!(Scalar::plain(text.into()).meaning(), want, "{text}");
        }
    }

    #[test]
    fn quotes_make_text() {
        for text in ["yes", "12", "", "~"] {
            assert_eq!(Scalar::quoted(text.into()).meaning(), Meaning::Text(text));
        }
    }
}
