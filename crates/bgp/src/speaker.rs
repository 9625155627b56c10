// SPDX-License-Identifier: Apache-2.0
//! All peers of a node, and what they share: the RIB, the numbering of connections, the assignment of
//! accepted connections to peers.
//!
//! The driver's discipline: feed one input, drain [`Speaker::poll`], then wait for the next input or the
//! [`Speaker::deadline`]. After [`Output::WantWrite`], call [`Speaker::transmit`] whenever the socket
//! takes bytes, until it returns false; it may leave outputs to drain too.
//!
//! One peer never affects another: each input reaches one session, and what sessions share is bounded.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use bytes::BytesMut;
use ferrolb_types::{Family, PeerName, RouteAttributes, RouteTargets, RouterId};
use ipnet::IpNet;
use std::sync::Arc;

use crate::{
    ConnId, Ends, Input, NextHop, Output, PeerConfig, PeerStatus,
    rib::Rib,
    session::{Context, Session, Stop},
};

/// All peers of a node.
#[derive(Debug)]
pub struct Speaker {
    options: Options,
    rib: Rib,
    sessions: BTreeMap<PeerName, Session>,
    /// Removed peers with a last NOTIFICATION to write.
    leaving: Vec<Session>,
    conns: BTreeMap<ConnId, PeerName>,
    last_conn: u64,
    out: VecDeque<Output>,
    synced: bool,
    down: bool,
}

/// What a speaker needs to know of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The BGP Identifier where neither the peer's configuration nor the connection gives one; see
    /// [`router_id_of_node`](crate::router_id_of_node).
    pub fallback_router_id: RouterId,
    /// Seed of the jitter; different on every node and start.
    pub seed: u64,
}

/// A route as a peer has it from us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// The prefix.
    pub prefix: IpNet,
    /// Its attributes. LOCAL_PREF is sent to internal peers alone.
    pub attributes: Arc<RouteAttributes>,
    /// The next hop.
    pub next_hop: NextHop,
}

impl Speaker {
    /// A speaker without peers and routes, not synced.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            rib: Rib::default(),
            sessions: BTreeMap::new(),
            leaving: Vec::new(),
            conns: BTreeMap::new(),
            last_conn: 0,
            out: VecDeque::new(),
            synced: false,
            down: false,
        }
    }

    /// Takes in one thing that happened. Never blocks, never fails.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        debug_assert!(self.out.is_empty(), "drain poll() before the next input");
        match input {
            Input::Connected { conn, ends } => {
                self.with_owner(now, conn, |session, ctx| session.connected(ctx, conn, ends));
            }
            Input::ConnectFailed { conn, fault } => {
                self.with_owner(now, conn, |session, ctx| {
                    session.connect_failed(ctx, conn, &fault);
                });
            }
            Input::Accepted { conn, ends } => self.accept(now, conn, ends),
            Input::Received { conn, bytes } => {
                let taken =
                    self.with_owner(now, conn, |session, ctx| session.received(ctx, conn, bytes));
                if taken.is_none() {
                    self.out.push_back(Output::Close { conn });
                }
            }
            Input::NextHops { conn, next_hops } => {
                self.with_owner(now, conn, |session, ctx| {
                    session.next_hops_told(ctx, conn, next_hops);
                });
            }
            Input::Closed { conn, fault } => {
                self.with_owner(now, conn, |session, ctx| {
                    session.closed(ctx, conn, fault.as_ref());
                });
            }
            Input::Timeout => self.with_all(now, |session, ctx| session.timeout(ctx)),
        }
        self.leaving.retain(|session| !session.is_finished());
    }

    /// The next thing to do. Call until it gives nothing.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When [`Input::Timeout`] is due next.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.sessions
            .values()
            .chain(&self.leaving)
            .filter_map(Session::deadline)
            .min()
    }

    /// Appends whole messages for `conn` to `buf`, about `budget` bytes of them. Says whether there is
    /// more to write. What was handed out counts as sent.
    pub fn transmit(
        &mut self,
        now: Instant,
        conn: ConnId,
        buf: &mut BytesMut,
        budget: usize,
    ) -> bool {
        let transmit =
            |session: &mut Session, ctx: &mut Context<'_>| session.transmit(ctx, conn, buf, budget);
        let more = self.with_owner(now, conn, transmit).unwrap_or(false);
        self.leaving.retain(|session| !session.is_finished());
        more
    }

    /// A number for a connection that was accepted.
    pub fn new_conn(&mut self) -> ConnId {
        self.last_conn += 1;
        ConnId(self.last_conn)
    }

    /// Adds a peer, or changes it; only a change that needs it resets the session.
    pub fn set_peer(&mut self, now: Instant, config: PeerConfig) {
        if self.down {
            return;
        }
        let name = config.name.clone();
        if self.sessions.contains_key(&name) {
            self.with_peer(now, &name, |session, ctx| session.configure(ctx, config));
        } else {
            self.sessions
                .insert(name.clone(), Session::new(now, config, self.options.seed));
            self.with_peer(now, &name, |session, ctx| session.start(ctx));
        }
    }

    /// Removes a peer, telling it so.
    pub fn remove_peer(&mut self, now: Instant, peer: &PeerName) {
        self.with_peer(now, peer, |session, ctx| session.stop(ctx, Stop::Removed));
        self.leaving.extend(self.sessions.remove(peer));
        self.leaving.retain(|session| !session.is_finished());
    }

    /// The peers that are configured.
    pub fn peers(&self) -> impl Iterator<Item = &PeerConfig> {
        self.sessions.values().map(Session::config)
    }

    /// Wants `prefix` announced to `targets`, or to nobody.
    pub fn set_route(&mut self, now: Instant, prefix: IpNet, targets: Option<RouteTargets>) {
        let family = Family::of(prefix.addr());
        if let Some(id) = self.rib.set(prefix, targets) {
            self.with_all(now, |session, ctx| session.route_changed(ctx, family, id));
        }
    }

    /// The number of prefixes wanted by somebody.
    #[must_use]
    pub fn routes(&self) -> usize {
        self.rib.len()
    }

    /// The desired routes are complete. Before that nothing is withdrawn and no End-of-RIB is sent.
    pub fn set_synced(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.synced, true) {
            self.with_all(now, |session, ctx| session.synced(ctx));
        }
    }

    /// Ends all sessions; `text` is for the peers' operators (RFC 9003). Go on driving until
    /// [`Speaker::is_finished`].
    pub fn shutdown(&mut self, now: Instant, text: &str) {
        self.down = true;
        self.with_all(now, |session, ctx| session.stop(ctx, Stop::Shutdown(text)));
    }

    /// Whether nothing is left to be written after [`Speaker::shutdown`].
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.sessions
            .values()
            .chain(&self.leaving)
            .all(Session::is_finished)
    }

    /// The state of every peer, by name.
    #[must_use]
    pub fn status(&self, now: Instant) -> Vec<PeerStatus> {
        self.sessions
            .values()
            .map(|session| session.status(now))
            .collect()
    }

    /// The families of which routes are exchanged now, with whom, ascending.
    pub fn carried(&self) -> impl Iterator<Item = (PeerName, Family)> {
        let sessions = self.sessions.iter();
        sessions.flat_map(|(name, session)| session.carried().map(|family| (name.clone(), family)))
    }

    /// The routes the peer has from us, ascending; none unless the session is established.
    #[must_use]
    pub fn advertised(&self, peer: &PeerName) -> Vec<Advertised> {
        let Some(session) = self.sessions.get(peer) else {
            return Vec::new();
        };
        let mut routes: Vec<_> = session
            .announced(&self.rib)
            .filter_map(|(prefix, attributes)| {
                let next_hop = session.next_hop(Family::of(prefix.addr()))?;
                Some(Advertised {
                    prefix,
                    attributes: Arc::clone(attributes),
                    next_hop,
                })
            })
            .collect();
        routes.sort_unstable_by_key(|route| route.prefix);
        routes
    }

    fn accept(&mut self, now: Instant, conn: ConnId, ends: Ends) {
        if self.conns.contains_key(&conn) {
            // Said twice.
            return;
        }
        let ends = ends.canonical();
        let fit =
            |(name, session): (&PeerName, &Session)| Some((session.fit(&ends)?, name.clone()));
        let best = self
            .sessions
            .iter()
            .filter_map(fit)
            .max_by_key(|(fit, _)| *fit);
        let Some((_, name)) = best else {
            self.out.push_back(Output::Close { conn });
            return;
        };
        self.conns.insert(conn, name.clone());
        self.with_peer(now, &name, |session, ctx| session.accepted(ctx, conn, ends));
    }

    fn with_owner<T>(
        &mut self,
        now: Instant,
        conn: ConnId,
        act: impl FnOnce(&mut Session, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let Parts {
            sessions,
            leaving,
            mut ctx,
        } = self.parts(now);
        let name = ctx.conns.get(&conn)?;
        let gone = leaving.iter_mut().find(|session| session.owns(conn));
        let session = gone.or_else(|| sessions.get_mut(name))?;
        let result = act(session, &mut ctx);
        session.note_state(now);
        Some(result)
    }

    fn with_peer(
        &mut self,
        now: Instant,
        peer: &PeerName,
        act: impl FnOnce(&mut Session, &mut Context<'_>),
    ) {
        let Parts {
            sessions, mut ctx, ..
        } = self.parts(now);
        if let Some(session) = sessions.get_mut(peer) {
            act(session, &mut ctx);
            session.note_state(now);
        }
    }

    fn with_all(&mut self, now: Instant, mut act: impl FnMut(&mut Session, &mut Context<'_>)) {
        let Parts {
            sessions,
            leaving,
            mut ctx,
        } = self.parts(now);
        for session in sessions.values_mut().chain(leaving) {
            act(session, &mut ctx);
            session.note_state(now);
        }
    }

    fn parts(&mut self, now: Instant) -> Parts<'_> {
        let ctx = Context {
            now,
            rib: &mut self.rib,
            synced: self.synced,
            fallback_router_id: self.options.fallback_router_id,
            out: &mut self.out,
            conns: &mut self.conns,
            last_conn: &mut self.last_conn,
        };
        Parts {
            sessions: &mut self.sessions,
            leaving: &mut self.leaving,
            ctx,
        }
    }
}

/// The sessions beside what they share.
struct Parts<'a> {
    sessions: &'a mut BTreeMap<PeerName, Session>,
    leaving: &'a mut Vec<Session>,
    ctx: Context<'a>,
}
