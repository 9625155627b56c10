// SPDX-License-Identifier: Apache-2.0
//! BGP-4 without I/O: sessions, the RIB and the wire format.
//!
//! [`Speaker`] is the machine a driver runs: it takes [`Input`]s with the time attached and gives
//! [`Output`]s; routes are pulled by [`Speaker::transmit`] only while a socket takes bytes. There is no
//! socket, task, clock or randomness in here, so a whole network runs in one test with a virtual clock.
//!
//! A driver's turn, for whatever happened:
//!
//! ```text
//! speaker.handle(now, input);
//! while let Some(output) = speaker.poll() { /* connect, close, remember WantWrite, log events */ }
//! // for each connection that wants to write and whose socket takes bytes:
//! let more = speaker.transmit(now, conn, &mut buffer, 64 * 1024);
//! // then wait for a socket or for speaker.deadline()
//! ```
//!
//! Where to find what: [`PeerConfig`] in `config.rs` (with the table of what a changed field does in
//! `config/change.rs`), the state machine in `session.rs` and the files it names, the RIB in `rib.rs`, what
//! two OPENs reduce to in `negotiation.rs`, every problem's words in `error.rs`.

mod config;
mod error;
mod event;
mod negotiation;
mod output;
mod rib;
mod router_id;
mod session;
mod speaker;
mod status;
mod timers;
pub mod wire;

pub use config::{BGP_PORT, Effect, Families, Field, PeerConfig};
pub use error::Problem;
pub use event::{ConnId, Ends, Fault, Input, NextHops};
pub use negotiation::{Negotiated, RouteRefresh};
pub use output::{Connect, Event, Output, What};
pub use router_id::router_id_of_node;
pub use speaker::{Advertised, Options, Speaker};
pub use status::{FamilyStatus, Inbound, Link, Messages, PeerStatus, State};
pub use wire::NextHop;
