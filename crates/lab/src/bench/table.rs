// SPDX-License-Identifier: Apache-2.0
//! The table at the end: figure, median and spread, what it is held against, and the ratio.
//!
//! It is Markdown with aligned columns, for the terminal and for the documentation alike.

use super::spread::{Spread, Unit};

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub figure: String,
    /// The unit of the values.
    pub unit: Unit,
    /// The values.
    pub measured: Spread,
    /// What they are held against.
    pub against: Against,
}

/// What a figure is held against.
#[derive(Clone, Debug)]
pub enum Against {
    /// Nothing: it is reported.
    Nothing,
    /// A value it should not exceed.
    AtMost(f64),
    /// The same work by another program in the same run.
    Reference(&'static str, Spread),
}

/// The heads of the columns.
const HEADS: [&str; 5] = [
    "figure",
    "median",
    "min – max",
    "target or reference",
    "ratio",
];

/// Renders the rows in their order.
#[must_use]
pub fn render(rows: &[Row]) -> String {
    let cells: Vec<[String; 5]> = rows.iter().map(cells).collect();
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let width = |row: &[String; 5]| row.get(column).map_or(0, |text| text.chars().count());
        let head = HEADS.get(column).map_or(0, |text| text.chars().count());
        cells.iter().map(width).max().unwrap_or(0).max(head)
    });
    let mut text = line(&HEADS.map(str::to_owned), &widths);
    text += &line(&widths.map(|width| "-".repeat(width)), &widths);
    for row in &cells {
        text += &line(row, &widths);
    }
    text
}

fn cells(row: &Row) -> [String; 5] {
    let Row {
        figure,
        unit,
        measured,
        against,
    } = row;
    let (held_against, ratio) = match against {
        Against::Nothing => (String::new(), String::new()),
        Against::AtMost(most) => (format!("≤ {}", unit.show(*most)), ratio(measured, *most)),
        Against::Reference(name, spread) => {
            let said = format!(
                "{name}: {} ({})",
                unit.show(spread.median()),
                range(*unit, spread)
            );
            (said, ratio(measured, spread.median()))
        }
    };
    let median = unit.show(measured.median());
    [
        figure.clone(),
        median,
        range(*unit, measured),
        held_against,
        ratio,
    ]
}

fn range(unit: Unit, spread: &Spread) -> String {
    format!("{} – {}", unit.show(spread.min()), unit.show(spread.max()))
}

fn ratio(measured: &Spread, against: f64) -> String {
    // Of nothing there is no part.
    if against == 0.0 {
        return String::new();
    }
    format!("{:.2}", measured.median() / against)
}

fn line(cells: &[String; 5], widths: &[usize; 5]) -> String {
    let padded = cells
        .iter()
        .zip(widths)
        .map(|(text, width)| format!("{text:<width$}"));
    format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_align_and_show_their_ratio() {
        let row = |figure: &str, against| Row {
            figure: figure.to_owned(),
            unit: Unit::Time,
            measured: Spread::new([1e6, 2e6, 3e6]).unwrap(),
            against,
        };
        let reference = Spread::new([4e6]).unwrap();
        let text = render(&[
            row("a", Against::AtMost(8e6)),
            row("longer", Against::Reference("BIRD", reference)),
            row("c", Against::Nothing),
        ]);
        let lines: Vec<&str> = text.lines().collect();
        let width = |line: &&str| line.chars().count();
        assert!(
            lines
                .iter()
                .map(width)
                .all(|w| Some(w) == lines.first().map(width))
        );
        assert!(lines[2].contains("≤ 8.00 ms") && lines[2].contains("0.25"));
        assert!(lines[3].contains("BIRD: 4.00 ms") && lines[3].contains("0.50"));
    }
}
