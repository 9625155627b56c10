// SPDX-License-Identifier: Apache-2.0
//! Log set-up: one subscriber for the process, lines on standard error.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, fmt};

use crate::args::{LogFormat, LogLevel};

/// Installs the subscriber. `FERROLB_LOG` refines the level per module, for example
/// `info,ferrolb_bgp=debug`.
pub fn init(level: LogLevel, format: LogFormat) {
    let filter = EnvFilter::builder()
        .with_default_directive(filter(level).into())
        .with_env_var("FERROLB_LOG")
        .from_env_lossy();
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call (in tests) keeps the first subscriber.
    let _ = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::All => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::None => LevelFilter::OFF,
    }
}
