// SPDX-License-Identifier: Apache-2.0
//! One command to its end: bounded in time, output captured.
//!
//! Never leaves a child behind: one that outlives its time is killed and reaped.

use std::{
    io::{Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How long a command of the lab may take unless the caller says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What a finished command left.
#[derive(Debug)]
pub struct Captured {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Captured {
    /// The output, or an error with what the command said when it failed.
    ///
    /// # Errors
    /// The command ended with a code other than 0.
    pub fn success(self) -> Result<String> {
        if !self.status.success() {
            bail!("{}: {}{}", self.status, self.stderr, self.stdout);
        }
        Ok(self.stdout)
    }
}

/// Runs a command with empty input to its end, within `patience`.
///
/// # Errors
/// It cannot be started, or does not end in time.
pub fn run(command: Command, patience: Duration) -> Result<Captured> {
    run_with_input(command, "", patience)
}

/// Runs a command that reads `input`, to its end, within `patience`.
///
/// # Errors
/// It cannot be started, or does not end in time.
pub fn run_with_input(mut command: Command, input: &str, patience: Duration) -> Result<Captured> {
    let said = format!("{command:?}");
    let deadline = Instant::now() + patience;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {said}"))?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    feed(&mut child, input);
    let (Ok(stdout), Ok(stderr)) = (within(&stdout, deadline), within(&stderr, deadline)) else {
        end(&mut child);
        bail!("{said} did not end within {patience:?}");
    };
    let status = child.wait()?;
    Ok(Captured {
        status,
        stdout,
        stderr,
    })
}

fn collect(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // An error ends the output early; the exit status tells the caller of it.
            let _ = stream.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

fn feed(child: &mut Child, input: &str) {
    if let Some(mut stdin) = child.stdin.take() {
        // A child that ended without reading is judged by its exit status.
        let _ = stdin.write_all(input.as_bytes());
    }
}

fn within(
    output: &mpsc::Receiver<String>,
    deadline: Instant,
) -> Result<String, mpsc::RecvTimeoutError> {
    output.recv_timeout(deadline.saturating_duration_since(Instant::now()))
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn captures_output_and_status() {
        let done = run(shell("echo out; echo err >&2; exit 3"), PATIENCE).unwrap();
        assert_eq!(
            (done.stdout.as_str(), done.stderr.as_str()),
            ("out\n", "err\n")
        );
        assert_eq!(done.status.code(), Some(3));
        assert!(done.success().unwrap_err().to_string().contains("err"));
    }

    #[test]
    fn ends_a_command_that_hangs() {
        let before = Instant::now();
        let error = run(shell("exec sleep 30"), Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("did not end within"));
        assert!(before.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn hands_input_over() {
        let mut command = Command::new("cat");
        command.arg("-");
        assert_eq!(
            run_with_input(command, "hello", PATIENCE).unwrap().stdout,
            "hello"
        );
    }
}
