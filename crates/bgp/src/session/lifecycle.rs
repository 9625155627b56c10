// SPDX-License-Identifier: Apache-2.0
//! How connections begin and end, and what a changed configuration does to them.

use std::time::{Duration, Instant};

use super::{Connection, Connector, Context, Phase, Session, Side, connection, connector::Due};
use crate::{
    ConnId, Connect, Ends, Fault, Output, PeerConfig, Problem, State, What,
    config::{InForce, effect},
    negotiation::our_open,
    router_id,
    wire::{CeaseError, ErrorCode, Notification},
};

/// More connections than this never wait for their last NOTIFICATION to be written.
const MOST_CLOSING: usize = 4;

/// Why a peer is stopped for good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop<'a> {
    /// It is no longer configured.
    Removed,
    /// The speaker goes down; the text is for the peer's operator.
    Shutdown(&'a str),
}

/// How a connection ends.
#[derive(Debug)]
pub(super) struct Ending {
    /// What the peer is told, if anything.
    pub(super) notification: Option<Notification>,
    /// Why.
    pub(super) problem: Problem,
    /// Whether it is a fault, to be remembered and told.
    pub(super) fault: bool,
}

impl Ending {
    /// The connection is of no use any more; nothing can be told.
    pub(super) fn gone(problem: Problem) -> Self {
        Self {
            notification: None,
            problem,
            fault: true,
        }
    }

    /// The peer did something wrong and is told so.
    pub(super) fn fault(notification: Notification, problem: Problem) -> Self {
        Self {
            notification: Some(notification),
            problem,
            fault: true,
        }
    }

    /// We end it, and nothing is wrong.
    pub(super) fn ours(notification: Notification, problem: Problem) -> Self {
        Self {
            notification: Some(notification),
            problem,
            fault: false,
        }
    }
}

/// A Cease without text.
pub(super) fn cease(subcode: CeaseError) -> Notification {
    ErrorCode::Cease(subcode).into()
}

impl Session {
    /// Begins to connect and to accept.
    pub(crate) fn start(&mut self, ctx: &mut Context<'_>) {
        self.running = true;
        self.retry(ctx);
    }

    /// The attempt succeeded.
    pub(crate) fn connected(&mut self, ctx: &mut Context<'_>, conn: ConnId, ends: Ends) {
        if self.connections().any(|link| link.id == conn) {
            // Said twice.
            return;
        }
        if !self.connector.is(conn) {
            ctx.close(conn);
            return;
        }
        self.connector = Connector::Idle;
        self.open_link(ctx, conn, ends, Side::Ours);
    }

    /// The attempt failed.
    pub(crate) fn connect_failed(&mut self, ctx: &mut Context<'_>, conn: ConnId, fault: &Fault) {
        if !self.connector.is(conn) {
            self.closed(ctx, conn, Some(fault));
            return;
        }
        ctx.conns.remove(&conn);
        self.connector = Connector::Idle;
        let problem = Problem::connect_failed(&self.config, fault);
        self.attempt_failed(ctx, problem);
    }

    /// The peer connected to us.
    pub(crate) fn accepted(&mut self, ctx: &mut Context<'_>, conn: ConnId, ends: Ends) {
        ctx.out.push_back(Output::SetTtl {
            conn,
            ttl: self.config.ttl(),
        });
        if self.established().is_some() {
            // RFC 4271 6.8: an established connection is not given up for a new one.
            let link = self.connection(ctx, conn, ends, Side::Theirs);
            self.say_goodbye(ctx, link, &cease(CeaseError::ConnectionCollisionResolution));
            return;
        }
        // A peer has one attempt under way at most: a new one means that the old one is dead.
        if let Some(stale) = self.theirs.take() {
            self.end(
                ctx,
                stale,
                Ending::ours(
                    cease(CeaseError::ConnectionCollisionResolution),
                    Problem::collision(),
                ),
            );
        }
        self.open_link(ctx, conn, ends, Side::Theirs);
    }

    /// The connection is gone.
    pub(crate) fn closed(&mut self, ctx: &mut Context<'_>, conn: ConnId, fault: Option<&Fault>) {
        ctx.conns.remove(&conn);
        self.closing.retain(|link| link.id != conn);
        if self.connector.is(conn) {
            let fault = fault.cloned().unwrap_or(Fault::Reset);
            self.connect_failed(ctx, conn, &fault);
        } else if let Some(side) = self.side_of(conn)
            && let Some(link) = self.slot(side).take()
        {
            let state = link.state().to_string();
            let problem = Problem::closed(&self.config, fault, &state);
            self.end(ctx, link, Ending::gone(problem));
        }
    }

    /// Takes over a changed configuration, with a reset only where one is needed.
    pub(crate) fn configure(&mut self, ctx: &mut Context<'_>, config: PeerConfig) {
        if config == self.config {
            return;
        }
        let reset = match self.in_force() {
            Some(in_force) => effect(&self.config, &config, &in_force).map(Problem::changed),
            None => Some(Problem::changed_before_up()),
        };
        self.config = config;
        match reset {
            Some(problem) => {
                self.end_all(ctx, &cease(CeaseError::OtherConfigurationChange), &problem);
                self.backoff = crate::timers::Backoff::default();
                self.retry(ctx);
            }
            None => self.adjust(ctx),
        }
    }

    /// Ends everything for good.
    pub(crate) fn stop(&mut self, ctx: &mut Context<'_>, stop: Stop<'_>) {
        self.running = false;
        let (notification, problem) = match stop {
            Stop::Removed => (cease(CeaseError::PeerDeconfigured), Problem::removed()),
            Stop::Shutdown(text) => (
                Notification::cease(CeaseError::AdministrativeShutdown, text),
                Problem::shut_down(),
            ),
        };
        self.end_all(ctx, &notification, &problem);
        self.record.trouble = Some(problem);
    }

    /// The connection ends, and if it was the last one another attempt is planned.
    pub(super) fn end(&mut self, ctx: &mut Context<'_>, link: Connection, ending: Ending) {
        self.discard(ctx, link, ending);
        self.retry(ctx);
    }

    /// The connection ends: its routes are forgotten and the peer is told.
    pub(super) fn discard(&mut self, ctx: &mut Context<'_>, mut link: Connection, ending: Ending) {
        let established = link.is_established();
        for feed in link.feeds.drain(..) {
            ctx.rib.close(feed.family, feed.outbox);
        }
        if established {
            self.record.lost(ctx.now, &ending.problem);
            self.backoff
                .session_lasted(ctx.now.duration_since(link.since));
        }
        self.report(ctx, established, &ending);
        match ending.notification {
            Some(notification) => self.say_goodbye(ctx, link, &notification),
            None => ctx.close(link.id),
        }
    }

    /// Does what is due on the attempt to connect.
    pub(super) fn connector_timeout(&mut self, ctx: &mut Context<'_>) {
        match self.connector.on_timeout(ctx.now) {
            None => {}
            Some(Due::Attempt) => self.attempt(ctx),
            Some(Due::TooLong(conn)) => {
                ctx.close(conn);
                let problem = Problem::no_answer(&self.config);
                self.attempt_failed(ctx, problem);
            }
        }
    }

    /// Does what is due on a connection.
    pub(super) fn link_timeout(&mut self, ctx: &mut Context<'_>, side: Side) {
        let Some(mut link) = self.slot(side).take() else {
            return;
        };
        let ending = match link.on_timeout(ctx, &mut self.jitter, &mut self.record.sent) {
            None | Some(connection::Due::Close) => {
                *self.slot(side) = Some(link);
                return;
            }
            Some(connection::Due::Hold) => {
                let problem = match link.agreed.as_ref().and_then(|agreed| agreed.hold_time) {
                    Some(hold) => Problem::hold_expired(&self.config, hold),
                    None => Problem::silent(&self.config),
                };
                Ending::fault(ErrorCode::HoldTimerExpired.into(), problem)
            }
            Some(connection::Due::SendHold) => Ending::fault(
                ErrorCode::SendHoldTimerExpired.into(),
                Problem::stopped_reading(&self.config),
            ),
        };
        self.end(ctx, link, ending);
    }

    /// Closes what could not write its last NOTIFICATION in time.
    pub(super) fn closing_timeout(&mut self, ctx: &mut Context<'_>) {
        let due = |link: &mut Connection| link.deadline().is_some_and(|at| at <= ctx.now);
        for link in self.closing.extract_if(.., due).collect::<Vec<_>>() {
            ctx.close(link.id);
        }
    }

    /// The state the session is in now is written down.
    pub(crate) fn note_state(&mut self, now: Instant) {
        let of_links = [&self.ours, &self.theirs]
            .into_iter()
            .flatten()
            .map(Connection::state)
            .max();
        let state = of_links.unwrap_or(match (self.running, self.connector) {
            (false, _) => State::Idle,
            (true, Connector::Connecting(..)) => State::Connect,
            (true, _) => State::Active,
        });
        self.record.enter(now, state);
    }

    /// Gives up the attempt to connect, if any.
    pub(super) fn stop_connecting(&mut self, ctx: &mut Context<'_>) {
        if let Connector::Connecting(conn, _) = self.connector {
            ctx.close(conn);
        }
        self.connector = Connector::Idle;
    }

    fn open_link(&mut self, ctx: &mut Context<'_>, conn: ConnId, ends: Ends, side: Side) {
        let mut link = self.connection(ctx, conn, ends, side);
        self.record.sent.open += 1;
        let router_id = link.router_id;
        link.queue(ctx, |buf| our_open(&self.config, router_id).emit(buf));
        *self.slot(side) = Some(link);
        self.note_source(ctx, side);
    }

    fn connection(&self, ctx: &Context<'_>, conn: ConnId, ends: Ends, side: Side) -> Connection {
        let ends = ends.canonical();
        let id = router_id::choose(&self.config, &ends, ctx.fallback_router_id);
        Connection::new(ctx.now, conn, ends, side == Side::Theirs, id)
    }

    fn note_source(&self, ctx: &mut Context<'_>, side: Side) {
        if let Some(problem) = self.link(side).and_then(|link| self.source_problem(link)) {
            ctx.event(&self.config.name, What::Notice(problem));
        }
    }

    /// Makes the next attempt, at once or after a pause, unless a connection or attempt exists.
    fn retry(&mut self, ctx: &mut Context<'_>) {
        let busy = self.ours.is_some() || self.theirs.is_some();
        if !self.running || busy || !matches!(self.connector, Connector::Idle) {
            return;
        }
        let pause = self
            .backoff
            .next(self.config.connect_time, &mut self.jitter);
        if pause == Duration::ZERO {
            self.attempt(ctx);
        } else {
            self.connector = Connector::wait(ctx.now, pause);
        }
    }

    fn attempt(&mut self, ctx: &mut Context<'_>) {
        // Our own attempt goes on beside a connection that may turn out to be silent, no further.
        let spoken_for = |link: &Connection| link.phase != Phase::OpenSent;
        if self.ours.is_some() || self.theirs.as_ref().is_some_and(spoken_for) {
            return;
        }
        let conn = ctx.open(&self.config.name);
        self.connector = Connector::connecting(ctx.now, conn);
        let how = Connect {
            peer: self.config.name.clone(),
            remote: (self.config.remote, self.config.port).into(),
            source: self.config.source_address,
            password: self.config.password.clone(),
            ttl: self.config.ttl(),
        };
        ctx.out.push_back(Output::Connect { conn, how });
    }

    fn attempt_failed(&mut self, ctx: &mut Context<'_>, problem: Problem) {
        self.report(ctx, false, &Ending::gone(problem));
        self.retry(ctx);
    }

    fn report(&mut self, ctx: &mut Context<'_>, established: bool, ending: &Ending) {
        if ending.fault {
            self.record.failed(ctx.now, &ending.problem);
        }
        let problem = ending.problem.clone();
        match (established, ending.fault) {
            (true, _) => ctx.event(&self.config.name, What::Lost(problem)),
            (false, true) => ctx.event(&self.config.name, What::Failed(problem)),
            (false, false) => {}
        }
    }

    fn say_goodbye(&mut self, ctx: &mut Context<'_>, mut link: Connection, text: &Notification) {
        if self.closing.len() >= MOST_CLOSING {
            ctx.close(link.id);
            return;
        }
        self.record.sent.notification += 1;
        link.begin_closing(ctx.now);
        link.queue(ctx, |buf| text.emit(buf));
        self.closing.push(link);
    }

    fn end_all(&mut self, ctx: &mut Context<'_>, notification: &Notification, problem: &Problem) {
        self.stop_connecting(ctx);
        for side in Side::BOTH {
            if let Some(link) = self.slot(side).take() {
                self.discard(
                    ctx,
                    link,
                    Ending::ours(notification.clone(), problem.clone()),
                );
            }
        }
    }

    fn in_force(&self) -> Option<InForce> {
        let link = self.established()?;
        let agreed = link.agreed.as_ref()?;
        Some(InForce {
            local: link.ends.local.ip(),
            router_id: link.router_id,
            hold_time: agreed.hold_time.unwrap_or_default(),
            peer_hold_time: agreed.peer_hold_time,
        })
    }

    /// Applies the fields that need no reset to the session that is up.
    fn adjust(&mut self, ctx: &mut Context<'_>) {
        let ttl = self.config.ttl();
        let keepalive_time = self.config.keepalive_time;
        for link in [&mut self.ours, &mut self.theirs].into_iter().flatten() {
            ctx.out.push_back(Output::SetTtl { conn: link.id, ttl });
            let period = link
                .agreed
                .as_ref()
                .and_then(|agreed| agreed.keepalive(keepalive_time));
            link.keep_alive(ctx.now, period, &mut self.jitter);
        }
    }
}
