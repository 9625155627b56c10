// SPDX-License-Identifier: Apache-2.0
//! What a process has used: processor time and memory, as the kernel counts them (proc(5)).

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};

/// What a process has used since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Time on a processor, of all threads that live, in nanosecond steps (`schedstat`); where the
    /// kernel does not count it, user and system time in steps of 10 ms.
    pub cpu: Duration,
    /// The most memory it has held, in KiB (`VmHWM`).
    pub peak_kib: u64,
    /// The memory it holds now, in KiB (`VmRSS`).
    pub resident_kib: u64,
}

impl Usage {
    /// Reads the usage of a living process.
    ///
    /// # Errors
    /// The process is gone.
    pub fn of(pid: u32) -> Result<Self> {
        let dir = format!("/proc/{pid}");
        let status = fs::read_to_string(format!("{dir}/status"))
            .with_context(|| format!("no process {pid}"))?;
        Ok(Self {
            cpu: scheduled(Path::new(&dir)).map_or_else(|| ticks(&dir), Ok)?,
            peak_kib: kib(&status, "VmHWM:")?,
            resident_kib: kib(&status, "VmRSS:")?,
        })
    }
}

fn kib(status: &str, field: &str) -> Result<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.split_whitespace().next())
        .with_context(|| format!("no {field}"))?
        .parse()
        .with_context(|| format!("{field} is no number"))
}

fn scheduled(dir: &Path) -> Option<Duration> {
    let mut total = 0;
    for task in fs::read_dir(dir.join("task")).ok()? {
        let line = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        total += line.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    (total > 0).then(|| Duration::from_nanos(total))
}

/// User and system time; a tick is 10 ms on every architecture's user interface.
fn ticks(dir: &str) -> Result<Duration> {
    let stat = fs::read_to_string(format!("{dir}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("stat has no name")?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap_or(0))
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, process::id, time::Instant};

    use super::*;

    #[test]
    fn sees_its_own_work_and_memory() {
        let before = Usage::of(id()).unwrap();
        let block = vec![1_u8; 64 << 20];
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(30) {
            black_box(block.iter().map(|&b| u64::from(b)).sum::<u64>());
        }
        let after = Usage::of(id()).unwrap();
        assert!(after.cpu > before.cpu);
        assert!(after.peak_kib >= before.resident_kib + (60 << 10));
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        assert!(Usage::of(u32::MAX).is_err());
    }
}
