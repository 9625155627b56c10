// SPDX-License-Identifier: Apache-2.0
//! BIRD's control socket, asked directly: starting `birdc` for each question would be most of what is
//! measured.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// How long BIRD may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to BIRD's control socket.
pub(super) struct Birdc(BufReader<UnixStream>);

impl Birdc {
    /// Connects, and reads BIRD's greeting.
    pub(super) fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).context("BIRD's control socket")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut birdc = Self(BufReader::new(stream));
        birdc.answer()?;
        Ok(birdc)
    }

    /// Whether BIRD has a route for exactly this prefix.
    pub(super) fn has(&mut self, prefix: &str) -> Result<bool> {
        let question = format!("show route {prefix}\n");
        self.0.get_mut().write_all(question.as_bytes())?;
        // 8001: "Network not found".
        Ok(self.answer()? != "8001")
    }

    /// Reads to the end of an answer: a line with a code and a space behind it. Gives that code.
    fn answer(&mut self) -> Result<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                bail!("BIRD closed its control socket");
            }
            let (code, rest) = line.split_at_checked(4).unwrap_or_default();
            if code.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with(' ') {
                return Ok(code.to_owned());
            }
        }
    }
}
