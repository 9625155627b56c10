// SPDX-License-Identifier: Apache-2.0
//! The spellings of Go's `flag` package, and the names the program may be started under.

use std::{ffi::OsString, path::Path};

/// The long flags that MetalLB's users may write with one dash.
const ONE_DASH: &[&str] = &[
    "bgp-debounce-timeout",
    "cert-dir",
    "cert-service-name",
    "deployment",
    "disable-cert-rotation",
    "frrk8s-namespace",
    "frrk8s-secret-passthrough",
    "health-probe-port",
    "host",
    "ignore-exclude-lb",
    "kubeconfig",
    "lb-class",
    "log-level",
    "metrics-cert-dir",
    "ml-bindaddr",
    "ml-bindport",
    "ml-labels",
    "ml-secret-key-path",
    "ml-secret-name",
    "ml-wan-config",
    "namespace",
    "node-name",
    "pod-name",
    "port",
    "pprof-bind-address",
    "tls-cipher-suites",
    "tls-curve-preferences",
    "tls-min-version",
    "webhook-http2",
    "webhook-mode",
    "webhook-secret",
];

/// How the program was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CalledAs {
    /// By its own name, or any other.
    Itself,
    /// As one of MetalLB's programs: `controller` or `speaker`.
    Role(&'static str),
    /// As a plugin of kubectl.
    Plugin,
}

impl CalledAs {
    pub(super) fn of(program: Option<&OsString>) -> Self {
        let name = program.and_then(|program| Path::new(program).file_name()?.to_str());
        match name {
            Some("controller") => Self::Role("controller"),
            Some("speaker") => Self::Role("speaker"),
            Some("kubectl-ferrolb") => Self::Plugin,
            _ => Self::Itself,
        }
    }
}

/// The arguments with two dashes each, and with the role the name of the program stands for.
pub(super) fn normalise(
    arguments: impl IntoIterator<Item = OsString>,
) -> (CalledAs, Vec<OsString>) {
    let mut arguments = arguments.into_iter();
    let program = arguments.next();
    let called = CalledAs::of(program.as_ref());
    let role = match called {
        CalledAs::Role(role) => Some(role.into()),
        CalledAs::Itself | CalledAs::Plugin => None,
    };
    let rest = arguments.map(two_dashes);
    (
        called,
        program.into_iter().chain(role).chain(rest).collect(),
    )
}

/// Turns `-node-name=n1` into `--node-name=n1`.
fn two_dashes(argument: OsString) -> OsString {
    let Some(rest) = argument.to_str().and_then(|text| text.strip_prefix('-')) else {
        return argument;
    };
    let name = rest.split('=').next().unwrap_or_default();
    if ONE_DASH.contains(&name) {
        format!("--{rest}").into()
    } else {
        argument
    }
}

/// What Go takes for a boolean.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("it is neither true nor false".to_owned()),
    }
}
