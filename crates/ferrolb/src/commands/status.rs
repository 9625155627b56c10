// SPDX-License-Identifier: Apache-2.0
//! `ferrolb status`: what the running processes do.

use anyhow::{Context as _, anyhow};
use ferrolb_types::{Diagnostic, ObjectRef, codes};
use serde_json::Value;

use super::{
    Ending, block_on, failed, print, refused,
    running::{self, Running},
};
use crate::{
    args::{Form, StatusArgs, StatusChoice, bad_path},
    status::{Report, render, socket},
};

/// Asks and prints. Fine when everybody asked has answered.
#[must_use]
pub fn run(args: &StatusArgs) -> Ending {
    let choice = match args.choose() {
        Ok(choice) => choice,
        Err(refusal) => return refused(&refusal),
    };
    let (place, running) = match ask(&choice) {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    let (mut reports, mut silent) = (Vec::new(), Vec::new());
    for one in running {
        match one.answer {
            Ok(report) => reports.push(report),
            Err(why) => silent.push(unheard(&choice, one.place, why)),
        }
    }
    if reports.is_empty() {
        let nobody = || unheard(&choice, place, "nobody listens".to_owned());
        let last = silent.pop().unwrap_or_else(nobody);
        warn(&silent);
        return refused(&last);
    }
    warn(&silent);
    let complete = silent.is_empty();
    match show(args, reports) {
        Ok(()) if complete => Ending::Fine,
        Ok(()) => Ending::Faults,
        Err(error) => failed(&error),
    }
}

/// Where was asked, and what was answered.
fn ask(choice: &StatusChoice) -> anyhow::Result<(String, Vec<Running>)> {
    match choice {
        StatusChoice::Socket(socket) => {
            let running = running::on_sockets(std::slice::from_ref(socket)).running;
            Ok((socket.display().to_string(), running))
        }
        StatusChoice::StateDir(dir) => {
            let place = dir.display().to_string();
            let sockets = socket::sockets(dir).map_err(|error| {
                let cause = format!("the state directory cannot be read: {error}");
                let remedy = "name the folder or the state directory of a role with --dir or \
                              --state-dir, or its socket with --socket";
                anyhow!("{}", bad_path("--dir or --state-dir", dir, &cause, remedy))
            })?;
            Ok((place, running::on_sockets(&sockets).running))
        }
        StatusChoice::Cluster(args) => block_on(async {
            let cluster = crate::cluster::connect(args, "cli").await?;
            let place = format!("namespace {}", cluster.namespace());
            Ok((place, running::in_pods(&cluster).await.running))
        }),
    }
}

fn warn(silent: &[Diagnostic]) {
    for one in silent {
        eprintln!("warning: {one}");
    }
}

fn unheard(choice: &StatusChoice, place: String, cause: String) -> Diagnostic {
    let (kind, remedy) = match choice {
        StatusChoice::Socket(_) | StatusChoice::StateDir(_) => (
            "socket",
            "start a role on this folder, or name the socket it was given with --socket",
        ),
        StatusChoice::Cluster(_) => (
            "process",
            "see whether it runs, and whether the API server reaches its port of the metrics",
        ),
    };
    let object = ObjectRef::new(kind, "", place);
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
