// SPDX-License-Identifier: Apache-2.0
//! What a probe saw, and what it means. Pure: text in, judgement out.

use std::{collections::BTreeMap, time::Duration};

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The page's first line: the node that served it.
    From(String),
    /// Why there was none.
    None(String),
}

/// One request. Times since the probe started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it began.
    pub begun: Duration,
    /// When it ended.
    pub ended: Duration,
    /// How.
    pub answer: Answer,
}

impl Sample {
    fn failed(&self) -> bool {
        matches!(self.answer, Answer::None(_))
    }

    fn is_from(&self, node: &str) -> bool {
        matches!(&self.answer, Answer::From(name) if name == node)
    }
}

/// A moment on the probe's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub Duration);

/// What requests begun after a mark met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// From the mark until the start of the first request after which none failed any more;
    /// zero when none failed.
    pub until_clean: Duration,
    /// From the start of the first failed request until the end of the first good one begun after
    /// the last failed one; zero when none failed.
    pub gap: Duration,
    /// Requests that failed.
    pub failed: usize,
    /// Requests that were answered.
    pub answered: usize,
}

/// Requests in the order they began.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    samples: Vec<Sample>,
    marks: BTreeMap<String, Mark>,
}

impl Samples {
    /// Reads the lines a probe wrote; others, such as one cut short, are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parsed = Self::default();
        for line in text.lines() {
            parsed.read(line);
        }
        parsed.samples.sort_by_key(|sample| sample.begun);
        parsed
    }

    fn read(&mut self, line: &str) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some(now), Some("mark"), Some(name), None) => {
                if let Some(now) = micros(now) {
                    self.marks.insert(name.to_owned(), Mark(now));
                }
            }
            (Some(begun), Some(ended), Some(outcome), Some(rest)) => {
                let (Some(begun), Some(ended)) = (micros(begun), micros(ended)) else {
                    return;
                };
                let answer = match outcome {
                    "ok" => Answer::From(rest.to_owned()),
                    _ => Answer::None(rest.to_owned()),
                };
                self.samples.push(Sample {
                    begun,
                    ended,
                    answer,
                });
            }
            _ => {}
        }
    }

    /// The moment a mark was noted.
    #[must_use]
    pub fn mark(&self, name: &str) -> Option<Mark> {
        self.marks.get(name).copied()
    }

    /// All requests.
    #[must_use]
    pub fn all(&self) -> &[Sample] {
        &self.samples
    }

    /// The requests begun at or after a mark.
    #[must_use]
    pub fn since(&self, mark: Mark) -> &[Sample] {
        let first = self.samples.partition_point(|s| s.begun < mark.0);
        self.samples.get(first..).unwrap_or_default()
    }

    /// How many requests begun since a mark each node answered.
    #[must_use]
    pub fn shares(&self, mark: Mark) -> BTreeMap<String, usize> {
        let mut shares = BTreeMap::new();
        for sample in self.since(mark) {
            if let Answer::From(node) = &sample.answer {
                *shares.entry(node.clone()).or_default() += 1;
            }
        }
        shares
    }

    /// From a mark until the end of the first request another node than `old` answered.
    #[must_use]
    pub fn moved_from(&self, old: &str, mark: Mark) -> Option<(String, Duration)> {
        self.since(mark)
            .iter()
            .find_map(|sample| match &sample.answer {
                Answer::From(node) if node != old => {
                    Some((node.clone(), sample.ended.saturating_sub(mark.0)))
                }
                _ => None,
            })
    }

    /// From a mark until the start of the last request `node` answered; `None` when it answered none.
    #[must_use]
    pub fn last_from(&self, node: &str, mark: Mark) -> Option<Duration> {
        let last = self.since(mark).iter().rfind(|s| s.is_from(node))?;
        Some(last.begun.saturating_sub(mark.0))
    }

    /// What the requests begun since a mark met. `None` while the outage lasts: the newest request
    /// failed, or there is none yet.
    #[must_use]
    pub fn outage(&self, mark: Mark) -> Option<Outage> {
        let since = self.since(mark);
        let failed = since.iter().filter(|s| s.failed()).count();
        let last = since.last().filter(|sample| !sample.failed())?;
        let answered = since.len() - failed;
        let (Some(first), Some(end)) = (
            since.iter().position(Sample::failed),
            since.iter().rposition(Sample::failed),
        ) else {
            return Some(Outage {
                until_clean: Duration::ZERO,
                gap: Duration::ZERO,
                failed,
                answered,
            });
        };
        let begin = since.get(first).map_or(mark.0, |sample| sample.begun);
        let good = since.get(end + 1).unwrap_or(last);
        Some(Outage {
            until_clean: good.begun.saturating_sub(mark.0),
            gap: good.ended.saturating_sub(begin),
            failed,
            answered,
        })
    }
}

fn micros(word: &str) -> Option<Duration> {
    word.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &str = "\
        1000 1500 ok n1\n\
        3000 3500 ok n1\n\
        4000 mark cut\n\
        5000 65000 failed timed out\n\
        9000 69000 failed timed out\n\
        7000 67000 failed timed out\n\
        11000 12000 ok n2\n\
        13000 13400 ok n3\n\
        15000 15";

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn sorts_by_start_and_passes_over_a_line_cut_short() {
        let samples = Samples::parse(SEEN);
        let begun: Vec<_> = samples.all().iter().map(|s| s.begun.as_millis()).collect();
        assert_eq!(begun, [1, 3, 5, 7, 9, 11, 13]);
    }

    #[test]
    fn measures_an_outage() {
        let samples = Samples::parse(SEEN);
        let cut = samples.mark("cut").unwrap();
        let outage = samples.outage(cut).unwrap();
        assert_eq!(outage.until_clean, ms(7));
        assert_eq!(outage.gap, ms(7));
        assert_eq!((outage.failed, outage.answered), (3, 2));
        assert_eq!(samples.moved_from("n1", cut), Some(("n2".into(), ms(8))));
        assert_eq!(samples.last_from("n1", cut), None);
        assert_eq!(samples.shares(cut).len(), 2);
    }

    #[test]
    fn no_failure_is_no_outage() {
        let samples = Samples::parse("0 mark a\n10 20 ok n1\n30 40 ok n1\n");
        let outage = samples.outage(samples.mark("a").unwrap()).unwrap();
        assert_eq!((outage.gap, outage.failed), (Duration::ZERO, 0));
    }

    #[test]
    fn an_outage_that_lasts_has_no_length_yet() {
        let samples = Samples::parse("0 mark a\n10 20 ok n1\n30 40 failed no route\n");
        assert_eq!(samples.outage(samples.mark("a").unwrap()), None);
    }

    #[test]
    fn one_good_answer_between_failures_does_not_end_the_outage() {
        let text =
            "0 mark a\n1000 2000 failed x\n3000 3500 ok n2\n5000 6000 failed x\n7000 7500 ok n2\n";
        let samples = Samples::parse(text);
        let outage = samples.outage(samples.mark("a").unwrap()).unwrap();
        assert_eq!(outage.until_clean, ms(7));
        assert_eq!(outage.failed, 2);
    }
}
