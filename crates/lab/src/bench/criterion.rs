// SPDX-License-Identifier: Apache-2.0
//! Reads what criterion left: every sample of every benchmark, pooled over runs.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

use super::spread::Spread;

/// Samples by the benchmark's full name (`group/function`), in nanoseconds for one iteration.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<String, Benchmark>);

#[derive(Debug, Default)]
struct Benchmark {
    nanos: Vec<f64>,
    elements: f64,
}

impl Samples {
    /// Reads every benchmark below a folder.
    ///
    /// # Errors
    /// A file cannot be read, or is not criterion's.
    pub fn read(dir: &Path) -> Result<Self> {
        let mut samples = Self::default();
        samples.add_below(dir)?;
        Ok(samples)
    }

    /// The time of one iteration.
    #[must_use]
    pub fn iteration(&self, name: &str) -> Option<Spread> {
        Spread::new(self.0.get(name)?.nanos.iter().copied())
    }

    /// The time of one element of an iteration.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<Spread> {
        let benchmark = self.0.get(name)?;
        Spread::new(
            benchmark
                .nanos
                .iter()
                .map(|nanos| nanos / benchmark.elements),
        )
    }

    fn add_below(&mut self, dir: &Path) -> Result<()> {
        if dir.join("sample.json").is_file() && dir.ends_with("new") {
            return self.add(dir).with_context(|| dir.display().to_string());
        }
        for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                self.add_below(&path)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, dir: &Path) -> Result<()> {
        let (about, sample) = (
            json(&dir.join("benchmark.json"))?,
            json(&dir.join("sample.json"))?,
        );
        let name = about
            .get("full_id")
            .and_then(Value::as_str)
            .context("no full_id")?;
        let elements = about
            .pointer("/throughput/Elements")
            .and_then(Value::as_f64);
        let (iterations, times) = (numbers(&sample, "iters")?, numbers(&sample, "times")?);
        let benchmark = self.0.entry(name.to_owned()).or_default();
        benchmark.elements = elements.unwrap_or(1.0);
        let each = times
            .iter()
            .zip(&iterations)
            .map(|(time, count)| time / count);
        benchmark.nanos.extend(each);
        Ok(())
    }
}

fn json(path: &Path) -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

fn numbers(value: &Value, name: &str) -> Result<Vec<f64>> {
    let list = value
        .get(name)
        .and_then(Value::as_array)
        .with_context(|| format!("no {name}"))?;
    Ok(list.iter().filter_map(Value::as_f64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Run;

    #[test]
    fn pools_the_samples_of_several_runs() {
        let run = Run::new().unwrap();
        for (turn, times) in [("1", "[20.0, 60.0]"), ("2", "[100.0]")] {
            let dir = run.dir().join(turn).join("g/f/new");
            fs::create_dir_all(&dir).unwrap();
            let about = r#"{"full_id":"g/f","throughput":{"Elements":10}}"#;
            fs::write(dir.join("benchmark.json"), about).unwrap();
            let sample = format!(r#"{{"iters":[1.0,2.0],"times":{times}}}"#);
            fs::write(dir.join("sample.json"), sample).unwrap();
        }
        let samples = Samples::read(run.dir()).unwrap();
        let iteration = samples.iteration("g/f").unwrap();
        assert_eq!(
            (iteration.min(), iteration.median(), iteration.max()),
            (20.0, 30.0, 100.0)
        );
        assert_eq!(samples.element("g/f").unwrap().median(), 3.0);
        assert_eq!(samples.iteration("g/other"), None);
    }
}
