// SPDX-License-Identifier: Apache-2.0
//! The asking process (`ferrolb-lab probe ADDRESS:PORT`).
//!
//! Writes one line for each request as it ends, `BEGUN ENDED ok NAME` or `BEGUN ENDED failed WHY`, and
//! `NOW mark TEXT` for each line it reads; times in microseconds since it started. Ends when its
//! standard input closes.
//!
//! Requests begin at a steady pace whatever became of those before: workers overlap, so that an
//! outage is seen with the resolution of the pace, not of the time-out.

use std::{
    io::{self, BufRead, Write},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::ask;

/// How many requests may be under way at once.
const WORKERS: u32 = 32;

/// How the child asks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From the start of one request to the next.
    pub interval: Duration,
    /// How long a step of a request may take before it counts as failed.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(2),
            patience: Duration::from_millis(60),
        }
    }
}

/// Asks until standard input closes.
///
/// # Errors
/// Standard input or output fails.
pub fn probe(target: SocketAddr, pace: Pace) -> Result<()> {
    let origin = Instant::now();
    let turns = Arc::new(Mutex::new(origin));
    for _ in 0..WORKERS {
        let turns = Arc::clone(&turns);
        thread::spawn(move || {
            loop {
                wait_for_turn(&turns, pace.interval);
                let line = request(origin, target, pace.patience);
                say(&line);
            }
        });
    }
    for line in io::stdin().lock().lines() {
        say(&format!("{} mark {}", micros(origin), line?));
    }
    Ok(())
}

/// Takes the next turn and sleeps until it comes.
fn wait_for_turn(turns: &Mutex<Instant>, interval: Duration) {
    let turn = {
        let mut next = turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Turns missed while every worker waited are not made up for.
        let turn = (*next).max(Instant::now());
        *next = turn + interval;
        turn
    };
    thread::sleep(turn.saturating_duration_since(Instant::now()));
}

fn request(origin: Instant, target: SocketAddr, patience: Duration) -> String {
    let begun = micros(origin);
    let outcome = match ask(target, patience) {
        Ok(name) => format!("ok {name}"),
        Err(error) => format!("failed {error}"),
    };
    format!("{begun} {} {outcome}", micros(origin))
}

fn micros(origin: Instant) -> u128 {
    origin.elapsed().as_micros()
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    // Nobody reads any more: the parent is gone, and standard input is about to end.
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
