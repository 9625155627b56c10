// SPDX-License-Identifier: Apache-2.0
//! `process_*`: the figures every Prometheus client gives of its process, from `/proc/self`.
//!
//! What cannot be read is left out.

use std::{fs, path::Path};

use crate::text::Page;

/// What Linux counts processor time in towards programs (`USER_HZ`), on x86 and ARM alike.
const TICKS: f64 = 100.0;

pub(super) fn write(page: &mut Page) {
    let read = |name: &str| fs::read_to_string(Path::new("/proc").join(name)).unwrap_or_default();
    if let Some((cpu, start)) = times(&read("self/stat")) {
        page.counter(
            "process_cpu_seconds_total",
            "Processor time used, in seconds.",
        )
        .add(&[], cpu / TICKS);
        if let Some(boot) = boot_time(&read("stat")) {
            page.gauge(
                "process_start_time_seconds",
                "When the process started, in seconds since 1970.",
            )
            .add(&[], boot + start / TICKS);
        }
    }
    write_memory(page, &read("self/status"));
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        page.gauge("process_open_fds", "Open file descriptors.")
            .add(&[], entries.count());
    }
    if let Some(most) = most_files(&read("self/limits")) {
        page.gauge("process_max_fds", "Most file descriptors that may be open.")
            .add(&[], most);
    }
}

fn write_memory(page: &mut Page, status: &str) {
    if let Some(bytes) = memory(status, "VmRSS:") {
        page.gauge(
            "process_resident_memory_bytes",
            "Memory resident, in bytes.",
        )
        .add(&[], bytes);
    }
    if let Some(bytes) = memory(status, "VmSize:") {
        page.gauge("process_virtual_memory_bytes", "Memory mapped, in bytes.")
            .add(&[], bytes);
    }
}

/// Processor time used and the time of the start, both in ticks, from `/proc/self/stat`.
fn times(stat: &str) -> Option<(f64, f64)> {
    // The name of the program may hold spaces and parentheses: the last one ends it.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // proc(5) counts from 1; two fields stand before the rest.
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    Some((field(14)? + field(15)?, field(22)?))
}

/// When the machine started, in seconds since 1970, from `/proc/stat`.
fn boot_time(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

/// A line of `/proc/self/status`, in bytes.
fn memory(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The soft limit of open files, from `/proc/self/limits`.
fn most_files(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_parenthesis_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 3 0 12345 99 100";
        assert_eq!(times(stat), Some((300.0, 12345.0)));
        assert_eq!(times("7 (a"), None);
    }

    #[test]
    fn this_process_is_told() {
        let mut page = Page::default();
        write(&mut page);
        let text = page.render();
        for name in [
            "process_cpu_seconds_total",
            "process_start_time_seconds",
            "process_resident_memory_bytes",
            "process_virtual_memory_bytes",
            "process_open_fds",
            "process_max_fds",
        ] {
            assert!(text.contains(&format!("\n{name} ")), "{name} in {text}");
        }
    }
}
