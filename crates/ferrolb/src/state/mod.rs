// SPDX-License-Identifier: Apache-2.0
//! What the folder source remembers across restarts: who holds which address, and the last good text
//! of each manifest.
//!
//! One controller writes the addresses, under a lock; any number of speakers read the same file.

pub mod format;
mod last_good;
pub mod lock;
pub mod store;

pub use format::{Generation, Held};
pub use last_good::LastGood;
pub use lock::Lock;
pub use store::{Loaded, Store};
