// SPDX-License-Identifier: Apache-2.0
//! `ferrolb status`: what the running processes do.

use std::path::PathBuf;

use anyhow::Context as _;
use ferrolb_types::{Diagnostic, ObjectRef, codes};
use serde_json::Value;

use super::{Ending, failed, print, refused};
use crate::{
    args::{Form, StatusArgs, StatusChoice, missing},
    status::{Report, render, socket},
};

/// Asks and prints. Fine when everybody asked has answered.
#[must_use]
pub fn run(args: &StatusArgs) -> Ending {
    let choice = match args.choose() {
        Ok(StatusChoice::Cluster(_)) => {
            return refused(&missing(
                "--dir",
                "it needs a folder or a socket",
                "name one",
            ));
        }
        Ok(choice) => choice,
        Err(refusal) => return refused(&refusal),
    };
    let (place, sockets) = match sockets(&choice) {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    let mut reports = Vec::new();
    for path in &sockets {
        match socket::ask(path) {
            Ok(report) => reports.push(report),
            Err(error) => eprintln!(
                "warning: {}",
                silent(path.display().to_string(), error.to_string())
            ),
        }
    }
    if reports.is_empty() {
        return refused(&silent(place, "nobody listens".to_owned()));
    }
    let complete = reports.len() == sockets.len();
    match show(args, reports) {
        Ok(()) if complete => Ending::Fine,
        Ok(()) => Ending::Faults,
        Err(error) => failed(&error),
    }
}

/// The sockets to ask, and where they are.
fn sockets(choice: &StatusChoice) -> anyhow::Result<(String, Vec<PathBuf>)> {
    match choice {
        StatusChoice::Socket(socket) => Ok((socket.display().to_string(), vec![socket.clone()])),
        StatusChoice::StateDir(dir) => {
            let place = dir.display().to_string();
            let sockets =
                socket::sockets(dir).with_context(|| format!("state directory {place}"))?;
            Ok((place, sockets))
        }
        StatusChoice::Cluster(_) => Ok((String::new(), Vec::new())),
    }
}

fn silent(place: String, cause: String) -> Diagnostic {
    let object = ObjectRef::new("socket", "", place);
    let remedy = "start a role on this folder, or name the socket it was given with --socket";
    Diagnostic::error(codes::command::X005, object, cause, remedy)
}

/// One process: its report. Several: a list of them.
fn show(args: &StatusArgs, mut reports: Vec<Value>) -> anyhow::Result<()> {
    if args.output == Form::Json {
        let value = match reports.pop() {
            Some(one) if args.socket.is_some() => one,
            last => Value::Array(reports.into_iter().chain(last).collect()),
        };
        print(&(serde_json::to_string_pretty(&value)? + "\n"));
        return Ok(());
    }
    let mut texts = Vec::new();
    for report in reports {
        let report: Report =
            serde_json::from_value(report).context("a report of another version")?;
        texts.push(render(&report));
    }
    print(&texts.join("\n"));
    Ok(())
}
