// SPDX-License-Identifier: Apache-2.0
//! The figures of the crates' own benchmarks: which of criterion's samples and printed lines they are.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::{
    criterion::Samples,
    spread::{Spread, Unit},
    table::{Against, Row},
};

/// A figure of a criterion benchmark.
struct Timed {
    figure: &'static str,
    /// The benchmark's full name.
    name: &'static str,
    /// Whether one element of an iteration counts, not the iteration.
    each: bool,
    against: Held,
}

enum Held {
    Nothing,
    /// At most this many nanoseconds.
    AtMost(f64),
    /// The same work by another crate, under this full name.
    Beside(&'static str, &'static str),
}

/// A figure that a benchmark prints.
struct Printed {
    figure: &'static str,
    /// The number follows `after` in a line that begins with `line`.
    line: &'static str,
    after: &'static str,
    unit: Unit,
    at_most: Option<f64>,
}

const TIMED: [Timed; 17] = [
    timed(
        "allocate + free, 1,000,000 held, /8",
        "allocate and free, 1,000,000 held//8",
        1e3,
    )
    .each(),
    timed(
        "allocate + free, 1,000,000 held, /64",
        "allocate and free, 1,000,000 held//64",
        1e3,
    )
    .each(),
    timed(
        "allocate + free, 1,000,000 held, 1,000 pools",
        "allocate and free, 1,000,000 held/1,000 pools of /22",
        1e3,
    )
    .each(),
    timed(
        "world: full build, 50,000 Services, 100 nodes",
        "world/full build, 50,000 Services",
        1e9,
    ),
    timed(
        "world: endpoints changed to new decision",
        "world/endpoints of a Service gone",
        20e3,
    ),
    timed(
        "world: Service changed to new decision",
        "world/a Service with another address",
        20e3,
    ),
    timed(
        "RIB-out: 100,000 routes, 1 attribute set",
        "encode 100,000 routes in 1 attribute sets",
        10e6,
    ),
    timed(
        "RIB-out: 100,000 routes, 10 attribute sets",
        "encode 100,000 routes in 10 attribute sets",
        10e6,
    ),
    timed(
        "RIB-out: 100,000 routes, 1,000 attribute sets",
        "encode 100,000 routes in 1000 attribute sets",
        10e6,
    ),
    reported(
        "RIB-out: session up to 100,000 routes written",
        "session up to all of 100,000 routes written",
    ),
    reported(
        "RIB-out: one change among 100,000 to its UPDATE",
        "one change among 100,000 routes to its UPDATE",
    ),
    beside(
        "wire: encode 100,000 routes, packed",
        "100k routes, packed/encode",
        "100k routes, packed/encode, rustbgpd-wire",
    ),
    beside(
        "wire: decode 100,000 routes, packed",
        "100k routes, packed/decode",
        "100k routes, packed/decode, rustbgpd-wire",
    ),
    beside(
        "wire: encode 100,000 UPDATEs of one route",
        "100k routes, one route per UPDATE/encode",
        "100k routes, one route per UPDATE/encode, rustbgpd-wire",
    ),
    beside(
        "wire: decode 100,000 UPDATEs of one route",
        "100k routes, one route per UPDATE/decode",
        "100k routes, one route per UPDATE/decode, rustbgpd-wire",
    ),
    reported(
        "layer 2: ARP request to reply, machine alone",
        "arp request to reply",
    ),
    reported(
        "layer 2: solicitation to advertisement, machine alone",
        "solicitation to advertisement",
    ),
];

const PRINTED: [Printed; 4] = [
    Printed {
        figure: "world: memory of a Service",
        line: "memory: 50000 Services",
        after: "bytes, ",
        unit: Unit::Bytes,
        at_most: Some(2e3),
    },
    Printed {
        figure: "layer 2: ARP over veth, round trips",
        line: "arp round trip over veth",
        after: "veth: ",
        unit: Unit::Rate,
        at_most: None,
    },
    Printed {
        figure: "layer 2: ARP over veth, p50",
        line: "arp round trip over veth",
        after: "p50 ",
        unit: Unit::Time,
        at_most: None,
    },
    Printed {
        figure: "layer 2: ARP over veth, p99",
        line: "arp round trip over veth",
        after: "p99 ",
        unit: Unit::Time,
        at_most: None,
    },
];

const fn timed(figure: &'static str, name: &'static str, at_most: f64) -> Timed {
    Timed {
        figure,
        name,
        each: false,
        against: Held::AtMost(at_most),
    }
}

const fn reported(figure: &'static str, name: &'static str) -> Timed {
    Timed {
        figure,
        name,
        each: false,
        against: Held::Nothing,
    }
}

const fn beside(figure: &'static str, name: &'static str, other: &'static str) -> Timed {
    Timed {
        figure,
        name,
        each: false,
        against: Held::Beside("rustbgpd-wire", other),
    }
}

impl Timed {
    const fn each(self) -> Self {
        Self { each: true, ..self }
    }

    fn row(&self, samples: &Samples) -> Option<Row> {
        let read = |name| {
            if self.each {
                samples.element(name)
            } else {
                samples.iteration(name)
            }
        };
        let against = match self.against {
            Held::Nothing => Against::Nothing,
            Held::AtMost(most) => Against::AtMost(most),
            Held::Beside(who, name) => Against::Reference(who, read(name)?),
        };
        Some(Row {
            figure: self.figure.to_owned(),
            unit: Unit::Time,
            measured: read(self.name)?,
            against,
        })
    }
}

impl Printed {
    fn row(&self, logs: &str) -> Option<Row> {
        let lines = logs.lines().filter(|line| line.starts_with(self.line));
        let words =
            lines.filter_map(|line| line.split_once(self.after)?.1.split([' ', ',']).next());
        Some(Row {
            figure: self.figure.to_owned(),
            unit: self.unit,
            measured: Spread::new(words.filter_map(number))?,
            against: self.at_most.map_or(Against::Nothing, Against::AtMost),
        })
    }
}

/// The figures found below a folder of criterion's files and of logs (`*.log`).
///
/// # Errors
/// A file cannot be read.
pub fn rows(results: &Path) -> Result<Vec<Row>> {
    let samples = Samples::read(results)?;
    let logs = logs(results)?;
    let timed = TIMED.iter().filter_map(|timed| timed.row(&samples));
    Ok(timed
        .chain(PRINTED.iter().filter_map(|printed| printed.row(&logs)))
        .collect())
}

fn logs(results: &Path) -> Result<String> {
    let mut text = String::new();
    for entry in fs::read_dir(results).with_context(|| results.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "log") {
            text += &fs::read_to_string(&path)?;
        }
    }
    Ok(text)
}

/// A number with a unit of time or rate behind it, in nanoseconds or as it is.
fn number(word: &str) -> Option<f64> {
    let units = [
        ("/s", 1.0),
        ("ns", 1.0),
        ("µs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
    ];
    let (digits, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((word.strip_suffix(unit)?, *factor)))
        .unwrap_or((word, 1.0));
    Some(digits.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_printed_lines() {
        let logs = "arp round trip over veth: 44123/s, p50 21.5µs, p99 36µs, max 1.2ms\n\
                    memory: 50000 Services on 100 nodes hold 90000000 bytes, 1800 per Service\n\
                    arp round trip over veth: 46123/s, p50 20µs, p99 30µs, max 1.2ms\n";
        let medians = PRINTED.map(|printed| printed.row(logs).unwrap().measured.median());
        assert_eq!(medians, [1_800.0, 45_123.0, 20_750.0, 33_000.0]);
    }
}
