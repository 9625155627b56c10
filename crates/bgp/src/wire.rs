// SPDX-License-Identifier: Apache-2.0
//! The BGP-4 wire format: bytes to values and back.
//!
//! Owns the layout of the five messages, of capabilities, path attributes and prefixes, and the verdict
//! on each fault in what a peer sends: the NOTIFICATION that resets the session, or what RFC 7606 asks
//! for instead. Never owns a connection, a timer or a route, never logs, and never allocates more than
//! the bytes at hand can fill.
//!
//! Receiving: [`frame`] cuts a byte buffer into [`Frame`]s, [`Message::parse`] reads one. Sending: each
//! message has an `emit`; routes go through [`EncodedAttributes`] and [`UpdateWriter`].
//!
//! RFC 4271 (BGP-4), 1997 (communities), 2918 and 7313 (route refresh), 4456 (route reflection
//! attributes), 4486, 8203 and 9003 (Cease), 4724 and 8538 (graceful restart), 4760 (multiprotocol), 5492
//! (capabilities), 6286 (BGP Identifier), 6608 (FSM errors), 6793 (four-octet AS), 7606 (error handling),
//! 7607 (AS 0), 8092 (large communities), 8654 (extended messages), 8950 (IPv6 next hops of IPv4 routes), 9072 (long
//! OPEN parameters), 9687 (send hold timer).

#![deny(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod attribute;
mod attributes;
mod capability;
mod cursor;
mod encode;
mod family;
mod header;
mod message;
mod multiprotocol;
mod nlri;
mod notification;
mod open;
mod path;
mod refresh;
mod subcode;
mod update;
mod writer;

#[cfg(test)]
mod tests;

pub use attribute::{Disposition, Fault};
pub use attributes::{Attributes, Origin};
pub use capability::{Capability, ExtendedNextHop, GracefulFamily, GracefulRestart};
pub use encode::{Announcement, EncodedAttributes};
pub use family::AfiSafi;
pub use header::{Frame, Framing, HEADER_LEN, MaxLength, MessageType, SessionReset, frame};
pub use message::{Message, Options, PeerKind, emit_keepalive};
pub use multiprotocol::NextHop;
pub use nlri::Prefixes;
pub use notification::Notification;
pub use open::Open;
pub use path::{AsPath, AsWidth, Segment, SegmentKind};
pub use refresh::{RefreshSubtype, RouteRefresh};
pub use subcode::{
    CeaseError, ErrorCode, FsmError, HeaderError, OpenError, RefreshError, UpdateError,
};
pub use update::Update;
pub use writer::{UpdateWriter, emit_end_of_rib};
