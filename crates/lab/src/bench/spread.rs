// SPDX-License-Identifier: Apache-2.0
//! Values of one figure from several runs or samples, and how they read.

/// Values in ascending order, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread(Vec<f64>);

/// What the values count, in which base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// Bytes.
    Bytes,
    /// Events in a second.
    Rate,
    /// Events.
    Count,
}

impl Spread {
    /// The spread of these values; nothing without a value.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        (!values.is_empty()).then_some(Self(values))
    }

    /// The value in the middle; of two, their mean.
    #[must_use]
    pub fn median(&self) -> f64 {
        let upper = self.at(self.0.len() / 2);
        let lower = self.at((self.0.len() - 1) / 2);
        f64::midpoint(lower, upper)
    }

    /// The least value.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.at(0)
    }

    /// The greatest value.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.at(self.0.len() - 1)
    }

    fn at(&self, index: usize) -> f64 {
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }
}

impl Unit {
    /// A value as people read it, with three digits that count.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        let steps: &[(f64, &str)] = match self {
            Self::Time => &[(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")],
            Self::Bytes => &[(1e6, "MB"), (1e3, "kB"), (1.0, "B")],
            Self::Rate => &[(1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")],
            Self::Count if value.fract() == 0.0 => return format!("{value:.0}"),
            Self::Count => return format!("{value:.2}"),
        };
        let fits = |(size, _): &&(f64, &str)| value >= *size;
        let (size, name) = steps.iter().find(fits).copied().unwrap_or((1.0, "ns"));
        let scaled = value / size;
        let digits = match scaled {
            100.0.. => 0,
            10.0..100.0 => 1,
            _ => 2,
        };
        format!("{scaled:.digits$} {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        let odd = Spread::new([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median(), odd.min(), odd.max()), (2.0, 1.0, 3.0));
        assert_eq!(Spread::new([4.0, 1.0]).unwrap().median(), 2.5);
        assert_eq!(Spread::new([]), None);
    }

    #[test]
    fn values_as_people_read_them() {
        let cases = [
            (Unit::Time, 1_234.0, "1.23 µs"),
            (Unit::Time, 850.0, "850 ns"),
            (Unit::Time, 62_500_000.0, "62.5 ms"),
            (Unit::Time, 1.5e9, "1.50 s"),
            (Unit::Bytes, 11_345_678.0, "11.3 MB"),
            (Unit::Bytes, 1_024.0, "1.02 kB"),
            (Unit::Rate, 44_000.0, "44.0 k/s"),
            (Unit::Count, 0.0, "0"),
            (Unit::Count, 2.125, "2.12"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(unit.show(value), text);
        }
    }
}
