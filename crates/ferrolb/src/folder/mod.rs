// SPDX-License-Identifier: Apache-2.0
//! The folder of manifests on disk: which files it holds, and what changed in them.
//!
//! Reading is apart from meaning: what a text says is judged by `ferrolb_config::manifest`.

mod scan;
mod watch;

pub use scan::{Content, FileChange, Scanner};
pub use watch::{Watcher, watch};
