// SPDX-License-Identifier: Apache-2.0
//! The `ferrolb` program. Everything is in the library beside it.

use std::process::ExitCode;

use ferrolb::args;

// musl's own allocator is several times slower under threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ferrolb_netio::memory::return_at_once();
    match args::parse(std::env::args_os()) {
        Ok(cli) => ferrolb::run(cli),
        Err(error) => error.exit(),
    }
}
