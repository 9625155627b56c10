// SPDX-License-Identifier: Apache-2.0
//! Objects that tell people and programs how things stand. Each keeper is told what is desired, as often
//! as its teller likes, compares that with what stands in the API, and writes the difference alone.

mod configuration;
mod memberlist;
mod naming;
mod own;
mod pools;
mod services;

pub use configuration::{Component, ConfigurationStateOptions, ConfigurationStates, Verdict};
pub use memberlist::memberlist_secret;
pub use pools::PoolStatuses;
pub use services::{ServiceStatuses, ServiceStatusesOptions};
