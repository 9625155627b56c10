// SPDX-License-Identifier: Apache-2.0
//! An event as a line of JSON.

use std::{fmt, path::Path};

use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

/// Writes events as lines of JSON.
pub(super) struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let meta = event.metadata();
        fields.set("level", word(*meta.level()).into());
        let mut now = String::new();
        SystemTime.format_time(&mut Writer::new(&mut now))?;
        fields.set("ts", now.into());
        let file = meta.file().map(Path::new).and_then(Path::file_name);
        if let (Some(file), Some(line)) = (file, meta.line()) {
            fields.set(
                "caller",
                format!("{}:{line}", file.to_string_lossy()).into(),
            );
        }
        writeln!(writer, "{}", Value::Object(fields.0))
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        _ => "debug",
    }
}

/// The fields of an event, by name; the message is `msg`.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, name: &str, value: Value) {
        let name = match name {
            "message" => "msg",
            name => name.strip_prefix("r#").unwrap_or(name),
        };
        self.0.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(act: impl FnOnce()) -> Value {
        let sink = Sink::default();
        let into = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(Lines)
            .with_writer(move || into.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, act);
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "one line: {text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_line_has_metallbs_keys_and_the_fields() {
        let line =
            logged(|| tracing::warn!(peer = %"tor\n1", count = 3_u64, ok = true, "gone \"away\""));
        assert_eq!(line["level"], "warn");
        assert_eq!(line["msg"], "gone \"away\"");
        assert_eq!(line["peer"], "tor\n1");
        assert_eq!(line["count"], 3);
        assert_eq!(line["ok"], true);
        let caller = line["caller"].as_str().unwrap();
        assert!(caller.starts_with("json.rs:"), "{caller}");
        let time = line["ts"].as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    }

    #[test]
    fn a_field_cannot_pass_for_the_level() {
        let line = logged(|| tracing::info!(level = "error", ts = "never", "calm"));
        assert_eq!(line["level"], "info");
        assert_ne!(line["ts"], "never");
    }
}
