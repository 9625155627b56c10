// SPDX-License-Identifier: Apache-2.0
//! A client that asks again and again, and what its answers say of outages.
//!
//! [`child`] is the asking process, [`Prober`] the handle on it, [`samples`] the judgement. All times
//! are the child's own monotonic clock, faults included: [`Prober::mark`] has the child note the
//! moment.

pub mod child;
mod prober;
pub mod samples;

pub use prober::Prober;
pub use samples::{Answer, Mark, Outage, Sample, Samples};

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{netns::Namespace, tools};

/// One request on a new connection; returns the first line of the page.
///
/// # Errors
/// No connection, no answer within `patience` for each step, or not status 200.
pub fn ask(target: SocketAddr, patience: Duration) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&target, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    // In one piece: a server may answer and close after the first it reads.
    let request = format!("GET / HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    if !head.starts_with("HTTP/1.1 200 ") {
        bail!("no page");
    }
    Ok(body.lines().next().unwrap_or_default().to_owned())
}

/// One request from a namespace; returns the first line of the page.
///
/// # Errors
/// As [`ask`].
pub fn get(client: &Namespace, target: SocketAddr) -> Result<String> {
    let program = tools::lab()?;
    let target = target.to_string();
    let out = client.exec(&program.to_string_lossy(), &["get", &target])?;
    Ok(out.trim().to_owned())
}
