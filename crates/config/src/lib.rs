// SPDX-License-Identifier: Apache-2.0
//! From manifests and resources to a checked, compiled [`Config`].
//!
//! Every fault is a [`ferrolb_types::Diagnostic`]. A broken object is refused alone: its neighbours
//! go on, and its own last good version stays in force. No I/O: texts and objects come in, values go out.

pub mod compile;
pub mod compiled;
pub mod convert;
pub mod duration;
pub mod extras;
pub mod manifest;
pub mod object;
pub mod render;
pub mod resources;
pub mod selector;
pub mod unreadable;

pub use compile::{Compiler, LastGood, MOST_OF_A_CODE, check, check_tolerating};
pub use compiled::Config;
pub use resources::Resources;
