// SPDX-License-Identifier: Apache-2.0
//! What each message does in each phase (RFC 4271 section 8.2.2).

use bytes::Buf;
use ferrolb_types::Family;

use super::{
    Connection, Connector, Context, Phase, Session, Side,
    feed::Feed,
    lifecycle::{Ending, cease},
};
use crate::{
    ConnId, Messages, Negotiated, Problem, What,
    wire::{
        self, CeaseError, Disposition, ErrorCode, Framing, FsmError, MaxLength, Message,
        MessageType, Open, RefreshSubtype, RouteRefresh, SessionReset, Update,
    },
};

impl Session {
    /// Bytes came on a connection.
    pub(crate) fn received(&mut self, ctx: &mut Context<'_>, conn: ConnId, bytes: &[u8]) {
        // What comes on a connection that only waits for its NOTIFICATION to leave is of no interest.
        let Some(side) = self.side_of(conn) else {
            return;
        };
        let Some(mut link) = self.slot(side).take() else {
            return;
        };
        link.inbound.extend_from_slice(bytes);
        match self.read(ctx, &mut link, side) {
            Ok(()) => *self.slot(side) = Some(link),
            Err(ending) => self.end(ctx, link, ending),
        }
    }

    fn read(
        &mut self,
        ctx: &mut Context<'_>,
        link: &mut Connection,
        side: Side,
    ) -> Result<(), Ending> {
        let mut inbound = std::mem::take(&mut link.inbound);
        loop {
            let agreed = link.agreed.as_ref();
            // We offer extended messages: the peer may send them whether it offered them or not
            // (RFC 8654 section 4).
            let limit = agreed.map_or(MaxLength::Standard, |_| MaxLength::Extended);
            let options = agreed
                .map(|agreed| agreed.options(&self.config))
                .unwrap_or_default();
            let framing = wire::frame(&inbound, limit).map_err(|reset| self.reset(reset))?;
            let Framing::Whole(frame) = framing else {
                break;
            };
            let message = Message::parse(frame, &options).map_err(|reset| match frame.kind {
                // RFC 4271 section 6.4: a NOTIFICATION is never answered with one.
                MessageType::Notification => Ending::gone(Problem::of_reset(&self.config, &reset)),
                _ => self.reset(reset),
            })?;
            self.on_message(ctx, link, side, &message)?;
            inbound.advance(frame.wire_len());
        }
        if !inbound.is_empty() {
            link.inbound = inbound;
        }
        Ok(())
    }

    fn reset(&self, reset: SessionReset) -> Ending {
        let problem = Problem::of_reset(&self.config, &reset);
        Ending::fault(reset.notification, problem)
    }

    fn on_message(
        &mut self,
        ctx: &mut Context<'_>,
        link: &mut Connection,
        side: Side,
        message: &Message<'_>,
    ) -> Result<(), Ending> {
        count(&mut self.record.received, message);
        match (link.phase, message) {
            (_, Message::Notification(text)) => {
                return Err(Ending::gone(Problem::notified(&self.config, text)));
            }
            (Phase::OpenSent, Message::Open(open)) => self.on_open(ctx, link, side, open)?,
            (Phase::OpenConfirm, Message::KeepAlive) => self.establish(ctx, link, side),
            (Phase::Established, Message::KeepAlive) => {}
            (Phase::Established, Message::Update(update)) => self.on_update(update),
            (Phase::Established, Message::RouteRefresh(request)) => refresh(ctx, link, *request),
            (phase, message) => return Err(self.unexpected(phase, link, message)),
        }
        link.heard(ctx.now);
        Ok(())
    }

    fn on_open(
        &mut self,
        ctx: &mut Context<'_>,
        link: &mut Connection,
        side: Side,
        open: &Open,
    ) -> Result<(), Ending> {
        let agreed = Negotiated::new(&self.config, link.router_id, open)
            .map_err(|(notification, problem)| Ending::fault(notification, problem))?;
        self.resolve_collision(ctx, link, side, agreed.peer_router_id)?;
        let period = agreed.keepalive(self.config.keepalive_time);
        link.agreed = Some(agreed);
        link.enter(ctx.now, Phase::OpenConfirm);
        link.queue_keepalive(ctx, &mut self.record.sent);
        link.keep_alive(ctx.now, period, &mut self.jitter);
        if matches!(self.connector, Connector::Waiting(_)) {
            self.connector = Connector::Idle;
        }
        Ok(())
    }

    fn establish(&mut self, ctx: &mut Context<'_>, link: &mut Connection, side: Side) {
        link.enter(ctx.now, Phase::Established);
        self.record.trouble = None;
        self.stop_connecting(ctx);
        if let Some(other) = self.slot(side.other()).take() {
            let told = cease(CeaseError::ConnectionCollisionResolution);
            self.discard(ctx, other, Ending::ours(told, Problem::collision()));
        }
        let agreed = link.agreed.as_ref();
        let families = agreed
            .map(|agreed| agreed.families.as_slice())
            .unwrap_or_default();
        let feed = |family: &Family| {
            let withheld = link.next_hop(*family).is_none();
            Feed::new(*family, ctx.rib.open(*family, &self.config.name, withheld))
        };
        link.feeds = families.iter().map(feed).collect();
        ctx.event(&self.config.name, What::Established);
        for problem in self.shortcomings(link) {
            ctx.event(&self.config.name, What::Notice(problem));
        }
        if link.feeds.iter().any(|feed| feed.has_work(ctx.synced)) {
            link.ask(ctx);
        }
    }

    fn on_update(&mut self, update: &Update<'_>) {
        let inbound = &mut self.record.inbound;
        inbound.announced += update.announced().count() as u64;
        inbound.withdrawn += update.withdrawn().count() as u64;
        match update.disposition() {
            None => {}
            Some(Disposition::AttributeDiscard) => inbound.attribute_discarded += 1,
            // Nothing is ever believed of a family here, so there is nothing to disable.
            Some(Disposition::TreatAsWithdraw | Disposition::DisableFamily(_)) => {
                inbound.treated_as_withdraw += 1;
            }
        }
    }

    fn unexpected(&self, phase: Phase, link: &Connection, message: &Message<'_>) -> Ending {
        let code = match phase {
            Phase::OpenSent => FsmError::UnexpectedInOpenSent,
            Phase::OpenConfirm => FsmError::UnexpectedInOpenConfirm,
            Phase::Established | Phase::Closing => FsmError::UnexpectedInEstablished,
        };
        let state = link.state().to_string();
        let problem = Problem::unexpected(&self.config, name(message), &state);
        Ending::fault(ErrorCode::Fsm(code).into(), problem)
    }
}

/// RFC 2918: the routes of a family are asked for again. Marks around the peer's own routes and families
/// not carried mean nothing to us.
fn refresh(ctx: &mut Context<'_>, link: &mut Connection, request: RouteRefresh) {
    if request.subtype != RefreshSubtype::Request {
        return;
    }
    let family = request.family.family();
    if let Some(feed) = link
        .feeds
        .iter_mut()
        .find(|feed| Some(feed.family) == family)
    {
        feed.ask_refresh();
        link.ask(ctx);
    }
}

fn count(received: &mut Messages, message: &Message<'_>) {
    let counter = match message {
        Message::Open(_) => &mut received.open,
        Message::Update(_) => &mut received.update,
        Message::Notification(_) => &mut received.notification,
        Message::KeepAlive => &mut received.keepalive,
        Message::RouteRefresh(_) => &mut received.route_refresh,
    };
    *counter += 1;
}

fn name(message: &Message<'_>) -> &'static str {
    match message {
        Message::Open(_) => "an OPEN",
        Message::Update(_) => "an UPDATE",
        Message::Notification(_) => "a NOTIFICATION",
        Message::KeepAlive => "a KEEPALIVE",
        Message::RouteRefresh(_) => "a ROUTE-REFRESH",
    }
}
