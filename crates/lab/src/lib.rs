// SPDX-License-Identifier: Apache-2.0
//! Network-namespace topologies with real routers, clients and faults.
//!
//! A [`Run`] owns everything one test, benchmark or demo makes: namespaces, processes and a folder
//! for their files. It takes all of it away again when it is dropped, closed by a signal, or found
//! dead by the next run. On top of it stand the [`topology`] (a LAN with nodes, routers and
//! clients), the [`routers`] judged through their own command lines, the [`probe`] that measures
//! outages from a client's view, the [`faults`], a real API server with its store ([`cluster`]), and the
//! handle on the program under test ([`ferrolb`]).
//!
//! Nothing here touches the host's own network: every command runs inside a namespace made by the
//! run. Root is needed; [`require`] says so in words where it is missing.

pub mod bench;
pub mod cluster;
pub mod confine;
pub mod demo;
pub mod exec;
pub mod faults;
pub mod ferrolb;
pub mod link;
pub mod measure;
pub mod netns;
pub mod probe;
pub mod process;
pub mod reference;
pub mod require;
pub mod routers;
pub mod run;
pub mod serve;
pub mod signals;
pub mod sniff;
pub mod tools;
pub mod topology;
pub mod wait;

pub use netns::Namespace;
pub use process::Process;
pub use run::Run;
