// SPDX-License-Identifier: Apache-2.0
//! The `ferrolb` program. Everything is in the library beside it.

use std::process::ExitCode;

use clap::Parser as _;
use ferrolb::args::{Cli, normalise};

// musl's own allocator is several times slower under threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ferrolb::run(Cli::parse_from(normalise(std::env::args_os())))
}
