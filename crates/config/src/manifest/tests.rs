// SPDX-License-Identifier: Apache-2.0
//! Texts with every fault there is, and where each is found.

mod core_kinds;
mod faults;
mod folder;
mod good;
mod hostile;

use super::{Parsed, parse};

/// Parses a text as the file `f.yaml`, namespace `lb`.
fn read(text: &str) -> Parsed {
    parse(&"f.yaml".into(), text, "lb")
}

/// The diagnostics as `line:column code field "value": cause`, a line each.
fn shown(parsed: &Parsed) -> Vec<String> {
    let line = |diagnostic: &ferrolb_types::Diagnostic| {
        let position = diagnostic
            .position
            .as_ref()
            .expect("every fault has its place");
        let value = diagnostic
            .value
            .as_ref()
            .map(|v| format!(" {v:?}"))
            .unwrap_or_default();
        let code = diagnostic.code.id().trim_start_matches("FLB-");
        format!(
            "{}:{} {code} {}{value}",
            position.line, position.column, diagnostic.field
        )
    };
    parsed.diagnostics.iter().map(line).collect()
}

/// The objects, a name each.
fn names(parsed: &Parsed) -> Vec<String> {
    parsed
        .manifests
        .iter()
        .map(|m| m.object.reference().to_string())
        .collect()
}
