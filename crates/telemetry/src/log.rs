// SPDX-License-Identifier: Apache-2.0
//! The log: one subscriber for the process.
//!
//! Text is for people, on standard error; JSON lines on standard output have MetalLB's keys: `caller`
//! (file and line), `level`, `msg`, `ts`, and the fields of the event beside them. An event names no
//! secret, so no line does.

mod json;

use std::{env, io};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    fmt,
    layer::SubscriberExt as _,
    registry,
    util::{SubscriberInitExt as _, TryInitError},
};

/// MetalLB's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    All,
    /// What helps to find a fault.
    Debug,
    /// What happens.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
    /// Nothing.
    None,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::All => Self::TRACE,
            Level::Debug => Self::DEBUG,
            Level::Info => Self::INFO,
            Level::Warn => Self::WARN,
            Level::Error => Self::ERROR,
            Level::None => Self::OFF,
        }
    }
}

/// How a line looks, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for people, on standard error.
    Text,
    /// A JSON object a line, on standard error: beside a program that prints its answer.
    Json,
    /// The same on standard output, where MetalLB's lines are.
    JsonOut,
}

/// The client of the API server. It logs an error for each request that fails, without saying which: whoever
/// asked says it once, with its cause.
const CLIENT: &str = "kube_client";

/// What is logged: what `named` says, and `level` where it says nothing.
fn filter(level: Level, named: &str) -> Targets {
    // An empty text would be read as a directive of its own.
    let named = Some(named.trim()).filter(|named| !named.is_empty());
    let filter: Targets = named
        .and_then(|named| named.parse().ok())
        .unwrap_or_default();
    let filter = match filter.default_level() {
        None => filter.with_default(LevelFilter::from(level)),
        Some(_) => filter,
    };
    if named.is_some_and(|named| named.contains(CLIENT)) {
        return filter;
    }
    filter.with_target(CLIENT, LevelFilter::OFF)
}

/// Installs the subscriber. `FERROLB_LOG` refines the level per module, for example
/// `info,ferrolb_bgp=debug`. A second call keeps the first subscriber.
pub fn init(level: Level, format: Format) {
    let filter = filter(level, &env::var("FERROLB_LOG").unwrap_or_default());
    let _ = match format {
        Format::Text => install(
            fmt::layer().with_ansi(false).with_writer(io::stderr),
            filter,
        ),
        Format::Json => install(
            fmt::layer()
                .event_format(json::Lines)
                .with_writer(io::stderr),
            filter,
        ),
        Format::JsonOut => install(
            fmt::layer()
                .event_format(json::Lines)
                .with_writer(io::stdout),
            filter,
        ),
    };
}

fn install<L>(layer: L, filter: Targets) -> Result<(), TryInitError>
where
    L: Layer<Registry> + Send + Sync,
{
    registry().with(layer.with_filter(filter)).try_init()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_word_the_level_holds() {
        for named in ["", " ", "no,such=thing=at all"] {
            let filter = filter(Level::Info, named);
            assert_eq!(filter.default_level(), Some(LevelFilter::INFO), "{named:?}");
        }
        let refined = filter(Level::Info, "ferrolb_bgp=debug");
        assert!(refined.would_enable("ferrolb_bgp::session", &tracing::Level::DEBUG));
        assert!(!refined.would_enable("ferrolb", &tracing::Level::DEBUG));
        assert!(refined.would_enable("ferrolb", &tracing::Level::INFO));
        assert!(!refined.would_enable("kube_client::client::builder", &tracing::Level::ERROR));
        let client = filter(Level::Info, "kube_client=debug");
        assert!(client.would_enable("kube_client::client", &tracing::Level::DEBUG));
        let replaced = filter(Level::Info, "warn");
        assert_eq!(replaced.default_level(), Some(LevelFilter::WARN));
    }
}
