// SPDX-License-Identifier: Apache-2.0
//! On what the figures were measured: processor, kernel, memory, and how busy it was.

use std::{fs, thread::available_parallelism};

/// One line about the machine.
#[must_use]
pub fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name");
    let memory = field("/proc/meminfo", "MemTotal");
    let kernel = read("/proc/sys/kernel/osrelease");
    let cores = available_parallelism().map_or(1, usize::from);
    format!(
        "{cores} cores ({cpu}), {memory} of memory, Linux {}",
        kernel.trim()
    )
}

/// The load average of the last minute.
#[must_use]
pub fn load() -> String {
    let text = read("/proc/loadavg");
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn field(path: &str, name: &str) -> String {
    let text = read(path);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.split_once(':'));
    line.map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}

fn read(path: &str) -> String {
    // What the kernel does not tell is left out.
    fs::read_to_string(path).unwrap_or_default()
}
