// SPDX-License-Identifier: Apache-2.0
//! Children that end with this program, however it ends.
//!
//! The kernel ends such a child when the *thread* that started it ends, so one thread starts them
//! all and stays: a cluster may outlive the test that made it.

use std::{
    sync::{
        OnceLock,
        mpsc::{self, Sender},
    },
    thread,
};

use anyhow::{Context, Result, anyhow};

use crate::{Namespace, Process, process::Spec};

type Job = Box<dyn FnOnce() + Send>;

/// Starts a child that SIGKILL ends when this program is gone.
pub(super) fn start(namespace: &Namespace, spec: &Spec) -> Result<Process> {
    let mut bound = spec.clone();
    let flags = ["--pdeathsig", "KILL", "--"].map(Into::into);
    bound.arguments = flags.into_iter().chain([spec.program.clone()]).collect();
    bound.arguments.extend(spec.arguments.iter().cloned());
    bound.program = "setpriv".into();
    let namespace = namespace.clone();
    let (tell, told) = mpsc::channel();
    let job = move || drop(tell.send(Process::start(&namespace, &bound)));
    starter()
        .send(Box::new(job))
        .map_err(|_| anyhow!("no starter"))?;
    told.recv().context("no starter")?
}

fn starter() -> &'static Sender<Job> {
    static STARTER: OnceLock<Sender<Job>> = OnceLock::new();
    STARTER.get_or_init(|| {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::spawn(move || jobs.iter().for_each(|job| job()));
        sender
    })
}
