// SPDX-License-Identifier: Apache-2.0
//! Ctrl-C and SIGTERM: clean up, then go.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a program ended by Ctrl-C, as shells give it.
const INTERRUPTED: i32 = 130;

/// Whether a signal has come.
#[derive(Clone, Debug, Default)]
pub struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    /// After a signal, never returns: the clean-up under way ends the program. Called where work has
    /// failed, since a signal makes it fail.
    pub fn give_way(&self) {
        while self.0.load(Ordering::SeqCst) {
            thread::park();
        }
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP call `clean_up` once and end the program with code 130.
///
/// # Errors
/// The handlers cannot be installed.
pub fn on_interrupt(clean_up: impl FnOnce() + Send + 'static) -> Result<Interrupted> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let [mut interrupt, mut terminate, mut hangup] = {
        let _inside = runtime.enter();
        [
            watch(SignalKind::interrupt())?,
            watch(SignalKind::terminate())?,
            watch(SignalKind::hangup())?,
        ]
    };
    let interrupted = Interrupted::default();
    let flag = interrupted.clone();
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        flag.0.store(true, Ordering::SeqCst);
        clean_up();
        process::exit(INTERRUPTED);
    });
    Ok(interrupted)
}

fn watch(kind: SignalKind) -> Result<Signal> {
    signal(kind).context("cannot watch for signals")
}
