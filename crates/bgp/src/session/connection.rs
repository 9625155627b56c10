// SPDX-License-Identifier: Apache-2.0
//! One TCP connection with a peer: its phase, its buffers, its timers.
//!
//! Queues control messages and cuts the byte stream into messages. What messages mean is decided in
//! [`super::fsm`]; a peer may have two connections until the collision is resolved (RFC 4271 6.8).

use std::time::{Duration, Instant};

use bytes::BytesMut;
use ferrolb_types::{Family, PeerName, RouterId};

use super::{context::Context, feed::Feed};
use crate::{
    ConnId, Ends, Link, Messages, Negotiated, Output, State,
    rib::RouteId,
    timers::{CLOSE_TIMEOUT, Jitter, OPEN_HOLD_TIME, Timer, earliest, send_hold_time},
    wire,
};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Our OPEN is sent or queued.
    OpenSent,
    /// Both OPENs are exchanged.
    OpenConfirm,
    /// Routes are exchanged.
    Established,
    /// Only a NOTIFICATION is left to be written.
    Closing,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnId,
    pub(super) ends: Ends,
    /// Whether the peer opened it.
    pub(super) accepted: bool,
    /// The identifier we show.
    pub(super) router_id: RouterId,
    pub(super) phase: Phase,
    /// When it entered the phase.
    pub(super) since: Instant,
    pub(super) inbound: BytesMut,
    control: BytesMut,
    /// The driver was asked to write and has not yet emptied us.
    asked: bool,
    keepalive_queued: bool,
    pub(super) agreed: Option<Negotiated>,
    /// The families this session carries, once established.
    pub(super) feeds: Vec<Feed>,
    hold: Timer,
    keepalive: Timer,
    keepalive_period: Option<Duration>,
    send_hold: Timer,
    close: Timer,
}

/// A timer of a connection that came due and needs a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing came for the hold time.
    Hold,
    /// The peer takes no bytes.
    SendHold,
    /// The last NOTIFICATION could not be written.
    Close,
}

impl Connection {
    /// A connection that just came to stand.
    pub(super) fn new(
        now: Instant,
        id: ConnId,
        ends: Ends,
        accepted: bool,
        router_id: RouterId,
    ) -> Self {
        Self {
            id,
            ends,
            accepted,
            router_id,
            phase: Phase::OpenSent,
            since: now,
            inbound: BytesMut::new(),
            control: BytesMut::new(),
            asked: false,
            keepalive_queued: false,
            agreed: None,
            feeds: Vec::new(),
            hold: Timer::after(now, OPEN_HOLD_TIME),
            keepalive: Timer::default(),
            keepalive_period: None,
            send_hold: Timer::default(),
            close: Timer::default(),
        }
    }

    /// The state of the session this connection would give it.
    pub(super) fn state(&self) -> State {
        match self.phase {
            Phase::OpenSent => State::OpenSent,
            Phase::OpenConfirm => State::OpenConfirm,
            Phase::Established => State::Established,
            Phase::Closing => State::Idle,
        }
    }

    /// Whether routes are exchanged.
    pub(super) fn is_established(&self) -> bool {
        self.phase == Phase::Established
    }

    /// Enters a phase.
    pub(super) fn enter(&mut self, now: Instant, phase: Phase) {
        self.phase = phase;
        self.since = now;
    }

    /// For the status.
    pub(super) fn link(&self) -> Link {
        Link {
            local: self.ends.local,
            remote: self.ends.remote,
            accepted: self.accepted,
            router_id: self.router_id,
            keepalive: self.keepalive_period,
        }
    }

    /// Queues a control message that `emit` writes, and asks the driver to write it.
    pub(super) fn queue(&mut self, ctx: &mut Context<'_>, emit: impl FnOnce(&mut BytesMut)) {
        emit(&mut self.control);
        self.ask(ctx);
    }

    /// Queues a KEEPALIVE, unless one is waiting already.
    pub(super) fn queue_keepalive(&mut self, ctx: &mut Context<'_>, sent: &mut Messages) {
        if !std::mem::replace(&mut self.keepalive_queued, true) {
            sent.keepalive += 1;
            self.queue(ctx, wire::emit_keepalive);
        }
    }

    /// Asks the driver to write, unless it was asked already.
    pub(super) fn ask(&mut self, ctx: &mut Context<'_>) {
        if !std::mem::replace(&mut self.asked, true) {
            ctx.out.push_back(Output::WantWrite { conn: self.id });
            let hold = self.agreed.as_ref().and_then(|agreed| agreed.hold_time);
            self.send_hold.set(ctx.now, send_hold_time(hold));
        }
    }

    /// A route changed: its family owes it.
    pub(super) fn route_changed(
        &mut self,
        ctx: &mut Context<'_>,
        peer: &PeerName,
        family: Family,
        id: RouteId,
    ) {
        let Some(feed) = self.feeds.iter_mut().find(|feed| feed.family == family) else {
            return;
        };
        ctx.rib.mark(family, &mut feed.outbox, id, peer);
        if feed.has_work(ctx.synced) {
            self.ask(ctx);
        }
    }

    /// Hands out the queued control messages.
    pub(super) fn take_control(&mut self, now: Instant, buf: &mut BytesMut) {
        buf.extend_from_slice(&self.control);
        self.control = BytesMut::new();
        self.keepalive_queued = false;
        // The socket takes bytes: the peer reads (RFC 9687 section 4).
        let hold = self.agreed.as_ref().and_then(|agreed| agreed.hold_time);
        self.send_hold.set(now, send_hold_time(hold));
    }

    /// Everything is handed out; the next message asks anew.
    pub(super) fn emptied(&mut self) {
        self.asked = false;
        self.send_hold.stop();
    }

    /// A message came: the peer is alive.
    pub(super) fn heard(&mut self, now: Instant) {
        match &self.agreed {
            Some(agreed) => self.hold.set(now, agreed.hold_time),
            None => self.hold.set(now, Some(OPEN_HOLD_TIME)),
        }
    }

    /// Sends keepalives every `period` from now on, shortened by jitter.
    pub(super) fn keep_alive(
        &mut self,
        now: Instant,
        period: Option<Duration>,
        jitter: &mut Jitter,
    ) {
        self.keepalive_period = period;
        self.keepalive
            .set(now, period.map(|period| jitter.between_keepalives(period)));
    }

    /// Only what is queued is still to be written, and that soon.
    pub(super) fn begin_closing(&mut self, now: Instant) {
        self.enter(now, Phase::Closing);
        self.inbound = BytesMut::new();
        self.hold.stop();
        self.keepalive.stop();
        self.send_hold.stop();
        self.close = Timer::after(now, CLOSE_TIMEOUT);
    }

    /// Sends the keepalive that is due and names the timer that needs a decision.
    pub(super) fn on_timeout(
        &mut self,
        ctx: &mut Context<'_>,
        jitter: &mut Jitter,
        sent: &mut Messages,
    ) -> Option<Due> {
        if self.close.expire(ctx.now) {
            return Some(Due::Close);
        }
        if self.hold.expire(ctx.now) {
            return Some(Due::Hold);
        }
        if self.keepalive.expire(ctx.now) {
            self.queue_keepalive(ctx, sent);
            self.keep_alive(ctx.now, self.keepalive_period, jitter);
        }
        self.send_hold.expire(ctx.now).then_some(Due::SendHold)
    }

    /// When a timer is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        earliest([self.hold, self.keepalive, self.send_hold, self.close])
    }
}
