// SPDX-License-Identifier: Apache-2.0
//! The messages together, and what of the session their meaning depends on.

use bytes::BytesMut;

use super::{
    AsWidth, Frame, MaxLength, MessageType, Notification, Open, RouteRefresh, SessionReset, Update,
    header,
};

/// What the meaning of received messages depends on: both sides agreed on it in their OPENs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The width of AS numbers in AS_PATH and AGGREGATOR.
    pub as_width: AsWidth,
    /// Whether the peer is in our own AS.
    pub peer: PeerKind,
    /// Whether IPv4 routes may come with IPv6 next hops (RFC 8950).
    pub ipv4_over_ipv6: bool,
}

impl Default for Options {
    /// As before the OPENs are exchanged: two-octet AS numbers, an external peer.
    fn default() -> Self {
        Self {
            as_width: AsWidth::Two,
            peer: PeerKind::External,
            ipv4_over_ipv6: false,
        }
    }
}

/// Whether a peer is in our own AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerKind {
    /// It is in another.
    External,
    /// It is.
    Internal,
}

/// A received message.
#[expect(
    clippy::large_enum_variant,
    reason = "read and dropped in one turn, never stored"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// OPEN.
    Open(Open),
    /// UPDATE.
    Update(Update<'a>),
    /// NOTIFICATION.
    Notification(Notification),
    /// KEEPALIVE.
    KeepAlive,
    /// ROUTE-REFRESH.
    RouteRefresh(RouteRefresh),
}

impl<'a> Message<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// When the session must be reset. Lesser faults of an UPDATE are told by [`Update::faults`]. A
    /// malformed NOTIFICATION is never answered with another (RFC 4271 section 6.4): close instead.
    pub fn parse(frame: Frame<'a>, options: &Options) -> Result<Self, SessionReset> {
        Ok(match frame.kind {
            MessageType::Open => Self::Open(Open::parse(frame.body)?),
            MessageType::Update => Self::Update(Update::parse(frame.body, options)?),
            MessageType::Notification => Self::Notification(Notification::parse(frame.body)?),
            MessageType::KeepAlive => Self::KeepAlive,
            MessageType::RouteRefresh => Self::RouteRefresh(RouteRefresh::parse(frame.body)?),
        })
    }
}

/// Appends a KEEPALIVE: a header alone.
pub fn emit_keepalive(buf: &mut BytesMut) {
    header::emit(buf, MessageType::KeepAlive, MaxLength::Standard, |_| {});
}
