// SPDX-License-Identifier: Apache-2.0
//! What the demo prints: numbered scenes, commands with their output, and the figures at the end.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use anyhow::Result;

/// The screen, and the figures collected for its end.
pub(super) struct Screen {
    begun: Instant,
    scenes: u32,
    bold: bool,
    figures: Vec<(String, String)>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            scenes: 0,
            bold: io::stdout().is_terminal(),
            figures: Vec::new(),
        }
    }

    /// Begins a scene.
    pub(super) fn scene(&mut self, title: &str) -> Result<()> {
        self.scenes += 1;
        let line = format!("{}. {title}", self.scenes);
        self.write("")?;
        self.write(&self.strong(&line))
    }

    /// Says what is done or seen.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        self.write(&format!("   {text}"))
    }

    /// Shows a command with its output, at most `lines` lines of it.
    pub(super) fn command(&self, command: &str, output: &str, lines: usize) -> Result<()> {
        self.write(&format!("   {}", self.strong(&format!("$ {command}"))))?;
        let output: Vec<&str> = output
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        for line in output.iter().take(lines) {
            self.write(&format!("     {line}"))?;
        }
        if output.len() > lines {
            self.write(&format!("     … {} more lines", output.len() - lines))?;
        }
        Ok(())
    }

    /// Shows a figure now and again at the end.
    pub(super) fn figure(&mut self, what: &str, value: &str) -> Result<()> {
        self.figures.push((what.to_owned(), value.to_owned()));
        self.write(&format!(
            "   {}",
            self.strong(&format!("→ {what}: {value}"))
        ))
    }

    /// All figures once more.
    pub(super) fn summary(&self) -> Result<()> {
        self.write("")?;
        self.write(&self.strong("Summary"))?;
        let width = self
            .figures
            .iter()
            .map(|(what, _)| what.chars().count())
            .max();
        for (what, value) in &self.figures {
            let width = width.unwrap_or_default();
            self.write(&format!("   {what:<width$}  {value}"))?;
        }
        self.write(&format!(
            "   done in {:.0} s",
            self.begun.elapsed().as_secs_f64()
        ))
    }

    fn strong(&self, text: &str) -> String {
        if self.bold {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn write(&self, line: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        Ok(out.flush()?)
    }
}

/// A time in milliseconds, for people.
pub(super) fn ms(time: Duration) -> String {
    let value = time.as_secs_f64() * 1000.0;
    if value < 10.0 {
        format!("{value:.1} ms")
    } else {
        format!("{value:.0} ms")
    }
}
