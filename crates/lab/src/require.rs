// SPDX-License-Identifier: Apache-2.0
//! What the lab needs of the machine, said in words where it is missing.

use std::{env, fs, path::Path};

use anyhow::{Result, bail};

/// Whether a lab test can run here: root, iproute2, and the named programs.
///
/// Prints what is missing. Programs are looked up on `PATH`, or by path when they hold a slash.
///
/// # Errors
/// Something is missing and `CI=true`: there, a test that cannot run has failed.
pub fn able(programs: &[&str]) -> Result<bool> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(true);
    }
    let text = format!("not run, missing: {}", missing.join(", "));
    if env::var("CI").is_ok_and(|value| value == "true") {
        bail!("{text}");
    }
    eprintln!("{text}");
    Ok(false)
}

/// What is missing for the lab and the named programs.
#[must_use]
pub fn missing(programs: &[&str]) -> Vec<String> {
    let mut missing = Vec::new();
    if !is_root() {
        missing.push("root (network namespaces need it)".to_owned());
    }
    let wanted = ["ip", "nsenter", "sysctl", "kill"].iter().chain(programs);
    missing.extend(
        wanted
            .filter(|program| !is_installed(program))
            .map(|program| format!("the program {program}")),
    );
    missing
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status
            .lines()
            .filter_map(|line| line.strip_prefix("Uid:"))
            .any(|ids| ids.split_whitespace().nth(1) == Some("0"))
    })
}

fn is_installed(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|dir| dir.join(program).exists())
}
