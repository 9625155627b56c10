// SPDX-License-Identifier: Apache-2.0
//! Where the programs of this project lie.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The lab's own program, whose subcommands serve pages and probe them inside namespaces:
/// `FERROLB_LAB_BIN`, or beside the running program.
///
/// # Errors
/// It is not built.
pub fn lab() -> Result<PathBuf> {
    find("FERROLB_LAB_BIN", "ferrolb-lab")
}

/// The program under test: `FERROLB_BIN`, or beside the running program.
///
/// # Errors
/// It is not built.
pub fn ferrolb() -> Result<PathBuf> {
    find("FERROLB_BIN", "ferrolb")
}

/// The engine under made-up routes: `FERROLB_ROUTE_GENERATOR_BIN`, or in `examples` beside the running
/// program.
///
/// # Errors
/// It is not built.
pub fn route_generator() -> Result<PathBuf> {
    find("FERROLB_ROUTE_GENERATOR_BIN", "examples/route_generator")
}

fn find(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        let path = PathBuf::from(path);
        return exists(&path)
            .then_some(path)
            .with_context(|| format!("{variable} names no file"));
    }
    let own = env::current_exe()?;
    // Tests and benchmarks lie in `deps`, one folder below the programs.
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|dir| dir.join(name))
        .find(|path| exists(path))
        .with_context(|| {
            format!(
                "{name} is not beside {}: build it, or set {variable}",
                own.display()
            )
        })
}

fn exists(path: &Path) -> bool {
    path.is_file()
}
