// SPDX-License-Identifier: Apache-2.0
//! The text format of Prometheus, version 0.0.4.
//!
//! Families come out by name and series by their labels, as client_golang gives them. A family without
//! a series is left out. Two series of the same labels would make a scraper refuse everything: the
//! first one is kept.

use std::{collections::BTreeMap, fmt::Write as _};

/// What to say in `Content-Type`.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// The value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A count.
    Whole(u64),
    /// A measure.
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(u64::try_from(value).unwrap_or(u64::MAX))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

/// One metric name with its series.
#[derive(Debug)]
pub struct Family {
    kind: Kind,
    help: &'static str,
    series: Vec<(String, Value)>,
}

impl Family {
    /// Adds a series. Label names come sorted from the caller.
    pub fn add(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        self.series.push((render_labels(labels), value.into()));
    }
}

/// A page of metrics in the making.
#[derive(Debug, Default)]
pub struct Page(BTreeMap<&'static str, Family>);

impl Page {
    /// The family `name`, made at its first use.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) -> &mut Family {
        self.0.entry(name).or_insert_with(|| Family {
            kind,
            help,
            series: Vec::new(),
        })
    }

    /// A gauge `name`.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        self.family(name, Kind::Gauge, help)
    }

    /// A counter `name`.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        self.family(name, Kind::Counter, help)
    }

    /// The page as text.
    #[must_use]
    pub fn render(self) -> String {
        let mut out = String::new();
        for (name, family) in self.0 {
            render_family(&mut out, name, family);
        }
        out
    }
}

fn render_family(out: &mut String, name: &str, mut family: Family) {
    if family.series.is_empty() {
        return;
    }
    family.series.sort_by(|a, b| a.0.cmp(&b.0));
    family.series.dedup_by(|later, first| later.0 == first.0);
    let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}");
    let _ = writeln!(out, "# TYPE {name} {}", family.kind.word());
    for (labels, value) in &family.series {
        let _ = match value {
            Value::Whole(value) => writeln!(out, "{name}{labels} {value}"),
            Value::Real(value) => writeln!(out, "{name}{labels} {}", real(*value)),
        };
    }
}

fn real(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

fn render_labels(labels: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (n, (name, value)) in labels.iter().enumerate() {
        let before = if n == 0 { '{' } else { ',' };
        let _ = write!(out, "{before}{name}=\"");
        escape(&mut out, value);
        out.push('"');
    }
    if !labels.is_empty() {
        out.push('}');
    }
    out
}

fn escape(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_series_are_sorted_and_empty_families_left_out() {
        let mut page = Page::default();
        page.gauge("b", "Second.").add(&[("x", "2")], 2_u64);
        page.gauge("b", "Second.").add(&[("x", "1")], 0.5);
        page.counter("a_total", "First.").add(&[], 1_u64);
        page.gauge("c", "Never set.");
        let want = "# HELP a_total First.\n# TYPE a_total counter\na_total 1\n\
                    # HELP b Second.\n# TYPE b gauge\nb{x=\"1\"} 0.5\nb{x=\"2\"} 2\n";
        assert_eq!(page.render(), want);
    }

    #[test]
    fn a_series_told_twice_stands_once() {
        let mut page = Page::default();
        page.gauge("a", "A.").add(&[("x", "1")], 7_u64);
        page.gauge("a", "A.").add(&[("x", "1")], 8_u64);
        assert_eq!(page.render(), "# HELP a A.\n# TYPE a gauge\na{x=\"1\"} 7\n");
    }

    #[test]
    fn whatever_stands_in_a_label_stays_one_line() {
        let mut page = Page::default();
        page.gauge("a", "A \\ b\nc.")
            .add(&[("x", "q\"b\\n\n{}é")], f64::INFINITY);
        let want = "# HELP a A \\\\ b\\nc.\n# TYPE a gauge\na{x=\"q\\\"b\\\\n\\n{}é\"} +Inf\n";
        assert_eq!(page.render(), want);
    }
}
