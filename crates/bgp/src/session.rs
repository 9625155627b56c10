// SPDX-License-Identifier: Apache-2.0
//! One peer: the state machine of RFC 4271 section 8, driven by its [`Speaker`](crate::Speaker).
//!
//! A session owns the attempt to connect ([`connector`]), up to two connections until their collision
//! is resolved ([`connection`], [`collision`]), connections that only have a NOTIFICATION left to write,
//! and what is remembered across connections ([`record`]). [`fsm`] says what each message does,
//! [`lifecycle`] how connections begin and end, [`transmit`] what is written, [`next_hop`] what an address
//! of ours that comes or goes changes.
//!
//! Never touches a socket or another session.
//!
//! RFC 4271 (sections 6.8, 8), 4724 (End-of-RIB), 6286 (AS-wide identifiers), 6608 (FSM errors), 7313
//! (enhanced refresh), 8203 and 9003 (shutdown text), 9687 (send hold timer).

mod collision;
mod connection;
mod connector;
mod context;
mod feed;
mod fsm;
mod lifecycle;
mod next_hop;
mod record;
mod status;
mod transmit;

use std::time::Instant;

use ferrolb_types::{Family, RouteAttributes};
use ipnet::IpNet;
use std::sync::Arc;

use crate::{
    ConnId, Ends, PeerConfig,
    rib::{Rib, RouteId},
    timers::{Backoff, Jitter},
};
use connection::{Connection, Phase};
use connector::Connector;
pub(crate) use context::Context;
pub(crate) use lifecycle::Stop;
use record::Record;

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Ours, Self::Theirs];

    fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// One peer.
#[derive(Debug)]
pub(crate) struct Session {
    config: PeerConfig,
    running: bool,
    connector: Connector,
    ours: Option<Connection>,
    theirs: Option<Connection>,
    closing: Vec<Connection>,
    backoff: Backoff,
    jitter: Jitter,
    record: Record,
}

impl Session {
    /// A peer not yet started.
    pub(crate) fn new(now: Instant, config: PeerConfig, seed: u64) -> Self {
        let jitter = Jitter::new(seed, config.name.as_str());
        Self {
            config,
            running: false,
            connector: Connector::Idle,
            ours: None,
            theirs: None,
            closing: Vec::new(),
            backoff: Backoff::default(),
            jitter,
            record: Record::new(now),
        }
    }

    /// What the peer is configured to be.
    pub(crate) fn config(&self) -> &PeerConfig {
        &self.config
    }

    /// How well an accepted connection fits: none if it is not from this peer; the higher the better.
    pub(crate) fn fit(&self, ends: &Ends) -> Option<u8> {
        if !self.running || self.config.remote != ends.remote.ip() {
            return None;
        }
        let by_source = self.config.source_address == Some(ends.local.ip());
        Some(2 * u8::from(by_source) + u8::from(self.theirs.is_none()))
    }

    /// Whether the connection is one of this peer's.
    pub(crate) fn owns(&self, conn: ConnId) -> bool {
        self.connector.is(conn) || self.connections().any(|link| link.id == conn)
    }

    /// Whether nothing is left to be written, after [`Session::stop`].
    pub(crate) fn is_finished(&self) -> bool {
        !self.running && self.closing.is_empty()
    }

    /// Does what is due.
    pub(crate) fn timeout(&mut self, ctx: &mut Context<'_>) {
        self.connector_timeout(ctx);
        for side in Side::BOTH {
            self.link_timeout(ctx, side);
        }
        self.closing_timeout(ctx);
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let connections = self.connections().filter_map(Connection::deadline);
        connections.chain(self.connector.deadline()).min()
    }

    /// A route changed.
    pub(crate) fn route_changed(&mut self, ctx: &mut Context<'_>, family: Family, id: RouteId) {
        let links = [&mut self.ours, &mut self.theirs].into_iter().flatten();
        for link in links.filter(|link| link.is_established()) {
            link.route_changed(ctx, &self.config.name, family, id);
        }
    }

    /// The desired routes are complete: withdrawals and End-of-RIB may go out.
    pub(crate) fn synced(&mut self, ctx: &mut Context<'_>) {
        if let Some(link) = self.established_mut()
            && link.feeds.iter().any(|feed| feed.has_work(true))
        {
            link.ask(ctx);
        }
    }

    /// The prefixes the peer has, with their attributes; empty unless established.
    pub(crate) fn announced<'a>(
        &'a self,
        rib: &'a Rib,
    ) -> impl Iterator<Item = (IpNet, &'a Arc<RouteAttributes>)> + 'a {
        self.established()
            .into_iter()
            .flat_map(|link| &link.feeds)
            .flat_map(|feed| rib.announced(feed.family, &feed.outbox))
    }

    /// The connection routes are exchanged on.
    fn established(&self) -> Option<&Connection> {
        [&self.ours, &self.theirs]
            .into_iter()
            .flatten()
            .find(|link| link.is_established())
    }

    fn established_mut(&mut self) -> Option<&mut Connection> {
        [&mut self.ours, &mut self.theirs]
            .into_iter()
            .flatten()
            .find(|link| link.is_established())
    }

    fn slot(&mut self, side: Side) -> &mut Option<Connection> {
        match side {
            Side::Ours => &mut self.ours,
            Side::Theirs => &mut self.theirs,
        }
    }

    fn link(&self, side: Side) -> Option<&Connection> {
        match side {
            Side::Ours => self.ours.as_ref(),
            Side::Theirs => self.theirs.as_ref(),
        }
    }

    fn side_of(&self, conn: ConnId) -> Option<Side> {
        Side::BOTH
            .into_iter()
            .find(|side| self.link(*side).is_some_and(|link| link.id == conn))
    }

    fn connections(&self) -> impl Iterator<Item = &Connection> {
        [&self.ours, &self.theirs]
            .into_iter()
            .flatten()
            .chain(&self.closing)
    }
}
